"""Which versions have the guarded units of a wrapper: the timeline in, one small table out.

A unit counts as had where any target's binary accepts it, shown or hidden. Of an enumeration's values, those are
listed that some version's help does not offer. The table is what a ``Guard`` asks at run time; nothing else of the
timeline is needed by a program that has this library installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

from pipeline.history import Sightings, Unit
from pipeline.surface.units import CommandPath, Shape
from pipeline.wrapper.derive import Declaration, Group, commands_of


class Range(Shape, frozen=True, kw_only=True):
    """Consecutive versions that were read."""

    first: str
    last: str


class Availability(Shape, frozen=True, kw_only=True):
    """One unit, or with ``value`` one value of it. ``ranges`` are those of the versions read that have it."""

    path: CommandPath
    key: str | None = None
    name: str | None = None
    value: str | None = None
    ranges: tuple[Range, ...]


class Capabilities(Shape, frozen=True, kw_only=True):
    """``versions`` are all that were read, oldest first; a unit that is not listed is in each of them."""

    schema_version: Literal[1]
    tool: str
    versions: tuple[str, ...]
    units: tuple[Availability, ...]


def capabilities_of(declarations: Iterable[Declaration], sightings: Sightings, *, tool: str) -> Capabilities:
    """The table of what declarations guard."""
    units, every = [], tuple(sightings.looked_at)
    for unit, guarded, choices in _declared(declarations):
        versions = sightings.versions(unit)
        if guarded:
            units.append(_row(unit, versions, every))
        for choice in choices:
            value = unit._replace(value=choice)
            offering = sightings.versions_offering(value)
            if offering != versions:
                units.append(_row(value, offering, every))
    ordered = sorted(units, key=lambda row: (row.path, row.key or "", row.name or "", row.value or ""))
    return Capabilities(schema_version=1, tool=tool, versions=every, units=tuple(ordered))


def choices_of(declarations: Iterable[Declaration]) -> dict[Unit, frozenset[str]]:
    """The values of every declared enumeration: no others can be passed, and a ``Guard`` asks of each."""
    return {unit: frozenset(choices) for unit, _, choices in _declared(declarations) if choices}


def _declared(declarations: Iterable[Declaration]) -> Iterator[tuple[Unit, bool, tuple[str, ...]]]:
    """Every declared unit, whether it is guarded, and the values of its enumeration."""
    declarations = tuple(declarations)
    for one in declarations:
        if isinstance(one, Group):
            yield Unit(one.path), one.guarded, ()
    for command in commands_of(declarations):
        yield Unit(command.path), command.guarded, ()
        for slot in command.slots:
            if slot.key:
                yield Unit(command.path, slot.key), slot.word.guarded, tuple(slot.choices or ())


def _row(unit: Unit, versions: Sequence[str], every: Sequence[str]) -> Availability:
    is_flag = unit.name.startswith("-")
    return Availability(
        path=unit.path,
        key=unit.name if is_flag else None,
        name=unit.name if unit.name and not is_flag else None,
        value=unit.value or None,
        ranges=tuple(_ranges(versions, every)),
    )


def _ranges(versions: Sequence[str], every: Sequence[str]) -> Iterator[Range]:
    having = set(versions)
    for has, run in groupby(every, having.__contains__):
        if has:
            first, *rest = run
            yield Range(first=first, last=[first, *rest][-1])
