"""Which versions a wrapper needs: of each unit that it claims, the versions from which on it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.canonical import Json
from pipeline.layout import version_key
from pipeline.questions.lives import unbroken
from pipeline.questions.view import View
from pipeline.surface.coverage import CoveredCommand, Level

_CLAIMED = (Level.EXPLICIT, Level.PASSTHROUGH)
GUARDED = "capability-guarded"


class Need(NamedTuple):
    """One claimed unit. ``since`` is the first of the versions looked at from which on it is there without a break.

    ``since`` None: the newest version does not have it. ``after`` is the version looked at before, which does not have
    it: the truth lies between the two. ``guarded``: the wrapper itself knows that not every version has it.
    """

    path: tuple[str, ...]
    unit: str
    since: str | None
    after: str | None
    guarded: bool


def needs(view: View, coverage: Sequence[CoveredCommand]) -> list[Need]:
    """Every claimed unit, by path, then by key or name."""
    found = []
    for path, unit, guarded in _claimed(coverage):
        there = unbroken(view, view.spans(path, unit))
        still = there if there and there.before is None else None
        found.append(Need(path, unit, still and still.first, still and still.after, guarded))
    return sorted(found, key=lambda need: (need.path, need.unit))


def least_version(found: Sequence[Need]) -> str | None:
    """The first version looked at that has all that is claimed without a guard; None if no version does."""
    unguarded = [need.since for need in found if not need.guarded]
    if None in unguarded or not unguarded:
        return None
    return max((since for since in unguarded if since), key=version_key)


def as_json(found: Sequence[Need]) -> Json:
    least = least_version(found)
    return {
        **({"least_version": least} if least else {}),
        "units": [
            {
                "path": need.path,
                **({("key" if need.unit.startswith("-") else "name"): need.unit} if need.unit else {}),
                **({"since": need.since} if need.since else {}),
                **({"after": need.after} if need.after else {}),
                **({"guarded": True} if need.guarded else {}),
            }
            for need in found
        ],
    }


def in_words(view: View, found: Sequence[Need], program: str) -> str:
    """What sets the least version, and what the newest version does not have."""
    least = least_version(found)
    lines = [f"least version: {least or 'none that was looked at'}"]
    oldest = view.versions[0] if view.versions else None
    for need in found:
        if need.guarded or need.since == oldest:
            continue
        words = " ".join((program, *need.path, *((need.unit,) if need.unit else ())))
        since = f"since {need.since}" + (f" (not in {need.after})" if need.after else "") if need.since else "gone"
        lines.append(f"  {words}: {since}")
    guarded = sum(need.guarded for need in found)
    if guarded:
        lines.append(f"  and {guarded} units that the wrapper guards")
    return "\n".join((*lines, ""))


def _claimed(coverage: Sequence[CoveredCommand]) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    for entry in coverage:
        path = tuple(entry.path)
        if entry.level in _CLAIMED:
            yield path, "", entry.note == GUARDED
        for flag in entry.flags or ():
            if flag.level in _CLAIMED:
                yield path, flag.key, flag.note == GUARDED
        for arg in entry.args or ():
            if arg.level in _CLAIMED:
                yield path, arg.name, arg.note == GUARDED
