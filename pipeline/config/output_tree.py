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


def changed(folder: Path, emitted: Sequence[Emitted]) -> list[Path]:
    """What is below ``folder`` and should not be, is missing there, or is another."""
    wanted = {folder / one.path: one for one in emitted}
    there = {path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    return sorted((there - wanted.keys()) | {path for path, one in wanted.items() if not _is(path, one)})


def _is(path: Path, one: Emitted) -> bool:
    try:
        if one.link is not None or path.is_symlink():
            return path.readlink().as_posix() == one.link
        return path.read_bytes() == one.content and path.stat().st_mode & 0o777 == _mode(one)
    except OSError:
        return False


def _mode(one: Emitted) -> int:
    return 0o755 if one.executable else 0o644


def put(path: Path, one: Emitted) -> None:
    """One file or link at its place; what is there already as it should be stays untouched."""
    if one.link is not None:
        if path.is_symlink() and path.readlink().as_posix() == one.link:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside it first, so that a run that is killed leaves the old or the new one.
        canonical.discard_parts(path)
        beside = path.with_name(f".{path.name}.link.part")
        beside.symlink_to(one.link)
        beside.replace(path)
        return
    if path.is_symlink():
        path.unlink()
    canonical.discard_parts(path)
    canonical.write(path, one.content)
    if path.stat().st_mode & 0o777 != _mode(one):
        path.chmod(_mode(one))


def _clear(folder: Path, wanted: set[Path]) -> None:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if path in wanted or not any(path.iterdir()):
                path.rmdir()
        elif path not in wanted:
            path.unlink()
