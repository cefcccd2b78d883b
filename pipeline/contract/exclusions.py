"""``parity_exclusions`` of a RULES.json: units that are left out of the work queue, and what is wrong with the list.

A section as parsed JSON in; the sound exclusions and the problems out, in the order of the entries, those of the
list as a whole last. An entry is sound when it names one unit and says why; of two for one unit the last counts.
The list is sorted by unit text (``arg``, ``command``, ``flag``), path, then key or name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import msgspec

from pipeline.surface.units import CommandPath

_SCHEMA = 1
_UNITS = "/parity_exclusions/units"

# The key that, with the path, names a unit.
_NAMED = {"command": "", "flag": "key", "arg": "name"}

Identity = tuple[str, tuple[str, ...], str]
"""A unit: ``command``, ``flag`` or ``arg``; its command; its key or name, "" for a command."""


class Exclusion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit left out of the work queue. ``category`` is for readers and messages."""

    unit: Literal["command", "flag", "arg"]
    path: CommandPath
    key: str | None = None
    name: str | None = None
    category: str | None = None
    note: str

    @property
    def identity(self) -> Identity:
        return self.unit, self.path, self.key or self.name or ""


class Exclusions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    schema_version: int = _SCHEMA
    units: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """``json_pointer`` is RFC 6901, into the RULES.json."""

    code: str
    json_pointer: str
    message: str


def judge_exclusions(section: Any) -> tuple[Exclusions, tuple[Problem, ...]]:
    """The sound exclusions of a section, and its problems; a section of another schema excludes nothing."""
    said = section if isinstance(section, dict) else {}
    version, units = said.get("schema_version", _SCHEMA), said.get("units")
    if type(version) is not int or version != _SCHEMA:
        problem = f"is not {_SCHEMA}, the one schema that this version reads"
        return Exclusions(), (
            Problem("PARITY_EXCLUSIONS_SCHEMA_VERSION", "/parity_exclusions/schema_version", problem),
        )
    if not isinstance(units, list):
        return Exclusions(), (Problem("PARITY_EXCLUSIONS_MISSING_UNITS", _UNITS, "is not there, or no list"),)
    problems: list[Problem] = []
    named: list[tuple[int, Identity]] = []
    sound: dict[Identity, Exclusion] = {}
    for index, entry in enumerate(units):
        place = f"{_UNITS}/{index}"
        invalid = list(_invalid(entry, place))
        problems += invalid
        explained = not isinstance(entry, dict) or _is_text(entry.get("note"))
        if not explained:
            problem = "an exclusion says why in a note"
            problems.append(Problem("PARITY_EXCLUSIONS_NOTE_MISSING", f"{place}/note", problem))
        if not invalid:
            identity = (entry["unit"], tuple(entry["path"]), entry.get(_NAMED[entry["unit"]], ""))
            named.append((index, identity))
            if explained:
                sound[identity] = msgspec.convert(entry, Exclusion)
    problems += _of_the_list(named)
    return Exclusions(units=tuple(sound.values())), tuple(problems)


def _invalid(entry: Any, place: str) -> Iterator[Problem]:
    """Why an entry does not name exactly one unit."""
    if not isinstance(entry, dict):
        yield _problem(place, "is no object")
        return
    if unknown := [key for key in entry if key not in Exclusion.__struct_fields__]:
        yield _problem(place, f"has the unknown key {unknown[0]!r}; known are {', '.join(Exclusion.__struct_fields__)}")
    if not (isinstance(path := entry.get("path"), list) and all(isinstance(token, str) for token in path)):
        yield _problem(place, "its path is no list of command tokens")
    if not isinstance(entry.get("category", ""), str | None):
        yield _problem(place, "its category is no text")
    unit = entry.get("unit")
    if isinstance(unit, str) and unit in _NAMED:
        yield from _misnamed(entry, unit, place)
    else:
        yield _problem(f"{place}/unit", f"is not one of {', '.join(_NAMED)}")


def _misnamed(entry: dict[str, Any], unit: str, place: str) -> Iterator[Problem]:
    for key in ("key", "name"):
        if key == _NAMED[unit]:
            if not _is_text(entry.get(key)):
                yield _problem(f"{place}/{key}", f"an excluded {unit} needs its {key}")
        elif entry.get(key) is not None:
            yield _problem(f"{place}/{key}", f"an excluded {unit} has no {key}")


def _problem(pointer: str, message: str) -> Problem:
    return Problem("PARITY_EXCLUSIONS_INVALID_ENTRY", pointer, message)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _of_the_list(named: list[tuple[int, Identity]]) -> Iterator[Problem]:
    first: dict[Identity, int] = {}
    for index, identity in named:
        earlier = first.setdefault(identity, index)
        if earlier != index:
            yield Problem(
                "PARITY_EXCLUSIONS_DUPLICATE", _UNITS, f"entry {index} excludes the same unit as entry {earlier}"
            )
    for (before, one), (index, other) in pairwise(named):
        if one > other:
            yield Problem(
                "PARITY_EXCLUSIONS_NOT_SORTED",
                _UNITS,
                f"entry {index} belongs before entry {before}: sort by unit (arg, command, flag), path, key or name",
            )
            return
