"""The folder itself, whatever path leads to it, and where its lock lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline.cache import cache_folder
from pipeline.errors import WriteFailed


def lock_files(folder: Path) -> tuple[Path, Path]:
    """The lock of a folder, and the one that serves where the cache cannot be written."""
    import hashlib
    import tempfile

    name = f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]}.lock"
    user = f"-{os.getuid()}" if sys.platform != "win32" else ""
    return cache_folder() / "locks" / name, Path(tempfile.gettempdir(), f"cli-parity-locks{user}", name)


def resolved(folder: Path) -> Path:
    """The folder itself, whatever path leads to it. Raises WriteFailed for what is no folder."""
    try:
        found = folder.resolve()
        if not found.exists() or found.is_dir():
            return found
        problem = "not a folder"
    except (OSError, RuntimeError) as error:  # no permission, a loop of symlinks
        problem = f"not a folder that can be reached: {error}"
    raise WriteFailed(problem, where=folder, remedy="name a folder that can be written") from None


def journal_above(folder: Path) -> Path | None:
    """The nearest folder around this one whose commit was cut off (see ``replace``); this one's own counts."""
    around = (folder, *folder.parents)
    return next((each for each in around if each.name and journal_of(each).is_dir()), None)


def journal_of(folder: Path) -> Path:
    """Where a finished successor waits to take its place file by file."""
    return folder.parent / f".{folder.name}.commit"
