"""What a CLI offers according to a witness that is not its help text, and what a reader of help says of it.

A truth is a list of commands with their flags. Where a witness cannot say something the field is None, and
nothing is counted for it. ``Reading`` is what any reader of help (this project's or a rival's) made of the
same pages; it is compared spelling by spelling, because not every witness knows which spellings are one flag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

Path = tuple[str, ...]


class TrueFlag(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``names`` with their dashes. ``choices`` is empty for a flag that takes any value."""

    names: tuple[str, ...]
    takes_value: bool | None = None
    choices: tuple[str, ...] | None = None
    hidden: bool | None = None


class TrueCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``aliases`` are further last words of ``path``; ``all_names`` is false where flags may have more names.

    ``flags`` is None where the witness cannot tell them.
    """

    path: Path
    aliases: tuple[str, ...] = ()
    hidden: bool | None = None
    flags: tuple[TrueFlag, ...] | None = ()
    all_names: bool = True


Truth = tuple[TrueCommand, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One spelling of a flag as a reader of help understood it; None where the reader does not say.

    ``names`` are all spellings that the reader takes for this flag.
    """

    names: tuple[str, ...]
    takes_value: bool | None = None
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a reader of help found. ``aliases`` gives a command's own path for each other path of it.

    ``hidden`` are the commands (with ``""``) and spellings that the reader itself calls hidden.
    """

    commands: Mapping[Path, Mapping[str, Read]]
    aliases: Mapping[Path, Path]
    hidden: frozenset[tuple[Path, str]] = frozenset()


def decode(text: str) -> Truth:
    """The truth that a script inside the subject printed as JSON."""
    return msgspec.json.decode(text, type=Truth)


def reading_of(snapshot: Mapping[str, Any]) -> Reading:
    """What a snapshot (JSON) read from help, and the units in state hidden apart.

    What only another oracle says is left out: it may be the very witness that the truth comes from.
    """
    commands: dict[Path, dict[str, Read]] = {}
    aliases: dict[Path, Path] = {}
    hidden: set[tuple[Path, str]] = set()
    for command in snapshot["commands"]:
        path = tuple(command["path"])
        if command.get("state") == "hidden":
            hidden.add((path, ""))
        if _from_help(command):
            commands[path] = {}
            aliases |= {(*path[:-1], alias): path for alias in command.get("aliases", ()) if path}
        for flag in command.get("flags", ()):
            names = spellings(flag)
            if flag.get("state") == "hidden":
                hidden |= {(path, name) for name in names}
            elif path in commands and _from_help(flag):
                choices = tuple(value["name"] for value in flag.get("possible_values", ()))
                commands[path] |= {name: Read(names, flag["takes_value"], choices) for name in names}
    return Reading(commands, aliases, frozenset(hidden))


def _from_help(unit: Mapping[str, Any]) -> bool:
    # A unit without evidence was read when help was the only oracle.
    return unit.get("state") != "hidden" and "help" in unit.get("evidence", ("help",))


def spellings(flag: Mapping[str, Any]) -> tuple[str, ...]:
    """All names of a snapshot's flag."""
    return tuple(name for name in (flag.get("long"), flag.get("short"), *flag.get("aliases", ())) if name)
