"""What validation can put right without deciding anything: pointers that are missing or badly formed, current.json.

A pointer is only rewritten where one line is all that it says; which of two lines was meant is for a person.
Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.contract.rules import Rules
from pipeline.errors import ArtifactError
from pipeline.layout import Root
from pipeline.lifecycle.pointers import NONE, is_stable, pointers, read_pointer


class Fix(NamedTuple):
    """One file to write, and what that does to it."""

    path: Path
    content: bytes
    what: str


def fixes(root: Root, rules: Rules) -> list[Fix]:
    """Every fix that a tree needs, pointers first."""
    found = list(_pointers(root, rules))
    fixed = {fix.path: fix.content.decode().strip() for fix in found}
    latest = fixed.get(root.latest_validated) or read_pointer(root.latest_validated).value
    if is_stable(latest, rules):
        found += _current(root, str(latest))
    return found


def _pointers(root: Root, rules: Rules) -> Iterator[Fix]:
    for pointer in pointers(root, rules):
        said = read_pointer(pointer.path)
        if said.missing:
            if pointer.target is not None or rules.versioning.pointers.root_pointers_allow_none:
                yield Fix(pointer.path, f"{NONE}\n".encode(), f"was missing, says {NONE} now")
        elif said.problem and not said.unreadable:
            lines = {line.strip() for line in canonical.read_bytes(pointer.path).decode().splitlines()} - {""}
            if len(lines) == 1:
                yield Fix(pointer.path, f"{lines.pop()}\n".encode(), f"{said.problem}; is one line and a newline now")


def _current(root: Root, latest: str) -> Iterator[Fix]:
    try:
        union = canonical.read_bytes(root.union(latest))
    except ArtifactError:
        return
    if not root.current.exists():
        yield Fix(root.current, union, f"was missing, is a copy of the union of {latest} now")
    elif root.current.is_file() and canonical.read_bytes(root.current) != union:
        yield Fix(root.current, union, f"differed from the union of {latest}, is a copy of it now")
