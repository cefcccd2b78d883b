"""Folders held alone: one lock file per folder in the cache, which the system frees when its holder ends or is killed.

Processes that use different cache folders do not see each other's locks.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.cache import VARIABLE
from pipeline.errors import TreeBusy, WriteFailed
from pipeline.transaction.locks import journal_above, lock_files, resolved
from pipeline.transaction.replace import recover

# How long one folder is waited for, in seconds.
WAIT = 600.0

_held: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())


@contextlib.contextmanager
def exclusive(*folders: Path) -> Iterator[None]:
    """Hold folders alone among all processes of this tool, and finish or undo what a killed one left of them.

    Waits while another one holds a folder, and says so on standard error. What this thread holds already stays as it
    is: holding it again does nothing. Take all folders in one call: two runs that take them one by one in different
    orders wait for each other. Raises TreeBusy after ``WAIT`` seconds, WriteFailed when no lock can be made.
    """
    held = _held.get()
    named = {resolved(folder) for folder in folders}
    # A folder in one that a killed run was about to replace is not what it is going to be.
    around = {cut_off for folder in named if (cut_off := journal_above(folder))}
    wanted = sorted((named | around) - held)
    with contextlib.ExitStack() as stack:
        for folder in wanted:
            stack.enter_context(_locked(folder))
        for folder in wanted:
            recover(folder)
        stack.callback(_held.reset, _held.set(held.union(wanted)))
        yield


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    first, instead = lock_files(folder)
    try:
        guard = _acquired(first, folder)
    except OSError:
        # A cache that cannot be written must not keep anybody from a folder that can.
        try:
            guard = _acquired(instead, folder)
        except OSError as error:
            raise WriteFailed(
                f"cannot make a lock for {folder}: {error.strerror or error}",
                where=instead,
                remedy=f"set {VARIABLE} to a folder that can be written",
            ) from None
    try:
        yield
    finally:
        guard.release()


def _acquired(path: Path, folder: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    guard = FileLock(path)
    try:
        guard.acquire(timeout=0)
    except Timeout:
        sys.stderr.write(f"{folder}: waiting for another run that holds it\n")
        sys.stderr.flush()
        try:
            guard.acquire(timeout=WAIT)
        except Timeout:
            raise TreeBusy(
                f"another run has held it for {WAIT:.0f} seconds",
                where=folder,
                remedy="wait for that run to end, or stop it; then run this again",
            ) from None
    return guard
