"""A field of a declared command: the word it puts on the command line and the shape of its value.

Annotation and word -> ``Slot``; a slot writes its own value as words. A declaration that makes no sense is a
TypeError (a mistake in code, found when the class is made); a value that does not fit is a UsageError that
names the field.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pipeline.errors import UsageError
from pipeline.surface.coverage import Level

Kind = Literal["switch", "one", "many", "pairs", "command"]

# How a CLI is told in a positional's place that its value comes by standard input.
_FROM_STDIN = "-"
_DEFAULTS: dict[Kind, object] = {"switch": False, "one": None, "many": (), "pairs": None, "command": None}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Word:
    """What a declaration says about a field.

    ``names`` are a flag's names, the one that is written first, or an arg's one name; a subcommand and what is only
    piped have none. ``guarded``: not every version that the wrapper supports has it. ``separator`` is a character at
    which the CLI splits a value, so that no value may hold it. ``stdin``: the value goes to standard input, and the
    command line says no more than that it does.
    """

    names: tuple[str, ...]
    required: bool = False
    level: Level = Level.EXPLICIT
    note: str | None = None
    guarded: bool = False
    separator: str | None = None
    stdin: bool = False


# Compared by identity: a slot belongs to one class, and is a key whenever a line is made.
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Slot:
    """A field with its word; ``types`` are those that one value of it may have."""

    field: str
    word: Word
    kind: Kind
    types: tuple[type, ...]

    @property
    def key(self) -> str:
        """The flag's identity, or the arg's name; what is no unit of the command line has none."""
        return self.word.names[0] if self.word.names else ""

    @property
    def is_flag(self) -> bool:
        return self.key.startswith("-")

    @property
    def is_arg(self) -> bool:
        return bool(self.key) and not self.is_flag

    @property
    def choices(self) -> type[StrEnum] | None:
        """The enumeration that its values come from, if there is one."""
        return self.types[0] if self.kind in ("one", "many") and issubclass(self.types[0], StrEnum) else None

    @property
    def default(self) -> Any:
        return dataclasses.MISSING if self.word.required else _DEFAULTS[self.kind]

    @property
    def glued(self) -> str:
        """What stands before a value in one word with it: ``--flag=value``, but ``-fvalue``."""
        return f"{self.key}=" if self.key.startswith("--") else self.key

    def absent(self, value: object) -> bool:
        """Whether this value means that the field is not given."""
        match self.kind:
            case "switch":
                return value is False
            case "many" | "pairs" if isinstance(value, tuple | list | Mapping):
                return not value and not self.word.required
        return value is None and not self.word.required

    def words(self, value: Any, owner: str) -> Iterator[str]:
        """The words of a value that is given; ``owner`` names the command in errors."""
        if self.kind == "switch":
            if value is not True:
                raise self.refused(owner, f"is {type(value).__name__}, not bool", "give True or False")
            yield self.key
            return
        if self.word.stdin:
            if self.key:
                yield self.key if self.is_flag else _FROM_STDIN
            return
        for text in self._texts(value, owner):
            if self.is_arg:
                yield text
            # A repeated flag is always glued: where a flag takes any number of values (clap's num_args(1..),
            # commander's variadic options) the words that follow it would be read as more of them.
            elif self.kind != "one" or text.startswith("-"):
                yield self.glued + text
            else:
                yield from (self.key, text)

    def piped(self, value: Any, owner: str) -> bytes:
        """What is written to standard input for a value that is given, exactly as it is, in UTF-8."""
        self._check_type(value, owner)
        try:
            content = str(value).encode("utf-8")
        except UnicodeEncodeError:
            raise self.refused(owner, "cannot be written as UTF-8", "give a text without lone surrogates") from None
        if not content.strip():
            raise self.refused(owner, "is blank, which a CLI takes for nothing at all", "give a text")
        return content

    def refused(self, owner: str, problem: str, remedy: str) -> UsageError:
        return UsageError(f"{self.field} {problem}", where=f"{owner}.{self.field}", remedy=remedy)

    def _texts(self, value: Any, owner: str) -> Iterator[str]:
        if self.kind == "pairs":
            if not isinstance(value, Mapping):
                raise self.refused(owner, f"is {type(value).__name__}, not a mapping", "give a dict of str to str")
            for key, item in value.items():
                if not isinstance(key, str) or not key or "=" in key:
                    raise self.refused(owner, f"has the key {key!r}", "give a non-empty str without '='")
                self._check_type(item, owner)
                yield self._checked(f"{key}={item}", owner)
        elif self.kind == "many":
            # A str is a sequence too; taken for one it would be spread letter by letter.
            if not isinstance(value, tuple | list):
                raise self.refused(owner, f"is {type(value).__name__}, not a tuple", "give a tuple, even of one")
            if not value:
                raise self.refused(owner, "is empty", "give at least one")
            for item in value:
                self._check_type(item, owner)
                yield self._checked(str(item), owner)
        else:
            self._check_type(value, owner)
            yield self._checked(str(value), owner)

    def _check_type(self, value: Any, owner: str) -> None:
        if not isinstance(value, self.types) or isinstance(value, bool):
            names = " or ".join(type_.__name__ for type_ in self.types)
            raise self.refused(owner, f"is {type(value).__name__} {value!r}", f"give {names}")

    def _checked(self, text: str, owner: str) -> str:
        # The words of a command that is handed on may be empty.
        empty = not text and not (self.is_arg and self.kind == "many")
        if empty or "\0" in text:
            raise self.refused(owner, "is empty or holds a NUL", "leave it out, or give a text that argv can carry")
        if self.word.separator and self.word.separator in text:
            problem = f"would be split at {self.word.separator!r}: {text!r}"
            raise self.refused(owner, problem, "give a value without it, for a path by way of a copy or a link")
        return text


def slot_of(field: str, word: Word, annotation: Any, command: type) -> Slot:
    """The slot of a field; ``command`` is the base class of what a subcommand may be."""
    kind, allowed = _shape(annotation, command)
    slot = Slot(field=field, word=word, kind=kind, types=allowed)
    if (kind == "command") != (not word.names and not word.stdin):
        raise TypeError(f"{field}: a subcommand() has a type derived from {command.__name__}, and nothing else has")
    if word.stdin and (kind != "one" or allowed != (str,)):
        raise TypeError(f"{field}: what goes to standard input is a str")
    if slot.is_arg and kind not in ("one", "many"):
        raise TypeError(f"{field}: a positional cannot be a {kind}")
    if slot.is_flag and not all(name.startswith("-") for name in word.names):
        raise TypeError(f"{field}: every name of a flag begins with a dash")
    if word.level is not Level.EXPLICIT and not (word.note or "").strip():
        raise TypeError(f"{field}: level {word.level} needs a note")
    return slot


def _shape(annotation: Any, command: type) -> tuple[Kind, tuple[type, ...]]:
    """The kind of a field and the types that one of its values may have, read from the annotation."""
    if get_origin(annotation) in (types.UnionType, Union):
        rest = tuple(p for p in get_args(annotation) if p is not types.NoneType)
        if all(isinstance(p, type) and issubclass(p, command) for p in rest):
            return "command", rest
        if len(rest) == 1:
            return _shape(rest[0], command)
    elif annotation is bool:
        return "switch", (bool,)
    elif annotation == Mapping[str, str]:
        return "pairs", (str,)
    elif get_origin(annotation) is tuple and get_args(annotation)[1:] == (Ellipsis,):
        return "many", (_value_type(get_args(annotation)[0]),)
    return "one", (_value_type(annotation),)


def _value_type(annotation: Any) -> type:
    if isinstance(annotation, type) and (annotation in (str, int, Path, UUID) or issubclass(annotation, StrEnum)):
        return annotation
    raise TypeError(f"{annotation} is no shape that a command line has")
