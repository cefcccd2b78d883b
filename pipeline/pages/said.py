"""What help says of each unit, from the newest committed snapshot that has it.

The first expected target that has the unit speaks. Raw help is not kept in the tree: a snapshot holds the line's parts
(names, value, text, defaults) and the bytes of the page that they were read from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from pipeline import canonical
from pipeline.history.sightings import Track, Unit
from pipeline.layout import Root


class _Value(msgspec.Struct, frozen=True):
    name: str
    about: str | None = None


class _Facts(msgspec.Struct, frozen=True):
    about: str | None = None
    default: str | None = None
    env: str | None = None
    section: str | None = None
    span: str | None = None
    evidence: tuple[str, ...] = ()
    possible_values: tuple[_Value, ...] = ()


class _Flag(_Facts, frozen=True):
    long: str | None = None
    short: str | None = None
    aliases: tuple[str, ...] = ()
    takes_value: bool = False
    value_name: str | None = None
    optional_value: bool | None = None

    def line(self) -> str:
        names = ", ".join(name for name in (self.short, self.long, *self.aliases) if name)
        value = f"<{self.value_name or 'VALUE'}>"
        if self.optional_value:
            return f"{names}[={value}]"
        return f"{names} {value}" if self.takes_value else names


class _Arg(_Facts, frozen=True, kw_only=True):
    name: str
    required: bool = False
    variadic: bool = False

    def line(self) -> str:
        name = f"<{self.name}>" if self.required else f"[{self.name}]"
        return f"{name}..." if self.variadic else name


class _Command(_Facts, frozen=True, kw_only=True):
    path: tuple[str, ...]
    usage: str | None = None
    flags: tuple[_Flag, ...] = ()
    args: tuple[_Arg, ...] = ()


class _Snapshot(msgspec.Struct, frozen=True):
    commands: tuple[_Command, ...]


class Said(NamedTuple):
    """``line`` is the unit as help spells it, for a command its usage; ``span`` are bytes of the help page."""

    version: str
    target: str
    line: str
    about: str
    default: str | None
    env: str | None
    section: str | None
    span: str | None
    evidence: tuple[str, ...]
    values: tuple[tuple[str, str], ...]


def said(root: Root, targets: Sequence[str], tracks: Mapping[Unit, Track]) -> dict[Unit, Said]:
    """Unit → what help says; nothing of a unit that no committed snapshot has."""
    found: dict[Unit, Said] = {}
    for version in reversed(root.versions()):
        there = set(root.targets(version))
        for target in targets:
            wanted = any(_on(track, version, target) for unit, track in tracks.items() if unit not in found)
            if wanted and target in there:
                path = root.snapshot(version, target)
                snapshot = canonical.decode(canonical.read_bytes(path), _Snapshot, path)
                for unit, facts, line in _lines(snapshot):
                    if unit not in found:
                        found[unit] = _said(version, target, facts, line)
    return found


def _on(track: Track, version: str, target: str) -> bool:
    return any(target in on for on in track.get(version, {}).values())


def _lines(snapshot: _Snapshot) -> Iterator[tuple[Unit, _Facts, str]]:
    for command in snapshot.commands:
        yield Unit(command.path), command, command.usage or ""
        for flag in command.flags:
            yield Unit(command.path, flag.long or flag.short or ""), flag, flag.line()
        for arg in command.args:
            yield Unit(command.path, arg.name), arg, arg.line()


def _said(version: str, target: str, facts: _Facts, line: str) -> Said:
    return Said(
        version=version,
        target=target,
        line=line,
        about=facts.about or "",
        default=facts.default,
        env=facts.env,
        section=facts.section,
        span=facts.span,
        evidence=facts.evidence,
        values=tuple((value.name, value.about) for value in facts.possible_values if value.about),
    )
