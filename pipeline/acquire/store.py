"""The user's cache of binaries, kept by content: ``<cache>/binaries/<sha256>/<program>``.

Reads and writes below the cache folder only; needs no network. A binary is taken on trust when its size,
modification time and inode are what was recorded when it was verified; otherwise it is hashed again.
Nothing is visible under its final name before its size and digest are those of the lock's row.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline import canonical
from pipeline.cache import VARIABLE, cache_folder
from pipeline.contract.agent import Agent
from pipeline.errors import ArtifactError, IntegrityMismatch, WriteFailed
from pipeline.surface.lock import LockRow
from pipeline.surface.units import Shape

CHUNK = 1 << 20


class Stored(Shape, frozen=True, kw_only=True):
    """What a verified file looked like. ``inode`` is text because some file systems use 128 bits for it."""

    size_bytes: int
    mtime_ns: int
    inode: str


def place(agent: Agent, row: LockRow, cache: Path) -> Path:
    """Where the row's binary is kept, whether or not it is there."""
    suffix = ".exe" if row.member.endswith(".exe") else ""
    return _folder(cache, row.sha256) / f"{agent.program}{suffix}"


def cached_binary(agent: Agent, row: LockRow, cache: Path | None = None) -> Path | None:
    """The row's binary if the cache holds it, else None. Never uses the network.

    Hashes the file only when it no longer looks as it did when it was verified.
    """
    path = place(agent, row, cache or cache_folder())
    try:
        seen = _look(path)
    except OSError:
        return None
    with contextlib.suppress(ArtifactError):  # no record, or an unreadable one: the digest decides
        if canonical.read(_record(path), Stored) == seen and seen.size_bytes == row.size_bytes:
            return path
    if seen.size_bytes != row.size_bytes or _sha256(path) != row.sha256:
        return None
    with contextlib.suppress(OSError, WriteFailed):  # a read-only cache is still a good one
        # What brought the file here (a restored CI cache) may have dropped the mode.
        path.chmod(0o755)
        canonical.write(_record(path), canonical.encode(_look(path)))
    return path


def keep(agent: Agent, row: LockRow, content: Iterable[bytes], cache: Path, where: str) -> Path:
    """Write the row's binary and return its path; the caller holds ``exclusive``.

    Raises IntegrityMismatch (naming ``where``, the row's place) when ``content`` is not what the row says,
    WriteFailed when the cache cannot be written. After any failure no part of it stays behind.
    """
    path = place(agent, row, cache)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    except OSError as error:
        raise _unwritable(error, path) from None
    try:
        digest, size = _write(handle, content, path)
        _check("size", row.size_bytes, size, row, where)
        _check("sha256", row.sha256, digest, row, where)
        try:
            Path(name).chmod(0o755)
            Path(name).replace(path)
        except OSError as error:
            raise _unwritable(error, path) from None
        canonical.write(_record(path), canonical.encode(_look(path)))
    except BaseException:  # an interrupt too: nothing half-written stays
        discard(row, cache)
        raise
    return path


def discard(row: LockRow, cache: Path) -> None:
    """Remove whatever the cache holds under the row's digest."""
    shutil.rmtree(_folder(cache, row.sha256), ignore_errors=True)


@contextlib.contextmanager
def exclusive(row: LockRow, cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the row's digest alone, waiting (and saying so) while another run holds it."""
    path = cache / "locks" / f"{row.sha256}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(error, path) from None
    guard = FileLock(path)
    try:
        guard.acquire(timeout=0)
    except Timeout:
        say(f"{row.package}: waiting for another run that fetches the same binary")
        guard.acquire()
    try:
        yield
    finally:
        guard.release()


@contextlib.contextmanager
def download_folder(cache: Path) -> Iterator[Path]:
    """A fresh folder for one download, gone afterwards however that ended."""
    parent = cache / "downloads"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=parent, prefix="", ignore_cleanup_errors=True)
    except OSError as error:
        raise _unwritable(error, parent) from None
    with folder as name:
        yield Path(name)


def _folder(cache: Path, sha256: str) -> Path:
    return cache / "binaries" / sha256


def _record(path: Path) -> Path:
    return path.with_name("stored.json")


def _look(path: Path) -> Stored:
    seen = path.stat()
    return Stored(size_bytes=seen.st_size, mtime_ns=seen.st_mtime_ns, inode=str(seen.st_ino))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(handle: int, content: Iterable[bytes], path: Path) -> tuple[str, int]:
    """Write ``content`` to the open file and return its sha256 and size."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(handle, "wb") as stream:
        for chunk in content:
            digest.update(chunk)
            size += len(chunk)
            try:
                stream.write(chunk)
            except OSError as error:
                raise _unwritable(error, path) from None
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest(), size


def _check(what: str, expected: object, found: object, row: LockRow, where: str) -> None:
    if expected != found:
        raise IntegrityMismatch(
            f"{what} of {row.member} in {row.package} is {found}, the lock says {expected}",
            where=where,
            remedy="do not run it; if the lock's row was edited by hand, write it anew with the lock task",
        )


def _unwritable(error: OSError, path: Path) -> WriteFailed:
    return WriteFailed(
        f"cannot write to the cache: {error.strerror or error}",
        where=path,
        remedy=f"free some space there, or set {VARIABLE} to another folder",
    )
