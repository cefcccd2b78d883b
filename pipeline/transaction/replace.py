"""A folder replaced at once: its successor is made beside it, then the two swap names in one step.

Beside ``name`` in its parent there may be, until the next ``exclusive``, what a killed run left:

- ``.name.next``: a successor that was not finished, or a predecessor that was not removed. It goes.
- ``.name.commit``: where no such step is to be had, a finished successor, whose files take their places one by one.
  It is what counts: readers see a mixture until ``recover`` has gone through with it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import ParityError, TreeBusy, WriteFailed
from pipeline.transaction import tree
from pipeline.transaction.locks import journal_of, resolved

_RENAME_EXCHANGE = _RENAME_SWAP = 2  # Linux's and macOS's
_AT_FDCWD = -100


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield a private copy of ``folder``; it takes the folder's place at once when the block ends normally.

    On any exception the folder is as it was; so it is, to the inode, when nothing in the copy changed. A folder that
    is not there yet starts empty. The caller holds ``exclusive(folder)``.

    The copy's files are the folder's own (hard links): replace and remove them (``canonical.write``, ``unlink``,
    ``rmtree``), never write in one, and change no mode or time. Where the current directory is inside the folder, it
    is the new one's afterwards.

    Raises WriteFailed when it cannot be done (OSErrors of the block become that too), TreeBusy when the folder itself
    was changed meanwhile.
    """
    shown, folder = folder, resolved(folder)
    copy = _beside(folder, "next")
    if os.path.ismount(folder):
        raise WriteFailed(
            "it is a mount point, which cannot be replaced",
            where=folder,
            remedy="mount the folder around it instead, or work on a copy",
        )
    recover(folder)
    with contextlib.ExitStack() as afterwards, _as_it_was(folder):
        for parent in reversed([parent for parent in folder.parents if not parent.exists()]):
            parent.mkdir()
            afterwards.callback(_remove_empty, parent)
        old = tree.listing(folder)
        afterwards.callback(_discard, copy)
        if folder.exists():
            tree.link_copy(folder, copy)
        else:
            copy.mkdir()
        untouched = tree.listing(copy)
        try:
            yield copy
        except ParityError as error:
            # Nobody knows the copy: what has to be looked at is the place in the folder.
            raise error.elsewhere(str(copy), str(shown)) from None
        new = tree.listing(copy)
        if new == untouched:
            return
        if _states(tree.listing(folder)) != _states(old):
            raise TreeBusy(
                "something else wrote in it meanwhile; what that wrote is all that has changed",
                where=folder,
                remedy="end what else writes there, then run this again",
            )
        known = set(old.values())
        for path, row in new.items():
            if stat.S_ISDIR(row[0]) or (stat.S_ISREG(row[0]) and row not in known):
                tree.flush(copy / path)
        tree.flush(copy)
        _commit(folder, copy)


def _states(listing: tree.Listing) -> tree.Listing:
    """Without inodes: where layers are laid over each other (containers), a first link can change them."""
    return {path: row[:3] for path, row in listing.items()}


def recover(folder: Path) -> None:
    """Clear away what a killed run left beside ``folder``, and finish what it had begun to commit.

    The caller holds it. Raises WriteFailed, with everything left as it must be for the next try.
    """
    folder = resolved(folder)
    with _as_it_was(folder):
        tree.remove(_beside(folder, "next"))
    _go_through(folder)
    _discard(_beside(folder, "next"))


def _go_through(folder: Path) -> None:
    """Put all of ``.name.commit`` in place, if there is one; what is left of it is a predecessor then."""
    journal, spare = journal_of(folder), _beside(folder, "part")
    if not journal.is_dir() or journal.is_symlink():
        return
    try:
        tree.settle(folder, journal, spare)
        tree.remove(spare)
        # Half of it would not be what was committed: it goes under the other name.
        journal.rename(_beside(folder, "next"))
    except OSError as error:
        raise WriteFailed(
            f"the new files are not all in place yet: {error.strerror or error}",
            where=error.filename or folder,
            remedy="free some space or fix the permissions; the next run goes through with it",
        ) from None


def _beside(folder: Path, what: str) -> Path:
    return folder.parent / f".{folder.name}.{what}"


def _commit(folder: Path, copy: Path) -> None:
    here = _current_directory()
    if not folder.exists():
        copy.rename(folder)
    elif not _exchange(copy, folder):
        copy.rename(journal_of(folder))
        _flush(folder.parent)
        _go_through(folder)
    _flush(folder.parent)
    if here is not None and folder in (here, *here.parents):
        # The old one goes, and with it every relative path of this process.
        with contextlib.suppress(OSError):
            os.chdir(next(path for path in (here, *here.parents) if path.is_dir()))


def _flush(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it is committed all the same
        tree.flush(folder)


def _current_directory() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders swap names in one step; False where there is no such step.

    The packages that offer it (atomicswap, renameat2) are no longer kept and do not import on every system.
    """
    if sys.platform == "win32":
        return False
    try:
        import ctypes

        library = ctypes.CDLL(None, use_errno=True)
        swap = library.renamex_np if sys.platform == "darwin" else library.renameat2
    except (ImportError, AttributeError):
        return False
    # What watches renames is told of this one too, as Python tells of its own.
    sys.audit("os.rename", str(one), str(other), -1, -1)
    if sys.platform == "darwin":
        failed = swap(os.fsencode(one), os.fsencode(other), _RENAME_SWAP)
    else:
        failed = swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if failed and ctypes.get_errno() not in tree.NO_SUCH_STEP:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
    return not failed


def _discard(copy: Path) -> None:
    with contextlib.suppress(OSError):  # the next run tries again
        tree.remove(copy)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


@contextlib.contextmanager
def _as_it_was(folder: Path) -> Iterator[None]:
    try:
        yield
    except ConnectionError:  # nothing of the folder: nobody reads what is printed
        raise
    except OSError as error:
        about = f" ({error.filename})" if error.filename and str(error.filename) != str(folder) else ""
        raise WriteFailed(
            f"cannot be replaced: {error.strerror or error}{about}; it is as it was",
            where=folder,
            remedy=f"free some space or fix the permissions of {folder.parent}, then run this again",
        ) from error
