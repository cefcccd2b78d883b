"""Edits of committed files, each of one thing: a key, an element, a value, a line, a character, or a file as a whole.

An edit is a value. Its ``place`` is the path of keys and indexes in a JSON document, the number of a line (from 0)
in a text, or () for the file as a whole; ``at`` is the character, of the value, key or line, that is flipped, or
which of the possible names a file is copied to. JSON stays canonical: what is found is the edit, and not its layout.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline import canonical

Place = tuple[str | int, ...]

STRANGE_TARGET, STRANGE_VERSION = "riscv64-unknown-linux-gnu", "9.9.9"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
# Stands behind a key that is to stand twice, and is taken out of the text.
_AGAIN = "\ue000"


class Edit(NamedTuple):
    """``kind`` is a word of ``kinds_at`` or ``WHOLE``."""

    path: str
    kind: str
    place: Place = ()
    at: int = 0

    def __str__(self) -> str:
        return f"{self.path}: {self.kind} {'/'.join(map(str, self.place)) or 'all'} {self.at}"


WHOLE = ("remove", "empty", "truncate", "chop", "lengthen", "copy")
"""What is done to a file as a whole; ``truncate`` keeps one half, ``chop`` takes the last byte."""


class Document:
    """A committed file: its bytes, and the places in it that an edit can be about."""

    def __init__(self, path: str, raw: bytes) -> None:
        self.path, self.raw = path, raw
        self.is_json = path.endswith(".json")
        self._said: Any = orjson.loads(raw) if self.is_json else raw.decode("utf-8").splitlines()
        self.places: Sequence[Place] = list(_places(self._said) if self.is_json else _lines(self._said))

    def kinds_at(self, place: Place) -> Iterator[tuple[str, int]]:
        """The kinds of edit that there are at a place, and over how many characters each of them ranges."""
        if not self.is_json:
            yield from (("flip", len(self._said[place[0]])), ("delete", 1), ("repeat", 1))
            if place != self.places[-1]:
                yield "swap", 1
            return
        parent, value = _at(self._said, place)
        if isinstance(parent, dict):
            yield from (("delete", 1), ("repeat", 1), ("contradict", 1), ("rename", len(str(place[-1]))))
        elif isinstance(parent, list):
            yield from (("delete", 1), ("repeat", 1))
        if parent is not None and _next_to(parent, place[-1]) is not None:
            yield "swap", 1
        yield from ((kind, 1) for kind in ("null", "retype") if kind != "null" or value is not None)
        if isinstance(value, str):
            yield "flip", len(value)
            if value:
                yield "blank", 1
        elif isinstance(value, bool):
            yield "negate", 1
        elif isinstance(value, int):
            yield "increment", 1

    def edited(self, edit: Edit) -> bytes | None:
        """The file after the edit; None if there is none any more."""
        if edit.kind in WHOLE:
            half = len(self.raw) // 2
            return {
                "remove": None,
                "empty": b"",
                "truncate": self.raw[:half],
                "chop": self.raw[:-1],
                "lengthen": self.raw + b"\n",
                "copy": self.raw,
            }[edit.kind]
        if self.is_json:
            return _edited_json(self.raw, edit)
        lines = self.raw.decode("utf-8").splitlines(keepends=True)
        _edit_sequence(lines, int(edit.place[0]), edit)
        return "".join(lines).encode("utf-8")


def copies_of(path: str, expected: Sequence[str], taken: set[str]) -> list[str]:
    """Names under which a copy of a file could lie around: of another version or target, and beside the file.

    ``expected`` are the targets of its agent, ``taken`` the files that are there.
    """
    folder, _, name = path.rpartition("/")
    stem, _, suffix = name.rpartition(".")
    found = [f"{folder}/{stem}-copy.{suffix}", f"{folder}/{stem}.old.{suffix}", f"{path}.orig"]
    if version := _VERSION.search(path):
        found.append(path.replace(version[0], STRANGE_VERSION))
    if target := next((one for one in expected if one in name), None):
        found += [path.replace(target, other) for other in (*expected, STRANGE_TARGET)]
    return [one for one in dict.fromkeys(found) if one not in taken]


@contextlib.contextmanager
def applied(workspace: Path, edit: Edit, document: Document, copies: Sequence[str]) -> Iterator[Path]:
    """The workspace with the edit in it, and the file that it is in; afterwards all is as it was."""
    path = workspace / (copies[edit.at] if edit.kind == "copy" else edit.path)
    content = document.edited(edit)
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        yield path
    finally:
        if edit.kind == "copy":
            path.unlink()
            for folder in made:
                folder.rmdir()
        else:
            path.write_bytes(document.raw)


def _lines(lines: Sequence[str]) -> Iterator[Place]:
    yield from ((index,) for index in range(len(lines)))


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _places(child, (*place, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _places(child, (*place, index))


def _at(document: Any, place: Place) -> tuple[Any, Any]:
    """The value at a place, and what holds it (None for the document)."""
    parent, value = None, document
    for key in place:
        parent, value = value, value[key]
    return parent, value


def _next_to(parent: Any, key: str | int) -> str | int | None:
    """The key or index behind ``key``."""
    keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
    behind = keys.index(key) + 1
    return keys[behind] if behind < len(keys) else None


def _edited_json(raw: bytes, edit: Edit) -> bytes:
    document = orjson.loads(raw)
    parent, value = _at(document, edit.place)
    if parent is None:
        return canonical.encode(_other(value, edit))
    if isinstance(parent, list):
        _edit_sequence(parent, int(edit.place[-1]), edit)
    else:
        items = [[key, child] for key, child in parent.items()]
        _edit_items(items, list(parent).index(edit.place[-1]), edit)
        parent.clear()
        for key, child in items:
            parent[f"{key}{_AGAIN}" if key in parent else key] = child
    return canonical.encode(document).replace(_AGAIN.encode(), b"")


def _edit_sequence(sequence: list[Any], index: int, edit: Edit) -> None:
    if edit.kind == "delete":
        del sequence[index]
    elif edit.kind == "repeat":
        sequence.insert(index, sequence[index])
    elif edit.kind == "swap":
        sequence[index : index + 2] = reversed(sequence[index : index + 2])
    else:
        sequence[index] = _other(sequence[index], edit)


def _edit_items(items: list[list[Any]], index: int, edit: Edit) -> None:
    key, value = items[index]
    if edit.kind == "rename":
        items[index] = [_flipped(key, edit.at), value]
    elif edit.kind == "contradict":
        items.insert(index, [key, [value]])
    elif edit.kind in ("delete", "repeat", "swap"):
        _edit_sequence(items, index, edit)
    else:
        items[index] = [key, _other(value, edit)]


def _other(value: Any, edit: Edit) -> Any:
    """Another value in the place of this one."""
    match edit.kind:
        case "flip":
            return _flipped(value, edit.at)
        case "retype":
            return value[0] if isinstance(value, list) and value else [value]
        case "increment":
            return value + 1
        case "negate":
            return not value
    return {"null": None, "blank": ""}[edit.kind]


def _flipped(text: str, at: int) -> str:
    """The text with one character replaced: by the next of its kind, or by the one that differs in the last bit."""
    char = text[at]
    if char.isascii() and char.isalnum():
        first, last = ("0", "9") if char.isdigit() else ("a", "z") if char.islower() else ("A", "Z")
        other = first if char == last else chr(ord(char) + 1)
    else:
        other = chr(ord(char) ^ 1)
    return f"{text[:at]}{other}{text[at + 1 :]}"
