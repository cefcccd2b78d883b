"""``parity.lock.json``: every file of the target, how it was made, from what, and by which rules.

It is what a later run, an apply and a drift check know of ownership: what has the digest that is listed is ours.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from pipeline.config.emit.output import Emitted, Way
from pipeline.config.inventory import LOCK
from pipeline.config.merge import Keys, join, leaves, split, value_digest
from pipeline.config.tree import Tree
from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import Shape

__all__ = ["LOCK", "Lock", "LockedFile", "LockedSource", "digest_of", "drifted", "join", "locked", "split"]


class LockedSource(Shape, frozen=True, kw_only=True):
    path: str
    sha256: Sha256


class LockedFile(Shape, frozen=True, kw_only=True):
    """``sha256`` is of the bytes that were emitted, of the link's text for a link. ``keys`` are those of ours in a file
    that is merged key by key, dotted, and ``values`` digests of what they are set to; ``merge`` as in the emission.
    """

    target: str
    mode: Way
    sources: tuple[LockedSource, ...]
    sha256: Sha256
    rule_ids: tuple[str, ...]
    merge: Literal["no", "block", "keys"] = "no"
    keys: tuple[str, ...] = ()
    values: tuple[Sha256, ...] = ()
    executable: bool = False

    def owned(self) -> dict[Keys, str | None]:
        """Our keys with the digests of their values, None where the lock does not say."""
        values = self.values if len(self.values) == len(self.keys) else (None,) * len(self.keys)
        return {split(key): value for key, value in zip(self.keys, values, strict=True)}


class Lock(Shape, frozen=True, kw_only=True):
    """Files by path."""

    lock_schema_version: Literal[1]
    mapping: str
    tree: str
    target_version: str
    plan_sha256: Sha256
    files: Annotated[tuple[LockedFile, ...], Meta(description="By target path.")]


def locked(emitted: Iterable[Emitted], tree: Tree) -> tuple[LockedFile, ...]:
    digests: dict[str, str] = {}
    rows = []
    for one in emitted:
        for path in one.sources:
            if path not in digests:
                digest = tree.digest(path)
                digests[path] = digest if isinstance(digest, str) else ""
        sources = tuple(LockedSource(path=path, sha256=digests[path]) for path in one.sources if digests[path])
        values = _values(one)
        rows.append(
            LockedFile(
                target=one.path,
                mode=one.way,
                sources=sources,
                sha256=digest_of(one),
                rule_ids=one.rules,
                merge=one.merge,
                keys=tuple(values),
                values=tuple(values.values()),
                executable=one.executable,
            )
        )
    return tuple(rows)


def _values(one: Emitted) -> dict[str, str]:
    """The dotted keys of a file that is merged, with the digests of their values, by name."""
    if one.merge != "keys":
        return {}
    found = leaves(tomllib.loads(one.content.decode()))
    return dict(sorted((join(keys), value_digest(value)) for keys, value in found))


def digest_of(one: Emitted) -> str:
    return hashlib.sha256(one.content if one.link is None else one.link.encode()).hexdigest()


def drifted(lock: Lock, tree: Tree, output: Path) -> list[tuple[str, str]]:
    """Targets that are not what their sources would give: (path, what is wrong)."""
    found = []
    for row in lock.files:
        changed = (source.path for source in row.sources if tree.digest(source.path) != source.sha256)
        found += [(row.target, f"its source {path} has changed") for path in changed]
        place = output / row.target
        if row.mode == "link":
            if not place.is_symlink():
                found.append((row.target, "it is no link; this checkout may have been made without links"))
            elif hashlib.sha256(place.readlink().as_posix().encode()).hexdigest() != row.sha256:
                found.append((row.target, "the link leads elsewhere"))
        elif row.merge == "no" and (not place.is_file() or _sha(place) != row.sha256):
            found.append((row.target, "it was edited, or is gone"))
    return found


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
