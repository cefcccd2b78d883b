"""Pointer files: one line that names a version, or ``none``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.contract.rules import Rules
from pipeline.errors import ArtifactMissing, FileUnreadable
from pipeline.layout import POINTERS, Root, is_version, relative

NONE = "none"
# No version has a name as long as this; a longer file is none that names one.
_LARGEST = 1024


class Pointer(NamedTuple):
    """One pointer that has to be there. ``target`` is None for the root's two."""

    kind: str
    target: str | None
    path: Path


class Said(NamedTuple):
    """What a pointer file holds: the one line of a well-formed one, else what is wrong with it."""

    value: str | None
    problem: str | None = None
    missing: bool = False
    unreadable: bool = False


def pointers(root: Root, rules: Rules) -> Iterator[Pointer]:
    """Every pointer of a tree, the root's first."""
    yield Pointer("min_supported", None, root.min_supported)
    yield Pointer("latest_validated", None, root.latest_validated)
    for kind in POINTERS:
        for target in rules.targets:
            yield Pointer(kind, target, root.pointer(kind, target))


def read_pointer(path: Path) -> Said:
    """Read a pointer file, or say what is wrong with it."""
    try:
        text = canonical.read_bytes(path, _LARGEST).decode("utf-8")
    except ArtifactMissing as error:
        return Said(None, error.problem, missing=True)
    except FileUnreadable as error:
        return Said(None, error.problem, unreadable=True)
    except UnicodeDecodeError:
        return Said(None, "is not UTF-8", unreadable=True)
    value = text.removesuffix("\n")
    problems = {
        "has no final newline": not text.endswith("\n"),
        "holds more than one line, or a carriage return": "\n" in value or "\r" in value,
        "has blanks around its value": value != value.strip(),
    }
    problem = next((problem for problem, found in problems.items() if found), None)
    return Said(None, problem) if problem else Said(value)


def is_stable(value: str | None, rules: Rules) -> bool:
    """Whether a pointer may name this version."""
    return is_version(value) and bool(re.search(rules.versioning.pointers.stable_semver_pattern, str(value)))


def named_by(path: Path, rules: Rules) -> str | None:
    """The version that a well-formed pointer file names; None for ``none`` and for a broken one."""
    value = read_pointer(path).value
    return value if is_stable(value, rules) else None


def pointer_files(root: Root) -> list[Path]:
    """Where a pointer is or may be, the root's first; also those of targets that nobody expects any more."""
    return [root.min_supported, root.latest_validated, *sorted((root.path / "pointers").rglob("*.txt"))]


def named_by_pointers(root: Root) -> dict[str, tuple[str, ...]]:
    """Version → the pointer files that name it. One whose form is broken still says what somebody wants kept."""
    found: dict[str, tuple[str, ...]] = {}
    for path in pointer_files(root):
        try:
            text = canonical.read_bytes(path, _LARGEST).decode("utf-8", "replace")
        except (ArtifactMissing, FileUnreadable):
            continue
        for value in dict.fromkeys(map(str.strip, text.splitlines())):
            if is_version(value):
                found[value] = (*found.get(value, ()), relative(path, root.path))
    return found
