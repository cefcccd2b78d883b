"""A folder and all that is in it: what is there, a copy that shares its files, one made equal to another, none left.

Symlinks are entries like any other and never followed. Anything here raises OSError.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import WriteFailed

# What is known of an entry without reading it: a folder's mode; mode, size, time and inode of anything else.
Listing = dict[str, tuple[int, ...]]

# What a system says of a step that it, or this file system, does not have.
NO_SUCH_STEP = frozenset({errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def listing(folder: Path) -> Listing:
    """Every entry below ``folder`` by its path there; empty when there is no such folder."""
    found: Listing = {}
    if not folder.is_dir():
        return found
    skipped = len(str(folder)) + len(os.sep)
    for entry in _walk(folder):
        state = entry.stat(follow_symlinks=False)
        row = (state.st_mode, state.st_size, state.st_mtime_ns, state.st_ino)
        found[entry.path[skipped:]] = row[:1] if stat.S_ISDIR(state.st_mode) else row
    return found


def _walk(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)


def link_copy(folder: Path, copy: Path) -> None:
    """Make ``copy``: the same folders and symlinks, and the very same files (where links fail, copies of them)."""
    copy.mkdir()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                link_copy(Path(entry.path), copy / entry.name)
            else:
                _link(entry, copy / entry.name)
    _keep_state(folder, copy)


def _link(entry: os.DirEntry[str], to: Path) -> None:
    if entry.is_symlink():
        to.symlink_to(Path(entry.path).readlink(), target_is_directory=Path(entry.path).is_dir())
        shutil.copystat(entry.path, to, follow_symlinks=False)
        return
    try:
        to.hardlink_to(entry.path)
    except OSError as error:
        if error.errno == errno.EXDEV:
            # Replacing the folder would move what is mounted in it, and removing the old one would empty that.
            raise WriteFailed(
                "another file system is mounted in the folder",
                where=entry.path,
                remedy="unmount it, or put a copy in its place",
            ) from None
        shutil.copy2(entry.path, to)


def _keep_state(folder: Path, copy: Path) -> None:
    if sys.platform != "win32":
        state = folder.stat()
        with contextlib.suppress(PermissionError):
            os.chown(copy, state.st_uid, state.st_gid)
    shutil.copystat(folder, copy)


def settle(folder: Path, wanted: Path, spare: Path) -> None:
    """Make ``folder`` equal to ``wanted`` entry by entry, by way of the free name ``spare``.

    Leaves ``wanted`` as it is, so that this may be cut off anywhere and done again.
    """
    folder.mkdir(exist_ok=True)
    with os.scandir(wanted) as found:
        entries = {entry.name: entry for entry in found}
    for there in list(folder.iterdir()):
        # First of all: where case does not count in names, an old one may be a new one.
        if there.name not in entries or _kind(there) != _kind(Path(entries[there.name].path)):
            remove(there)
    for name, entry in entries.items():
        there = folder / name
        if entry.is_dir(follow_symlinks=False):
            settle(there, Path(entry.path), spare)
        elif not _same(there, Path(entry.path)):
            remove(spare)
            _link(entry, spare)
            spare.replace(there)
    _keep_state(wanted, folder)
    flush(folder)


def _kind(path: Path) -> int:
    return stat.S_IFMT(path.lstat().st_mode)


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except FileNotFoundError:
        return False


def remove(path: Path) -> None:
    """Remove whatever is there, if anything is."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        # A folder that nobody may write. Its files are left alone: they may be another folder's too.
        for inner, _, _ in os.walk(path):
            Path(inner).chmod(stat.S_IRWXU)
        shutil.rmtree(path)


def flush(path: Path) -> None:
    """Let what is written in a file or folder survive a power cut."""
    if sys.platform == "win32":  # neither a folder nor a file that is only read
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_SUCH_STEP:
            raise
    finally:
        os.close(handle)
