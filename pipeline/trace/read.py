"""A recorded argv -> the command that it calls, and the flags and args that it gives.

With a surface (a union) it is known which words are commands, which flags take a value, and which names mean the same
flag. Without one a bare word is a command only where the caller names it, a flag is called as it is spelled, and the
word after an unknown flag is its value unless it begins with a hyphen. A value is never kept.

A flag belongs to the nearest command, from the one where it stands up to the root, that has it: a union lists what all
commands share at the root alone. What none of them has belongs to the command where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path as File

import msgspec

from pipeline import canonical
from pipeline.surface.units import Path

_NUMBER = re.compile(r"-\d+(\.\d+)?")


class KnownFlag(msgspec.Struct, frozen=True):
    """A flag as a union tells it, as far as argv is read by it."""

    key: str
    takes_value: bool
    long: str | None = None
    short: str | None = None
    aliases: tuple[str, ...] = ()
    optional_value: bool | None = None
    state: str | None = None


class KnownArg(msgspec.Struct, frozen=True):
    name: str
    variadic: bool = False
    position: int | None = None


class KnownCommand(msgspec.Struct, frozen=True):
    path: Path
    aliases: tuple[str, ...] = ()
    flags: tuple[KnownFlag, ...] = ()
    args: tuple[KnownArg, ...] = ()
    inherited_from_root: tuple[str, ...] = ()
    state: str | None = None

    def arg_at(self, position: int) -> str | None:
        """The name of the arg that takes a positional, counted from 0; the last one may take more than one."""
        ordered = sorted(self.args, key=lambda arg: arg.position or 0)
        if position < len(ordered):
            return ordered[position].name
        return ordered[-1].name if ordered and ordered[-1].variadic else None


class _Union(msgspec.Struct, frozen=True):
    commands: tuple[KnownCommand, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A flag in an argv: the command that it belongs to, its identity there, and how it was spelled."""

    path: Path
    key: str
    spelled: str


@dataclass(slots=True)
class Reading:
    """One argv, read. ``args`` are names; positionals that the surface has no name for are counted."""

    path: Path = ()
    flags: list[Given] = field(default_factory=list)
    args: list[tuple[Path, str]] = field(default_factory=list)
    unnamed: int = 0


class Surface:
    """The commands and flags that argv is read by; a command's flags by each of their names."""

    def __init__(self, commands: Iterable[KnownCommand]) -> None:
        self.commands = {command.path: command for command in commands}
        self._names = {
            path: {name: flag for flag in command.flags for name in (flag.key, flag.long, flag.short, *flag.aliases)}
            for path, command in self.commands.items()
        }
        self._children: dict[Path, dict[str, Path]] = {}
        for path, command in self.commands.items():
            for name in (*path[-1:], *command.aliases) if path else ():
                self._children.setdefault(path[:-1], {})[name] = path

    @classmethod
    def of(cls, union: File) -> Surface:
        """The surface of a union's file; raises ArtifactMissing or ArtifactInvalid."""
        return cls(canonical.decode(canonical.read_bytes(union), _Union, union).commands)

    @classmethod
    def named(cls, paths: Iterable[Path]) -> Surface:
        """Commands of which nothing is known but that there are such."""
        every = {path[:depth] for path in paths for depth in range(len(path) + 1)} | {()}
        return cls(KnownCommand(path) for path in sorted(every))

    @property
    def words(self) -> set[str]:
        """Every word that names a command."""
        return {name for children in self._children.values() for name in children}

    def child(self, path: Path, word: str) -> Path | None:
        return self._children.get(path, {}).get(word)

    def flag(self, path: Path, name: str) -> tuple[Path, KnownFlag] | None:
        """The flag of that name which holds at a command, with the command that it belongs to."""
        for depth in range(len(path), -1, -1):
            found = self._names.get(path[:depth], {}).get(name)
            if found is not None:
                return path[:depth], found
        return None


def read(argv: Sequence[str], surface: Surface) -> Reading:
    """Read the words after the program's name. Total: every argv has a reading."""
    reading, words = Reading(), list(reversed(argv))
    positionals = 0
    while words:
        word = words.pop()
        if word == "--":
            for _ in range(len(words)):
                _positional(reading, surface, positionals)
                positionals += 1
            return reading
        if word.startswith("-") and word != "-" and not _NUMBER.fullmatch(word):
            for given, value_follows in _flags(word, reading.path, surface):
                reading.flags.append(given)
                if value_follows is not None and words and (value_follows or not words[-1].startswith("-")):
                    words.pop()
            continue
        child = surface.child(reading.path, word) if not positionals else None
        if child is not None:
            reading.path = child
        else:
            _positional(reading, surface, positionals)
            positionals += 1
    return reading


def _positional(reading: Reading, surface: Surface, position: int) -> None:
    command = surface.commands.get(reading.path)
    name = command.arg_at(position) if command else None
    if name is None:
        reading.unnamed += 1
    elif (reading.path, name) not in reading.args:
        reading.args.append((reading.path, name))


def _flags(word: str, path: Path, surface: Surface) -> Iterator[tuple[Given, bool | None]]:
    """The flags of a word, each with what is known of the next word.

    True: it is the value. False: it is, unless it begins with a hyphen. None: it is not.
    """
    name, glued, _ = word.partition("=")
    known = surface.flag(path, name)
    if known is None and not word.startswith("--") and len(word) > len("-x"):
        together = list(_cluster(word, path, surface))
        if together:
            yield from together
            return
    if known is None:
        yield Given(path, name, name), None if glued else False
        return
    where, flag = known
    value = None if glued or not flag.takes_value else not flag.optional_value
    yield Given(where, flag.key, name), value


def _cluster(word: str, path: Path, surface: Surface) -> Iterator[tuple[Given, bool | None]]:
    """Short flags in one word (``-abc``), the last with its value (``-ofile``); nothing if the first is unknown."""
    for at, letter in enumerate(word[1:], 1):
        known = surface.flag(path, f"-{letter}")
        if known is None:
            if at > 1:
                yield Given(path, f"-{letter}", f"-{letter}"), None
                continue
            return
        where, flag = known
        last = at == len(word) - 1
        yield Given(where, flag.key, f"-{letter}"), (not flag.optional_value) if flag.takes_value and last else None
        if flag.takes_value:
            return
