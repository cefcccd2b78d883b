"""Links that leave an agent's folder: what they lead to is not part of it, and no stage reads or writes there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.errors import LinkLeavesTree
from pipeline.layout import Root

# A folder of thousands of pages, kept for people. A page that leads out of it is no page (``union.conflicts``).
_PAGES = "raw_help"


def refuse_links(root: Root, version: str | None = None) -> None:
    """Raise LinkLeavesTree if a link below the root leads out of it.

    With a ``version``, only what a stage reads and writes for that version is looked at.
    """
    refuse_outside(root, _everything_in(root.path) if version is None else _paths_of(root, version))


def refuse_outside(root: Root, paths: Iterable[Path]) -> None:
    """The same for single paths below the root; that a folder above one of them is a link is not seen."""
    top = root.path.resolve()
    for path in paths:
        if path.is_symlink() and not _leads_below(top, path):
            raise LinkLeavesTree(
                "is a link that leads out of the agent's folder", where=path, remedy="put the file itself there"
            )


def _paths_of(root: Root, version: str) -> Iterator[Path]:
    folders = (root.snapshots(version), root.reports(version), root.path / _PAGES / version)
    yield from _entries(root.path)
    yield from (*folders, root.metadata(version))
    for folder in folders:
        yield from _entries(folder)


def _everything_in(folder: Path) -> Iterator[Path]:
    for path in _entries(folder):
        yield path
        if path.name != _PAGES and path.is_dir() and not path.is_symlink():
            yield from _everything_in(path)


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return ()  # not there, or no folder: whoever reads it says so


def _leads_below(top: Path, link: Path) -> bool:
    try:
        return link.resolve(strict=False).is_relative_to(top)
    except (OSError, RuntimeError):  # a circle
        return False
