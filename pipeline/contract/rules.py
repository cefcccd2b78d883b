"""``RULES.json``: the authored policy of an agent's folder, as a contract in which nothing is ignored in silence.

A key is honoured by a stage (the types of ``contract.honoured``), states what this version does anyway, or is
documentation (both in ``contract.inert``); any other key is refused, and so is a value that asks for something that
this version does not do, or for two things that cannot both be. The errors are RulesInvalid, and ArtifactInvalid for
what is no JSON or of a wrong type; both name the file and the JSON path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract import keys
from pipeline.contract.exclusions import Exclusion, Exclusions, Problem, judge_exclusions
from pipeline.contract.honoured import Condition, Globals, PointerRules, Retention, Rules, UnionRules
from pipeline.errors import RulesInvalid
from pipeline.layout import is_target

__all__ = [
    "Condition",
    "Exclusion",
    "Exclusions",
    "Globals",
    "PointerRules",
    "Problem",
    "Retention",
    "Rules",
    "UnionRules",
    "judge_rules",
    "read_rules",
]

# Place, problem, remedy.
_Contradiction = tuple[str, str, str]


def read_rules(path: Path) -> Rules:
    """Read RULES.json; raises RulesInvalid (or ArtifactInvalid) when it cannot be followed to the letter."""
    rules, problems = judge_rules(path)
    for problem in problems:
        place = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in problem.json_pointer.split("/")[1:])
        raise RulesInvalid(f"${place}: {problem.message}", where=path, remedy="correct the exclusions")
    return rules


def judge_rules(path: Path) -> tuple[Rules, tuple[Problem, ...]]:
    """Read RULES.json as ``read_rules`` does, but return what is wrong with its exclusions instead of raising it.

    The rules then hold the sound exclusions only.
    """
    document = canonical.loads(canonical.read_bytes(path), path, may_repeat=keys.may_repeat)
    keys.check_keys(document, path)
    silent: Json = {"units": []}
    section = document.pop("parity_exclusions", silent) if isinstance(document, dict) else silent
    exclusions, problems = judge_exclusions(section)
    rules = msgspec.structs.replace(canonical.convert(document, Rules, path), parity_exclusions=exclusions)
    for place, problem, remedy in _contradictions(rules):
        raise RulesInvalid(f"{place}: {problem}", where=path, remedy=remedy)
    return rules, problems


def _contradictions(rules: Rules) -> Iterator[_Contradiction]:
    """What each type allows and the whole does not."""
    yield from _of_targets(rules.union)
    yield from _of_pointers(rules.versioning.pointers)
    yield from _of_retention(rules.storage.retention)
    overlap = rules.wrapper_coverage.validation
    if overlap.disallow_overlapping_scopes and not overlap.overlap_units:
        place = "$.wrapper_coverage.validation.overlap_units"
        yield place, "is empty, although overlapping scopes are disallowed", "name the units, or allow overlaps"
    levels = rules.version_metadata.supported_policy.coverage_requirement
    for level in levels.allowed_levels:
        if level in levels.disallowed_levels:
            place = "$.version_metadata.supported_policy.coverage_requirement.disallowed_levels"
            yield place, f"{level} is in allowed_levels too", "remove it from one of the two"


def _of_targets(union: UnionRules) -> Iterator[_Contradiction]:
    place, targets = "$.union.expected_targets", union.expected_targets
    if not targets:
        yield place, "is empty", "list at least the required target"
    if nameless := [target for target in targets if not is_target(target)]:
        yield place, f"{nameless[0]!r} cannot name a file", "write a target triple"
    if len(set(targets)) != len(targets):
        yield place, "names a target twice", "list each target once"
    if union.required_target not in targets:
        yield (
            "$.union.required_target",
            f"{union.required_target} is not one of the expected targets",
            "add it to $.union.expected_targets or require another one",
        )
    for target, platform in union.platform_mapping.items():
        if target not in targets:
            near = keys.near_words(target, targets)
            advice = f"is {near[0]} meant?" if near else "remove it, or add it to $.union.expected_targets"
            yield "$.union.platform_mapping", f"{target!r} is not one of the expected targets", advice
        if not platform.strip():
            yield "$.union.platform_mapping", f"{target} has no platform", "name its platform, for example linux"


def _of_pointers(rules: PointerRules) -> Iterator[_Contradiction]:
    place = "$.versioning.pointers.stable_semver_pattern"
    try:
        stable = re.compile(rules.stable_semver_pattern)
    except (re.error, OverflowError, RecursionError) as error:
        yield place, f"is no regular expression: {error}", "correct it"
        return
    if not stable.search("1.2.3"):
        yield place, "does not match 1.2.3, so that no version is stable", "correct it, or leave it out"
    disallows = not any(map(stable.search, ("1.2.3-rc.1", "1.2.3+1", "1.2.3-rc.1+1")))
    if rules.disallow_prerelease_or_build not in (None, disallows):
        yield (
            "$.versioning.pointers.disallow_prerelease_or_build",
            f"is {str(not disallows).lower()}, and stable_semver_pattern says otherwise",
            "correct one of the two",
        )


def _of_retention(rules: Retention | None) -> Iterator[_Contradiction]:
    if rules is None:
        return
    for name, needed in (
        ("always_keep", ("min_supported", "latest_validated")),
        ("applies_to", ("snapshots", "reports")),
    ):
        if lacking := [word for word in needed if word not in getattr(rules, name)]:
            yield f"$.storage.retention.{name}", f"lacks {lacking[0]}, which is always so", "add it"
