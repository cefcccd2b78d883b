"""Disagreements between targets: which fields differ, what each target says, and where to see it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.canonical import Json
from pipeline.layout import Root, help_page, relative

UNITS = ("command", "flag", "arg")
# The part of the help page that shows each kind of unit.
_CONTEXT = {"command": "Usage", "flag": "Options", "arg": "Arguments"}
_NAMED = {"command": None, "flag": "key", "arg": "name"}

Said = Sequence[tuple[str, Json]]
"""What each target that has the unit says of it, in expected order."""


@dataclass(slots=True)
class Evidence:
    """Finds the raw help page of a command: its place, and its digest.

    A snapshot that records the digest of its help is enough. For one that does not, the page itself is
    digested where raw help lies beside the snapshots (it is never committed).
    """

    root: Root
    version: str
    _digests: dict[tuple[str, tuple[str, ...]], str | None] = field(default_factory=dict)

    def of(self, path: tuple[str, ...], commands: Said) -> Json | None:
        refs, digests = {}, {}
        for target, command in sorted(commands, key=lambda said: said[0]):
            page = help_page(self.root.raw_help(self.version, target), path)
            digest = command.get("help_sha256") or self._digest(target, path)
            if digest:
                refs[target] = relative(page, self.root.path)
                digests[target] = digest
        return {"help_ref_by_target": refs, "help_sha256_by_target": digests} if refs else None

    def _digest(self, target: str, path: tuple[str, ...]) -> str | None:
        if (target, path) not in self._digests:
            try:
                page = help_page(self.root.raw_help(self.version, target), path).read_bytes()
                self._digests[target, path] = hashlib.sha256(page).hexdigest()
            except OSError:
                self._digests[target, path] = None
        return self._digests[target, path]


def conflicts_of(
    unit: str, identity: str | None, fields: Sequence[str], path: tuple[str, ...], said: Said, evidence: Json | None
) -> Iterator[Json]:
    """The conflicts of one unit in the given fields. A key that is absent counts as null."""
    for name in sorted(fields):
        values = {target: one.get(name) for target, one in said}
        first, *others = values.values()
        if all(_same(first, other) for other in others):
            continue
        conflict: Json = {"unit": unit, "path": list(path)}
        if identity is not None:
            conflict[str(_NAMED[unit])] = identity
        conflict["field"] = name
        conflict["values_by_target"] = dict(sorted(values.items()))
        conflict["help_context"] = _CONTEXT[unit]
        if evidence:
            conflict["evidence"] = evidence
        yield conflict


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON values: false is not 0, and absent is not false."""
    return type(one) is type(other) and one == other
