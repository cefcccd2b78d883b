"""The files that a profile takes away, as a table that the target's sandbox can set up.

It masks each path in turn, and stops with the first that lies in one that is masked or read-only already and is not
there. It looks into a folder that a pattern names only where a pattern names what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipeline.config.readers.paths import is_pattern

_INSIDE = "/**"


def taken(rows: Mapping[str, str], tree: Path, kept: Iterable[str]) -> dict[str, str]:
    """Path → ``deny`` or ``read``, by path. ``kept`` are folders that the target never writes to.

    What a wider row says already is left out; a folder that must not be read is all that is in it.
    """
    denied = {path for path, mode in rows.items() if mode == "deny"}
    fixed = {path for path in denied if not is_pattern(path)}
    wide = {path for path in fixed if path.endswith(_INSIDE) or not (tree / path).is_dir()}
    wide |= {f"{path}{_INSIDE}" for path in fixed - wide}
    gone = {path for path in wide if not _within(path, wide - {path})}
    read = {path for path, mode in rows.items() if mode == "read"}
    still = {path for path in read if not _within(path, (read | wide | set(kept)) - {path})}
    found = dict.fromkeys(still, "read")
    found |= {one: "deny" for path in gone for one in (_missing(path, tree, (*still, *kept)),)}
    found |= {one: "deny" for path in denied - fixed for one in _with_inside(path)}
    return dict(sorted(found.items()))


def _within(path: str, folders: Iterable[str]) -> bool:
    """Whether a path lies in one of the folders; a folder is no part of itself, but of its bare name."""
    plain = path.removesuffix(_INSIDE)
    return any(
        plain.startswith(f"{folder.removesuffix(_INSIDE)}/") or (path == f"{folder}{_INSIDE}") for folder in folders
    )


def _missing(path: str, tree: Path, read_only: Iterable[str]) -> str:
    """A path that is not there, below what is read-only, as a pattern: nothing is made there to mask it."""
    there = path.endswith(_INSIDE) or (tree / path).exists()
    last = path[-1]
    return path if there or not last.isalnum() or not _within(path, read_only) else f"{path[:-1]}[{last}]"


def _with_inside(pattern: str) -> Iterator[str]:
    yield pattern
    if not pattern.endswith("**"):
        yield f"{pattern}{_INSIDE}"
