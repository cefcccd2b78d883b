"""Canonical bytes: the only writer of files and the only reader of JSON.

Canonical JSON is UTF-8, two-space indent, non-ASCII raw, one trailing newline, keys in the order of the
type that describes the document, optional keys omitted when absent. ``encode(decode(b)) == b`` for every
committed artifact, which is itself a check. Reading is strict: duplicate keys and NaN are refused,
because both orjson and msgspec let a duplicate key pass in silence. (No artifact type has a float.)
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import mmap
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import orjson

from pipeline.errors import ArtifactInvalid, ArtifactMissing, FileUnreadable, WriteFailed

T = TypeVar("T")
Json = dict[str, Any]


def _never(_key: str) -> bool:
    return False


def encode(document: Any) -> bytes:
    """The canonical bytes of a JSON value or of an artifact type (``msgspec.Struct``)."""
    if isinstance(document, msgspec.Struct):
        document = msgspec.to_builtins(document)
    return orjson.dumps(document, _inline, orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def encode_pieces(document: Any) -> list[bytes]:
    """The canonical bytes in pieces, to be written one after the other: spliced text is not copied.

    Measured on reports of 50 MB: putting eight of them together costs as much as a third of all other work.
    """
    left_out: list[bytes] = []

    def leave_out(value: Any) -> orjson.Fragment:
        if not isinstance(value, Spliced):
            raise TypeError
        left_out.append(value.text)
        return _HOLE

    text = orjson.dumps(document, leave_out, orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    first, *rest = text.split(b"\0")
    return [first, *(piece for pair in zip(left_out, rest, strict=True) for piece in pair)]


class Spliced:
    """Canonical text of consecutive array elements; stands in a document in their place (see ``splice``)."""

    __slots__ = ("text",)  # no dataclass: orjson would encode its fields

    def __init__(self, text: bytes) -> None:
        self.text = text


# NUL never stands in JSON text.
_HOLE = orjson.Fragment(b"\0")


def _inline(value: Any) -> orjson.Fragment:
    if not isinstance(value, Spliced):
        raise TypeError
    return orjson.Fragment(value.text)


def sorted_keys(value: Any) -> Any:
    """``value`` with the keys of every object in code point order (for free-form parts)."""
    return orjson.loads(orjson.dumps(value, option=orjson.OPT_SORT_KEYS))


def loads(raw: bytes, where: object, may_repeat: Callable[[str], bool] = _never) -> Any:
    """Parse JSON strictly; ``where`` names the file in errors.

    Raises ArtifactInvalid for bytes that are no UTF-8 JSON, for NaN, and for duplicate keys
    but those that ``may_repeat`` allows (then the last one counts).
    """
    return parse(raw, where, may_repeat)[0]


def parse(raw: bytes, where: object, may_repeat: Callable[[str], bool] = _never) -> tuple[Any, bool]:
    """``loads``, and whether the bytes are the canonical ones of what they say."""
    try:
        value = orjson.loads(raw)
        # Bytes that are already canonical cannot hold a duplicate key. (What is nested too deeply to be
        # written again is no artifact either.)
        is_canonical = encode(value) == raw
    except (orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        # Told apart first because orjson says only "unexpected character" for them.
        _refuse_ambiguous(raw, where, may_repeat)
        raise _not_json(error, where) from None
    if not is_canonical:
        _refuse_ambiguous(raw, where, may_repeat)
    return value, is_canonical


def decode(raw: bytes | mmap.mmap, type_: type[T], where: object) -> T:
    """Read a type straight from JSON: faster than ``loads`` and ``convert``, but blind to duplicate keys.

    For views of derived files that may be huge. Raises ArtifactInvalid as ``convert`` does.
    """
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.ValidationError as error:
        raise _unfit(error, where, "$") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error, where) from None


def _not_json(error: Exception, where: object) -> ArtifactInvalid:
    return ArtifactInvalid(f"not valid JSON: {error}", where=where, remedy="regenerate the file or restore it from git")


def convert(value: Any, type_: type[T], where: object, prefix: str = "$") -> T:
    """Check a parsed JSON value against an artifact type and return it typed.

    Raises ArtifactInvalid with the JSON path (``$.commands[3].flags``) of what does not fit.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise _unfit(error, where, prefix) from None


def _unfit(error: msgspec.ValidationError, where: object, prefix: str) -> ArtifactInvalid:
    problem, _, path = str(error).partition(" - at ")
    place = path.strip("`").replace("$", prefix, 1) if path else prefix
    return ArtifactInvalid(
        f"{place}: {problem[:1].lower()}{problem[1:]}",
        where=where,
        remedy="regenerate the file, or correct that place",
    )


# A union of 20,000 commands on six targets has 132 MB; a file that is larger by far is none that a stage wrote.
LARGEST = 1 << 29


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """The file's bytes.

    Raises ArtifactMissing when there is no such file, FileUnreadable when it is no regular file (a folder, a pipe),
    has more than ``largest`` bytes, or the system refuses to read it.
    """
    with _opened(path, largest) as stream:
        return stream.read()


def read_blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes in blocks that stay in the processor's cache, for big files; raises as ``read_bytes``."""
    with _opened(path) as stream:
        while block := stream.read(1 << 17):
            yield block


def sha256_of(path: Path) -> str:
    """The digest of a file of any size, in hex; raises as ``read_bytes``."""
    digest = hashlib.sha256()
    for block in read_blocks(path):
        digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def mapped(path: Path) -> Iterator[bytes | mmap.mmap]:
    """The file's bytes without a copy of them, for big files that are read once; raises as ``read_bytes``.

    Nobody may write the file meanwhile (Windows refuses to).
    """
    with _opened(path) as stream, contextlib.ExitStack() as stack:
        content = (
            b"" if not os.fstat(stream.fileno()).st_size else mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        )
        if isinstance(content, mmap.mmap):
            stack.enter_context(content)
        yield content


@contextlib.contextmanager
def _opened(path: Path, largest: int = LARGEST) -> Iterator[io.FileIO]:
    try:
        # A pipe would keep whoever opens it waiting for its other end.
        stream = io.FileIO(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)))
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactMissing("no such file", where=path, remedy="run the stage that writes it") from None
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from None
    with stream:
        seen = os.fstat(stream.fileno())
        if not stat.S_ISREG(seen.st_mode):
            raise _unreadable(path, "is a folder" if stat.S_ISDIR(seen.st_mode) else "is no regular file")
        if seen.st_size > largest:
            raise _unreadable(path, f"has {seen.st_size} bytes, more than the {largest} that are read")
        try:
            yield stream
        except OSError as error:
            raise _unreadable(path, f"cannot be read: {error.strerror}") from None


def _unreadable(path: Path, problem: str) -> FileUnreadable:
    return FileUnreadable(problem, where=path, remedy="put the file there that the stage writes, or remove it")


def read_json(path: Path) -> Any:
    """Read and parse one JSON file strictly (see ``loads``)."""
    return loads(read_bytes(path), path)


def read(path: Path, type_: type[T]) -> T:
    """Read one artifact: strict JSON, then the type's own strictness (unknown keys, wrong types)."""
    return convert(read_json(path), type_, path)


def write(path: Path, content: bytes | Sequence[bytes]) -> bool:
    """Write ``content`` (or its pieces) atomically (temp file beside it, fsync, rename); False when nothing changed.

    Bytes that are already there are left alone, so an unchanged artifact keeps its modification time.
    Raises WriteFailed when it cannot be done (disk full, no permission); the old file then still stands.
    """
    pieces = (content,) if isinstance(content, bytes) else content
    if _holds(path, pieces):
        return False
    import tempfile  # only who writes needs it

    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb", buffering=1 << 20) as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp gives 0600 and any umask gives something else again: the committed mode is one.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        if not isinstance(error, OSError):
            raise
        raise WriteFailed(
            f"cannot write: {error.strerror or error}; the file that was there is unchanged",
            where=path,
            remedy="free some space or fix the permissions, then run the stage again",
        ) from None
    return True


def _holds(path: Path, pieces: Sequence[bytes]) -> bool:
    try:
        return path.stat().st_size == sum(map(len, pieces)) and path.read_bytes() == b"".join(pieces)
    except OSError:
        return False


def write_all(files: Sequence[tuple[Path, bytes | Sequence[bytes]]]) -> list[Path]:
    """Write several files of one stage, all computed beforehand; returns the paths that changed."""
    return [path for path, content in files if write(path, content)]


def discard_parts(path: Path) -> None:
    """Remove what a killed ``write`` of this file left beside it. Nobody may be writing it now."""
    for part in sorted(path.parent.glob(f".{path.name}.*.part")):
        part.unlink(missing_ok=True)


def splice(entries: Sequence[Any], depth: int) -> Spliced:
    """Canonical bytes of consecutive array elements, made once to stand in several documents.

    ``depth`` is how many levels of indent stand before an element. Splicing is what lets the reports of
    one version share the text of the entries that they have in common.
    """
    nested: Any = entries
    for _ in range(depth - 1):
        nested = [nested]
    text = orjson.dumps(nested, option=orjson.OPT_INDENT_2)
    # Each level opens with "[", a line break and the next indent, and closes with a line break, its indent and "]".
    return Spliced(text[depth * (depth + 3) : -depth * (depth + 1)])


@contextlib.contextmanager
def no_collector_pauses() -> Iterator[None]:
    """Suspend the cyclic garbage collector while big documents are built (they hold no cycles).

    Measured on a union of 20,000 commands: collecting costs as much as all the work. Used as a decorator,
    so that what the function held is gone when the collector wakes up and looks at everything that is new.
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
    import json  # only where something is wrong

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

    # Not JSON at all, or nested too deeply: the caller's own message says so.
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(raw, object_pairs_hook=pairs, parse_constant=constant)
