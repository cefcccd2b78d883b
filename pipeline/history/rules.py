"""The table of rules: every code that a diff can tell, how grave it is, and what it looks at.

``docs/differences.md`` is generated from here (``pipeline.history.rules_page``). A code is stable. What breaks a caller
is breaking, and only with a call that shows it: a breaking finding without such a witness, or with a refuted one, is
told as risky. Reading the other way round, every code has its ``mirror``.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.history import witnesses as calls
from pipeline.history.rule import (
    BREAKING,
    COMPATIBLE,
    INFORMATIVE,
    RISKY,
    Rule,
    alone,
    appears,
    both_differ,
    came,
    differs,
    disappears,
    from_to,
    other_or_gone,
    other_or_new,
    there,
    two_ways,
    went,
)

ALL, OPTIONS = ("command", "flag", "arg"), ("flag", "arg")
_COMMAND, _FLAG, _ARG = ("command",), ("flag",), ("arg",)
_METHOD, _EVENT, _FEATURE = ("method",), ("hook_event",), ("feature",)

RULES: tuple[Rule, ...] = (
    *there(
        _COMMAND,
        ("command-removed", BREAKING, "A command is gone, with all that it had.", calls.uses),
        ("command-added", COMPATIBLE, "A command is new, with all that it has.", None),
    ),
    *there(
        _COMMAND,
        ("command-name-lost", BREAKING, "A command is not known by this name any more.", calls.uses_the_name),
        ("command-name-gained", COMPATIBLE, "A command has one more name.", None),
    ),
    *there(
        _COMMAND,
        ("command-merged", BREAKING, "A command is gone, and its name is now an alias of another.", calls.uses),
        ("command-split", BREAKING, "What was an alias of a command is now a command of its own.", calls.uses_the_name),
    ),
    alone(_COMMAND, "names", "command-renamed", COMPATIBLE, "A command has another first name; it is the same by one."),
    Rule(
        "command-name-reassigned",
        BREAKING,
        _COMMAND,
        "names",
        "command-name-reassigned",
        "A name means another command than before.",
        shown=calls.uses_the_name,
    ),
    *there(
        _FLAG,
        ("flag-removed", BREAKING, "A flag is gone.", calls.uses),
        ("flag-added", COMPATIBLE, "A flag is new.", None),
    ),
    *there(
        _FLAG,
        ("required-flag-removed", BREAKING, "A flag is gone that had to be given.", calls.uses),
        ("required-flag-added", BREAKING, "A flag is new and has to be given.", calls.leaves_out),
    ),
    *there(
        _FLAG,
        ("flag-name-lost", BREAKING, "A flag is not known by this name any more.", calls.uses_the_name),
        ("flag-name-gained", COMPATIBLE, "A flag has one more name.", None),
    ),
    *there(
        _FLAG,
        ("flag-merged", BREAKING, "A flag is gone, and its name is now one of another's.", calls.uses),
        ("flag-split", BREAKING, "What was another name of a flag is now a flag of its own.", calls.uses_the_name),
    ),
    alone(_FLAG, "names", "flag-renamed", COMPATIBLE, "A flag has another first name; it is the same by one of them."),
    Rule(
        "flag-name-reassigned",
        BREAKING,
        _FLAG,
        "names",
        "flag-name-reassigned",
        "A name means another flag than before.",
        shown=calls.uses_the_name,
    ),
    *there(
        _FLAG,
        ("flag-moved-to-root", BREAKING, "A flag of a command is now the root's alone.", calls.uses),
        ("flag-moved-to-command", BREAKING, "A flag of the root is now a command's alone.", calls.uses),
        "place",
    ),
    *there(
        _FLAG,
        ("flag-became-local", BREAKING, "A command has a flag of its own that was the root's.", calls.uses),
        ("flag-became-global", COMPATIBLE, "A command has a flag from the root that was its own.", None),
        "place",
    ),
    *there(
        _FLAG,
        ("flag-set-apart", INFORMATIVE, "A command has a flag of its own, where it repeated the root's.", None),
        ("flag-joined", INFORMATIVE, "A command repeats the root's flag, where it had one of its own.", None),
        "place",
    ),
    *there(
        _ARG,
        ("arg-removed", BREAKING, "A positional is gone.", calls.uses),
        ("arg-added", COMPATIBLE, "A positional is new and may be left out.", None),
    ),
    *there(
        _ARG,
        ("required-arg-removed", BREAKING, "A positional is gone that had to be given.", calls.uses),
        ("required-arg-added", BREAKING, "A positional is new and has to be given.", calls.leaves_out),
    ),
    alone(_ARG, "names", "arg-renamed", INFORMATIVE, "Help calls a positional by another name."),
    alone(_ARG, "position", "arg-moved", RISKY, "A positional stands in another place.", differs),
    *(
        rule
        for unit in ALL
        for rule in two_ways(
            (unit,),
            "state",
            (
                f"{unit}-hidden",
                RISKY,
                f"Help does not show the {unit} any more; often the step before it is removed.",
                lambda before, after: before is None and after is not None,
                None,
            ),
            (
                f"{unit}-unhidden",
                COMPATIBLE,
                f"Help shows the {unit}, which was accepted before.",
                lambda before, after: before is not None and after is None,
                None,
            ),
        )
    ),
    alone(
        ALL,
        "state",
        "evidence-changed",
        INFORMATIVE,
        "Help shows it in neither; whether it is accepted is told otherwise.",
        both_differ,
    ),
    *two_ways(
        _FLAG,
        "value",
        (
            "takes-value-gained",
            BREAKING,
            "A flag that took no value needs one.",
            from_to("none", "required"),
            calls.uses_without_value,
        ),
        (
            "takes-value-lost",
            BREAKING,
            "A flag takes no value any more.",
            from_to("required", "none"),
            calls.uses_with_value,
        ),
    ),
    *two_ways(
        _FLAG,
        "value",
        (
            "optional-value-lost",
            BREAKING,
            "A flag takes no value any more, which could be left out.",
            from_to("optional", "none"),
            calls.uses_with_value,
        ),
        ("optional-value-gained", COMPATIBLE, "A flag may be given a value.", from_to("none", "optional"), None),
    ),
    *two_ways(
        _FLAG,
        "value",
        (
            "value-made-required",
            BREAKING,
            "A flag's value cannot be left out any more.",
            from_to("optional", "required"),
            calls.uses_without_value,
        ),
        ("value-made-optional", COMPATIBLE, "A flag's value may be left out.", from_to("required", "optional"), None),
    ),
    *two_ways(
        _FLAG,
        "repeatable",
        ("repeatable-lost", BREAKING, "A flag may be given once only.", went, calls.uses_twice),
        ("repeatable-gained", COMPATIBLE, "A flag may be given more than once.", came, None),
    ),
    *two_ways(
        OPTIONS,
        "required",
        ("required-gained", BREAKING, "It has to be given.", came, calls.leaves_out),
        ("required-lost", COMPATIBLE, "It may be left out.", went, None),
    ),
    *two_ways(
        _ARG,
        "variadic",
        ("variadic-lost", BREAKING, "A positional takes one word only.", went, calls.uses_more),
        ("variadic-gained", COMPATIBLE, "A positional takes any number of words.", came, None),
    ),
    *there(
        OPTIONS,
        ("value-removed", BREAKING, "A value is not taken any more.", calls.uses_the_value),
        ("value-added", COMPATIBLE, "A value is new.", None),
        "possible_values",
    ),
    *there(
        OPTIONS,
        ("values-listed", BREAKING, "Only listed values are taken, where anything was.", calls.uses_any_value),
        ("values-unlisted", COMPATIBLE, "Anything is taken, where only listed values were.", None),
        "possible_values",
    ),
    alone(OPTIONS, "default", "default-changed", RISKY, "Left out, it means something else.", both_differ),
    *two_ways(
        OPTIONS,
        "default",
        ("default-stated", INFORMATIVE, "Help says what is meant where it is left out.", appears, None),
        ("default-unstated", INFORMATIVE, "Help says no more what is meant where it is left out.", disappears, None),
    ),
    *two_ways(
        OPTIONS,
        "env",
        ("env-lost", RISKY, "Help says no more that this environment variable gives it.", other_or_gone, None),
        ("env-gained", COMPATIBLE, "An environment variable gives it too.", other_or_new, None),
    ),
    alone(
        ALL,
        "stability",
        "stability-changed",
        INFORMATIVE,
        "Help calls it experimental, deprecated, or no more.",
        differs,
    ),
    *two_ways(
        ALL,
        "feature_gated",
        ("feature-gated", BREAKING, "It is only there with a feature switched on.", came, calls.uses),
        ("feature-ungated", COMPATIBLE, "It is there without any feature switched on.", went, None),
    ),
    *there(
        ALL,
        ("platform-lost", BREAKING, "Fewer targets have it.", calls.uses),
        ("platform-gained", COMPATIBLE, "More targets have it.", None),
        "available_on",
    ),
    alone(ALL, "available_on", "platform-apart", INFORMATIVE, "It does not come or go with its command's targets."),
    alone(ALL, "about", "about-changed", INFORMATIVE, "Help describes it in other words.", differs),
    alone(
        _FLAG, "value_name", "value-name-changed", INFORMATIVE, "Help calls a flag's value by another name.", differs
    ),
    # No call of the command line shows these, so none is breaking.
    *there(
        _METHOD,
        ("method-removed", RISKY, "A method of its server is gone.", None),
        ("method-added", COMPATIBLE, "A method of its server is new.", None),
    ),
    *there(
        _EVENT,
        ("hook-event-removed", RISKY, "An event that hooks can wait for is gone.", None),
        ("hook-event-added", COMPATIBLE, "An event that hooks can wait for is new.", None),
    ),
    *there(
        _FEATURE,
        ("feature-removed", RISKY, "A feature is gone.", None),
        ("feature-added", COMPATIBLE, "A feature is new.", None),
    ),
    *two_ways(
        _FEATURE,
        "default",
        ("feature-switched-off", RISKY, "A feature is off now where nobody switches it.", went, None),
        ("feature-switched-on", RISKY, "A feature is on now where nobody switches it.", came, None),
    ),
    alone(_FEATURE, "stage", "feature-stage-changed", INFORMATIVE, "A feature is in another stage.", differs),
)

BY_CODE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}
