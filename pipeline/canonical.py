"""Canonical bytes: the only writer of files and the only reader of JSON.

Canonical JSON is UTF-8, two-space indent, non-ASCII raw, one trailing newline, keys in the order of the
type that describes the document, optional keys omitted when absent. ``encode(decode(b)) == b`` for every
committed artifact, which is itself a check. Reading is strict: duplicate keys and NaN are refused,
because both orjson and msgspec let a duplicate key pass in silence. (No artifact type has a float.)
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import orjson

from pipeline.errors import ArtifactInvalid, ArtifactMissing, WriteFailed

T = TypeVar("T")
Json = dict[str, Any]


def _never(_key: str) -> bool:
    return False


def encode(document: Any) -> bytes:
    """The canonical bytes of a JSON value or of an artifact type (``msgspec.Struct``)."""
    if isinstance(document, msgspec.Struct):
        document = msgspec.to_builtins(document)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def sorted_keys(value: Any) -> Any:
    """``value`` with the keys of every object in code point order (for free-form parts)."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def loads(raw: bytes, where: object, may_repeat: Callable[[str], bool] = _never) -> Any:
    """Parse JSON strictly; ``where`` names the file in errors.

    Raises ArtifactInvalid for bytes that are no UTF-8 JSON, for NaN, and for duplicate keys
    but those that ``may_repeat`` allows (then the last one counts).
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # Told apart first because orjson says only "unexpected character" for them.
        _refuse_ambiguous(raw, where, may_repeat)
        raise ArtifactInvalid(
            f"not valid JSON: {error}", where=where, remedy="regenerate the file or restore it from git"
        ) from None
    # Bytes that are already canonical cannot hold a duplicate key.
    if encode(value) != raw:
        _refuse_ambiguous(raw, where, may_repeat)
    return value


def convert(value: Any, type_: type[T], where: object, prefix: str = "$") -> T:
    """Check a parsed JSON value against an artifact type and return it typed.

    Raises ArtifactInvalid with the JSON path (``$.commands[3].flags``) of what does not fit.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        place = path.strip("`").replace("$", prefix, 1) if path else prefix
        raise ArtifactInvalid(
            f"{place}: {problem[:1].lower()}{problem[1:]}",
            where=where,
            remedy="regenerate the file, or correct that place",
        ) from None


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises ArtifactMissing with the path when there is no such file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactMissing("no such file", where=path, remedy="run the stage that writes it") from None
    except OSError as error:
        raise ArtifactInvalid(f"cannot be read: {error.strerror}", where=path) from None


def read_json(path: Path) -> Any:
    """Read and parse one JSON file strictly (see ``loads``)."""
    return loads(read_bytes(path), path)


def read(path: Path, type_: type[T]) -> T:
    """Read one artifact: strict JSON, then the type's own strictness (unknown keys, wrong types)."""
    return convert(read_json(path), type_, path)


def write(path: Path, content: bytes) -> bool:
    """Write ``content`` atomically (temp file beside it, fsync, rename); False when nothing changed.

    Bytes that are already there are left alone, so an unchanged artifact keeps its modification time.
    Raises WriteFailed when it cannot be done (disk full, no permission); the old file then still stands.
    """
    try:
        if path.read_bytes() == content:
            return False
    except OSError:
        pass
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp gives 0600 and any umask gives something else again: the committed mode is one.
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise WriteFailed(
            f"cannot write: {error.strerror or error}; the file that was there is unchanged",
            where=path,
            remedy="free some space or fix the permissions, then run the stage again",
        ) from None
    return True


def write_all(files: Sequence[tuple[Path, bytes]]) -> list[Path]:
    """Write several files of one stage, all computed beforehand; returns the paths that changed."""
    return [path for path, content in files if write(path, content)]


def fragments(entries: Sequence[Any], depth: int) -> orjson.Fragment:
    """Canonical bytes of consecutive array elements, made once to stand in several documents.

    ``depth`` is how many levels of indent stand before an element. Splicing is what lets the reports of
    one version share the text of the entries that they have in common.
    """
    text = orjson.dumps(entries, option=orjson.OPT_INDENT_2)[len("[\n  ") : -len("\n]")]
    if depth > 1:
        text = text.replace(b"\n", b"\n" + b"  " * (depth - 1))
    return orjson.Fragment(text)


@contextlib.contextmanager
def no_collector_pauses() -> Iterator[None]:
    """Suspend the cyclic garbage collector while big documents are built (they hold no cycles).

    Measured on a union of 20,000 commands: collecting costs as much as all the work.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _refuse_ambiguous(raw: bytes, where: object, may_repeat: Callable[[str], bool]) -> None:
    """Raise ArtifactInvalid if the text holds a duplicate key, NaN or an infinity."""

    def refuse(problem: str, remedy: str) -> None:
        raise ArtifactInvalid(problem, where=where, remedy=remedy)

    def pairs(items: list[tuple[str, Any]]) -> Json:
        found: Json = {}
        for key, value in items:
            if key in found and not may_repeat(key):
                refuse(
                    f"duplicate key {key!r} in the object with keys {', '.join(sorted({k for k, _ in items}))}",
                    "keep one of the two: readers disagree on which one counts",
                )
            found[key] = value
        return found

    def constant(text: str) -> None:
        refuse(f"{text} is not a JSON value", "write a number, a string or leave the key out")

    with contextlib.suppress(ValueError):  # not JSON at all: the caller's own message says so
        json.loads(raw, object_pairs_hook=pairs, parse_constant=constant)
