"""The work queue of a wrapper: what a version has and the wrapper does not, oldest first, with what to write.

The units are those that the version's report lists as missing. Each has an id that stays the same from version to
version, the version from which on it is there (a bound, as everywhere), how many of the versions looked at have had it
since, and a declaration that says it in the words of ``pipeline.wrapper.declare``.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.history.sightings import looked_at_of, track_of
from pipeline.questions.lives import unbroken
from pipeline.questions.view import AtVersion, Found, View

Severity = Literal["high", "medium", "low"]
_RANK: dict[Severity, int] = {"high": 0, "medium": 1, "low": 2}


class _Delta(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    key: str = ""
    name: str = ""


class _Deltas(msgspec.Struct, frozen=True):
    missing_commands: tuple[_Delta, ...]
    missing_flags: tuple[_Delta, ...]
    missing_args: tuple[_Delta, ...]


class _Report(msgspec.Struct, frozen=True):
    deltas: _Deltas


class Item(NamedTuple):
    """One missing unit. ``since`` and ``after`` bound when it came; ``age`` counts versions looked at, this one too.

    ``severity``: high for an arg without which a covered command cannot be called, medium for another unit of a covered
    command and for a command, low for what stands on a command that is missing itself. ``new``: the version that is
    compared with does not have it.
    """

    id: str
    path: tuple[str, ...]
    unit: str
    severity: Severity
    since: str
    after: str | None
    age: int
    new: bool
    suggestion: str


class Queue(NamedTuple):
    """``against`` is the version that is compared with; ``closed`` are ids that were missing there and are not here."""

    version: str
    against: str | None
    items: tuple[Item, ...]
    closed: tuple[str, ...]


def missing_in(report: Path) -> list[tuple[tuple[str, ...], str]]:
    """The missing units of a report: command path, and a flag's key or an arg's name ("" is the command itself)."""
    deltas = canonical.convert(canonical.read_json(report), _Report, report).deltas
    every = (*deltas.missing_commands, *deltas.missing_flags, *deltas.missing_args)
    return [(one.path, one.key or one.name) for one in every]


def queue(
    view: View,
    version: str,
    missing: Sequence[tuple[tuple[str, ...], str]],
    *,
    agent: str,
    against: str | None = None,
    before: Sequence[tuple[tuple[str, ...], str]] = (),
) -> Queue:
    """The queue of a version, most severe first, then oldest.

    ``before`` is what is missing in the version ``against``; without one, the one looked at before says what is new.
    """
    at = view.at(version)
    against = against or (view.versions[at.place - 1] if at.place else None)
    uncovered = {path for path, unit in missing if not unit}
    then = view.at(against) if against else None
    items = [_item(view, at, then, path, unit, uncovered, agent) for path, unit in missing]
    ids = {item.id for item in items}
    closed = sorted({_id(agent, path, unit) for path, unit in before} - ids)
    ordered = sorted(items, key=lambda item: (_RANK[item.severity], -item.age, item.path, item.unit))
    return Queue(version, against, tuple(ordered), tuple(closed))


def as_json(found: Queue) -> Json:
    return {
        "version": found.version,
        **({"against": found.against} if found.against else {}),
        "items": [
            {
                "id": item.id,
                "path": item.path,
                **({("key" if item.unit.startswith("-") else "name"): item.unit} if item.unit else {}),
                "severity": item.severity,
                "since": item.since,
                **({"after": item.after} if item.after else {}),
                "age": item.age,
                "new": item.new,
                "suggestion": item.suggestion,
            }
            for item in found.items
        ],
        "closed": found.closed,
    }


def in_words(found: Queue, program: str) -> str:
    """The queue for people: what to do, and since when."""
    new = sum(item.new for item in found.items)
    since = f", {new} new since {found.against}, {len(found.closed)} gone" if found.against else ""
    lines = [f"{len(found.items)} units to do for {found.version}{since}"]
    for item in found.items:
        words = " ".join((program, *item.path, *((item.unit,) if item.unit else ())))
        age = "new" if item.new else f"in {item.age} versions"
        lines += [f"{item.severity:<7} {words}  ({age}, since {item.since})", f"        {item.suggestion}"]
    lines += [f"gone    {one}" for one in found.closed]
    return "\n".join((*lines, ""))


def _item(
    view: View,
    at: AtVersion,
    then: AtVersion | None,
    path: tuple[str, ...],
    unit: str,
    uncovered: set[tuple[str, ...]],
    agent: str,
) -> Item:
    found = _found(at, path, unit)
    version = view.versions[at.place]
    spans = view.spans(path, unit)
    having = track_of(spans, looked_at_of(view.timeline))
    there = unbroken(view, spans, version)
    since = there.first if there else version
    return Item(
        id=_id(agent, path, unit),
        path=path,
        unit=unit,
        severity=_severity(path, unit, found, uncovered),
        since=since,
        after=there.after if there else None,
        age=sum(view.order[since] <= view.order[one] <= at.place for one in having),
        new=then is not None and then.place < view.order[since],
        suggestion=_suggestion(at, path, unit, found, guarded=since != view.versions[0]),
    )


def _severity(path: tuple[str, ...], unit: str, found: Found | None, uncovered: set[tuple[str, ...]]) -> Severity:
    if unit and path in uncovered:
        return "low"
    return "high" if found and "required" in found.facts else "medium"


def _found(at: AtVersion, path: tuple[str, ...], unit: str) -> Found | None:
    if unit.startswith("-"):
        return at.flag(path, unit)
    return next((one for one in at.args(path) if one.name == unit), None) if unit else None


def _id(agent: str, path: tuple[str, ...], unit: str) -> str:
    return ":".join((agent, " ".join(path) or "(root)", *((unit,) if unit else ())))


def _suggestion(at: AtVersion, path: tuple[str, ...], unit: str, found: Found | None, *, guarded: bool) -> str:
    """A declaration; an enumeration stands behind it as a comment."""
    guard = ", guarded=True" if guarded else ""
    if not unit:
        return f"class {_camel(' '.join(path)) or 'Root'}(Command, path={path!r}{guard}): ..."
    facts = found.facts if found else frozenset()
    listed = at.values(found) if found else None
    enumeration = f"  # class {_camel(unit)}(StrEnum): {', '.join(listed)}" if listed else ""
    one = _camel(unit) if listed else "str"
    many = bool({"repeatable", "variadic"} & facts)
    type_ = f"tuple[{one}, ...]" if many else one
    optional = type_ if many else f"{type_} | None"
    name = _identifier(unit)
    if unit.startswith("-"):
        if "takes_value" not in facts:
            optional = "bool"
        names = [unit, *sorted(fact.partition("=")[2] for fact in facts if fact.startswith(("short=", "alias=")))]
        words = ", ".join(f'"{each}"' for each in names)
        return f"{name}: {optional} = flag({words}{guard}){enumeration}"
    if "required" in facts:
        return f'{name}: {type_} = required("{unit}"{guard}){enumeration}'
    return f'{name}: {optional} = arg("{unit}"{guard}){enumeration}'


def _camel(text: str) -> str:
    return "".join(word.capitalize() for word in _words(text))


def _identifier(unit: str) -> str:
    name = "_".join(_words(unit)) or "value"
    return f"{name}_" if keyword.iskeyword(name) else name if name[0].isalpha() else f"_{name}"


def _words(unit: str) -> Iterator[str]:
    yield from (word.lower() for word in re.split(r"[^A-Za-z0-9]+", unit) if word)
