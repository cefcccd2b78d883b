"""What changed besides the command line, in few lines: what is gone or switched by name, what is new as counts.

A release brings hundreds of features and methods. What may break somebody is named, however much it is; of what is new
a few names are, and of more than that how many there are of each sort (of a method: by the first part of its name; of
a feature: by its stage). The JSON file names them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from pipeline.history.markdown import code_span
from pipeline.history.rule import COMPATIBLE
from pipeline.history.rules import BY_CODE
from pipeline.surface.diff import Diff, Finding

_NAMES = {"method": "methods of its server", "hook_event": "events of its hooks", "feature": "features"}
_FEW = 12


def compared_in_words(diff: Diff) -> Iterator[str]:
    """Which surfaces were compared, and of which nothing is known; nothing where neither version tells of any."""
    surfaces = diff.surfaces or ()
    told = [one for one in surfaces if not one.unread]
    if told:
        names = (_NAMES[one.unit] + (f" (on {', '.join(one.targets)})" if one.targets else "") for one in told)
        anywhere = ", wherever any target has it" if diff.told_by else ""
        yield f"Besides the command line{anywhere}: {', '.join(names)}."
    unread = [one for one in surfaces if one.unread]
    for versions, group in groupby(sorted(unread, key=lambda one: one.unread or ()), key=lambda one: one.unread or ()):
        kinds = ", ".join(_NAMES[one.unit] for one in group)
        tell = f"{' and '.join(versions)} {'tells' if len(versions) == 1 else 'tell'}"
        yield f"{tell} nothing of {kinds}: whether they differ is not known."


def lines(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """(code, the line below it) of the findings of one severity that stand on no command."""
    for code, group in groupby(sorted(findings, key=lambda one: one.code), key=lambda one: one.code):
        found = list(group)
        if BY_CODE[code].severity == COMPATIBLE and len(found) > _FEW:
            yield code, _counted(found)
        elif BY_CODE[code].field == "stage":
            changes = groupby(sorted(found, key=_stages), key=_stages)
            yield code, "; ".join(f"{stages}: {_listed(list(those))}" for stages, those in changes)
        else:
            yield code, _listed(found)


def _stages(one: Finding) -> str:
    return f"{code_span(str(one.before))} → {code_span(str(one.after))}"


def _listed(found: Sequence[Finding]) -> str:
    said = ((code_span(one.name or ""), around(one)) for one in found)
    return ", ".join(f"{name} ({words})" if words else name for name, words in said)


def around(one: Finding) -> str:
    """The facts of a feature that only one side has, and where the finding holds; nothing where neither is to say."""
    facts = one.after or one.before
    said = [facts["stage"], "on" if facts["default"] else "off"] if isinstance(facts, dict) else []
    return "; ".join((*said, *([f"on {', '.join(one.targets)}"] if one.targets else [])))


def _counted(found: Sequence[Finding]) -> str:
    # One that is not the same on every target is told more than once.
    names = {one.name: one for one in reversed(found)}.values()
    sorts = Counter(filter(None, map(_sort, names)))
    on = sum(one.after["default"] for one in names if one.unit == "feature")
    told = ", ".join(f"{code_span(sort)} {count}" for sort, count in sorted(sorts.items()))
    return f"{len(names)}" + (f", {on} of them on" if on else "") + (f": {told}" if told else "")


def _sort(one: Finding) -> str:
    if one.unit == "feature":
        return str(one.after["stage"])
    first, slash, _ = (one.name or "").partition("/")
    return first + slash
