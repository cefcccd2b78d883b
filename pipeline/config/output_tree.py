"""The emitted files as a folder of their own: nothing else is in it, and what is no longer emitted goes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline import canonical
from pipeline.config.emit.output import Emitted
from pipeline.errors import WriteFailed


def write_output(folder: Path, emitted: Sequence[Emitted]) -> list[Path]:
    """Write all files below ``folder``. Raises WriteFailed where the system refuses."""
    wanted = {folder / one.path for one in emitted}
    try:
        _clear(folder, wanted)
        for one in emitted:
            put(folder / one.path, one)
    except OSError as error:
        remedy = "look at the folder, then run the phase again"
        raise WriteFailed(f"cannot write: {error.strerror or error}", where=folder, remedy=remedy) from None
    return sorted(wanted)


def put(path: Path, one: Emitted) -> None:
    """One file or link at its place; what is there already as it should be stays untouched."""
    if one.link is not None:
        if path.is_file() and not path.is_symlink():
            path.unlink()
        if path.is_symlink() and path.readlink().as_posix() == one.link:
            return
        if path.is_symlink():
            path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(one.link)
        return
    if path.is_symlink():
        path.unlink()
    canonical.write(path, one.content)
    mode = 0o755 if one.executable else 0o644
    if path.stat().st_mode & 0o777 != mode:
        path.chmod(mode)


def _clear(folder: Path, wanted: set[Path]) -> None:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if path in wanted or not any(path.iterdir()):
                path.rmdir()
        elif path not in wanted:
            path.unlink()
