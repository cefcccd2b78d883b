"""A package's folder -> the flags that its source spells, with file and line.

Python, JavaScript and TypeScript are read; nothing is imported or run. Tests, declarations (``.d.ts``), source maps
and what belongs to other packages are left out. The result depends on the files alone, not on the order in which
the system lists them. Links are not followed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline import canonical
from pipeline.errors import ArtifactMissing
from pipeline.layout import relative
from pipeline.trace import scan_python, scan_script
from pipeline.trace.literals import Literal, Scan, order

_SKIPPED = frozenset({"node_modules", "__pycache__", "tests", "test", "__tests__", "testing", "site-packages"})
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts")


def scan(folder: Path, within: str = "") -> Scan:
    """The literals of all source below ``folder/within``; files are named relative to ``folder``.

    Raises ArtifactMissing when there is no such folder, or no source in it; UsageError when what reads scripts is
    not installed.
    """
    literals: list[Literal] = []
    unread: list[str] = []
    for path in sources(folder, within):
        file, source = relative(path, folder), canonical.read_bytes(path)
        if path.suffix == ".py":
            try:
                literals += scan_python.literals_of(source, file)
            except (SyntaxError, ValueError):
                unread.append(file)
        else:
            found, whole = scan_script.literals_of(source, file)
            literals += found
            if not whole:
                unread.append(file)
    return Scan(literals=tuple(sorted(set(literals), key=order)), unread=tuple(unread))


def sources(folder: Path, within: str = "") -> list[Path]:
    """The files that are scanned, by their path. Raises ArtifactMissing when there are none."""
    top = folder / within
    found = sorted(_walk(top), key=lambda path: relative(path, folder)) if top.is_dir() else []
    if not found:
        raise ArtifactMissing("no source code to scan there", where=top, remedy="name the folder of a package's source")
    return found


def digest(folder: Path, within: str = "") -> str:
    """The sha256 of what is scanned: of what ``sha256sum`` prints for the files, by path."""
    lines = (
        f"{hashlib.sha256(canonical.read_bytes(path)).hexdigest()}  {relative(path, folder)}\n"
        for path in sources(folder, within)
    )
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def _walk(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED and not entry.name.startswith("."):
                    yield from _walk(Path(entry.path))
            elif entry.is_file(follow_symlinks=False) and _is_source(entry.name):
                yield Path(entry.path)


def _is_source(name: str) -> bool:
    suffix = os.path.splitext(name)[1]  # noqa: PTH122 - a name, thousands of times
    is_test = name.startswith("test_") or ".test." in name or ".spec." in name
    return (suffix == ".py" or suffix in scan_script.SUFFIXES) and not name.endswith(_DECLARATIONS) and not is_test
