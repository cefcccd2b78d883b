"""Folders below the cache: one for each digest, held by one run at a time, and fresh ones for downloads.

``<cache>/binaries/<digest>/`` counts once it holds ``stored.json``, which is written last and says how the rest
looked then. Raises WriteFailed, naming the variable that chooses another cache, when it cannot be written.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline import canonical
from pipeline.cache import VARIABLE
from pipeline.errors import ArtifactError, WriteFailed
from pipeline.surface.lock import LockRow
from pipeline.surface.units import Shape

_RECORD = "stored.json"


class Stored(Shape, frozen=True, kw_only=True):
    """What was verified, as it looked then (see ``store``)."""

    state: str


def home_of(row: LockRow, cache: Path) -> Path:
    """The folder of all that is kept of a row."""
    return cache / "binaries" / row.digest


def recorded(home: Path) -> str | None:
    """The state that was recorded; None when there is no record, or an unreadable one."""
    try:
        return canonical.read(home / _RECORD, Stored).state
    except ArtifactError:
        return None


def record(home: Path, state: str) -> None:
    """Say that what is kept in ``home`` was verified and looks like ``state``."""
    canonical.write(home / _RECORD, canonical.encode(Stored(state=state)))


def discard(home: Path) -> None:
    """Remove whatever is kept there."""
    shutil.rmtree(home, ignore_errors=True)


def exclusive(row: LockRow, cache: Path, say: Callable[[str], None]) -> contextlib.AbstractContextManager[None]:
    """Hold the row's digest alone, waiting (and saying so) while another run holds it."""
    return held(row.digest, row.package, cache, say)


@contextlib.contextmanager
def held(digest: str, package: str, cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """The same for what is kept by another digest than a row's; ``package`` is what a person calls it."""
    path = cache / "locks" / f"{digest}.lock"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    guard = FileLock(path)
    try:
        guard.acquire(timeout=0)
    except Timeout:
        say(f"{package}: waiting for another run that fetches the same")
        guard.acquire()
    try:
        yield
    finally:
        guard.release()


@contextlib.contextmanager
def download_folder(cache: Path) -> Iterator[Path]:
    """A fresh folder for one download, gone afterwards however that ended."""
    parent = cache / "downloads"
    with writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=parent, prefix="", ignore_cleanup_errors=True)
    with folder as name:
        yield Path(name)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """What goes wrong with files inside is a WriteFailed that names ``path``."""
    try:
        yield
    except OSError as error:
        raise WriteFailed(
            f"cannot write to the cache: {error.strerror or error}",
            where=path,
            remedy=f"free some space there, or set {VARIABLE} to another folder",
        ) from None
