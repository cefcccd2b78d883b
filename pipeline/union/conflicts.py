"""Disagreements between targets: which fields differ, what each target says, and where to see it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.errors import ArtifactError
from pipeline.layout import Root, help_page, relative

# The part of the help page that shows each kind of unit.
_CONTEXT = {"command": "Usage", "flag": "Options", "arg": "Arguments"}
_NAMED = {"command": None, "flag": "key", "arg": "name"}

Said = Sequence[tuple[str, Json]]
"""What each target that has the unit says of it, in expected order."""


class Evidence:
    """Finds the raw help page of a command: its place, and its digest.

    A snapshot that records the digest of its help is enough. For one that does not, the page itself is
    digested where raw help lies beside the snapshots (it is never committed).
    """

    def __init__(self, root: Root, version: str, targets: Iterable[str]) -> None:
        self._folders = {target: root.raw_help(version, target) for target in targets}
        self._places = {target: relative(folder, root.path) for target, folder in self._folders.items()}
        self._there = {target for target, folder in self._folders.items() if folder.is_dir()}
        self._digests: dict[tuple[str, tuple[str, ...]], str | None] = {}

    def of(self, path: tuple[str, ...], commands: Said) -> Json | None:
        digests = {
            target: digest
            for target, command in sorted(commands, key=itemgetter(0))
            if (digest := command.get("help_sha256") or self._digest(target, path))
        }
        if not digests:
            return None
        page = help_page(Path(), path).as_posix()
        return {
            "help_ref_by_target": {target: f"{self._places[target]}/{page}" for target in digests},
            "help_sha256_by_target": digests,
        }

    def _digest(self, target: str, path: tuple[str, ...]) -> str | None:
        if target not in self._there:
            return None
        if (target, path) not in self._digests:
            self._digests[target, path] = _sha256(help_page(self._folders[target], path), self._folders[target])
        return self._digests[target, path]


def _sha256(page: Path, folder: Path) -> str | None:
    """The digest of a page; None where there is none, or a link out of the folder in its place."""
    try:
        if page.resolve().is_relative_to(folder.resolve()):
            return hashlib.sha256(canonical.read_bytes(page)).hexdigest()
    except (ArtifactError, OSError, RuntimeError):  # a circle of links is the last one
        return None
    return None


def conflicts_of(
    unit: str, identity: str | None, fields: Sequence[str], path: tuple[str, ...], said: Said
) -> Iterator[Json]:
    """The conflicts of one unit in the given fields, without evidence. A key that is absent counts as null."""
    for name in sorted(fields):
        values = {target: one.get(name) for target, one in said}
        first, *others = values.values()
        if all(first == other for other in others):  # typed values: false is not taken for 0
            continue
        conflict: Json = {"unit": unit, "path": list(path)}
        if identity is not None:
            conflict[str(_NAMED[unit])] = identity
        conflict["field"] = name
        conflict["values_by_target"] = dict(sorted(values.items()))
        conflict["help_context"] = _CONTEXT[unit]
        yield conflict
