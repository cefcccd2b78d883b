"""Bundles of many jobs -> the workspace, all in one transaction or nothing.

Each snapshot is held against what is expected of it: the agent's folder, its rules, the lock's row of that binary and
the lock's time. Two bundles may hold the same snapshot if they hold the same bytes. What was expected and did not come
stops the merge, unless that is allowed; the required target must come either way, and a union of fewer targets than the
rules expect says that it is not complete. Refuses with the place and the remedy; then no file has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.clock import timestamp
from pipeline.contract.folder import Folder, open_folder
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ArtifactInvalid, ArtifactMissing, IdentityMismatch
from pipeline.jobs.bundle import Packed, bundles_below, copy_pages, names_in, split
from pipeline.layout import Root, relative
from pipeline.progress import Progress
from pipeline.surface.lock import Lock
from pipeline.surface.revision import REVISION
from pipeline.surface.snapshot import Snapshot
from pipeline.transaction.hold import exclusive
from pipeline.transaction.replace import replacing

_AGAIN = "run its job again"


@dataclass(frozen=True, slots=True)
class Merged:
    """``changed`` files, by path; ``merged`` and ``missing`` snapshots, by name."""

    changed: tuple[Path, ...]
    merged: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Merge:
    """``expected`` are the snapshots that jobs were started for (None: whatever came), ``only`` is one
    ``agent:version`` that all must be of, and with ``partial`` not all need to have come."""

    workspace: Path
    expected: tuple[str, ...] | None = None
    only: str | None = None
    partial: bool = False
    progress: Progress = field(default_factory=Progress)

    def run(self, downloads: Path) -> Merged:
        """Join what lies below a folder of downloads.

        Raises ArtifactMissing, ArtifactInvalid, IdentityMismatch, WriteFailed, TreeBusy.
        """
        held = [root.path for root in agent_roots(self.workspace)]
        changed: list[Path] = []
        with exclusive(self.workspace, *held):
            found = self._found(downloads)
            missing = self._missing(found, downloads)
            with replacing(self.workspace) as copy:
                for one in self.progress.each("merging", sorted(found.values(), key=lambda one: one.name), len(found)):
                    place = Root(copy / one.agent)
                    path = place.snapshot(one.version, one.target)
                    if canonical.write(path, canonical.read_bytes(one.path)):
                        changed.append(self.workspace / relative(path, copy))
                    if one.raw_help:
                        copy_pages(one.raw_help, place.raw_help(one.version, one.target))
        return Merged(tuple(changed), tuple(sorted(found)), tuple(missing))

    def _found(self, downloads: Path) -> dict[str, Packed]:
        opened = cache(lambda agent: (folder := open_folder(self.workspace / agent), folder.lock()))
        found: dict[str, Packed] = {}
        for one in self.progress.each("checking", bundles_below(downloads)):
            if self.only is not None and not one.name.startswith(f"{self.only}:"):
                raise IdentityMismatch(
                    f"{one.name} is not of {self.only}", where=one.path, remedy="merge the downloads of one run only"
                )
            if self.expected is not None and one.name not in self.expected:
                raise IdentityMismatch(
                    f"no job was started for {one.name}", where=one.path, remedy="merge the downloads of one run only"
                )
            other = found.setdefault(one.name, one)
            if other is not one and canonical.read_bytes(other.path) != canonical.read_bytes(one.path):
                raise ArtifactInvalid(
                    f"{one.name} came twice, and {other.path} is another one",
                    where=one.path,
                    remedy="find out which job is right before either is merged",
                )
            check(one, *opened(one.agent))
        return found

    def _missing(self, found: Mapping[str, Packed], downloads: Path) -> list[str]:
        missing = sorted(set(self.expected or ()) - set(found))
        if self.expected is None and not found:
            raise ArtifactMissing("no bundle is there", where=downloads, remedy="download those of the jobs first")
        if missing and not self.partial:
            raise ArtifactMissing(
                f"nothing came of {len(missing)} of {len(self.expected or ())}: {', '.join(missing)}",
                where=downloads,
                remedy=f"{_AGAIN}, or allow an incomplete union with --partial",
            )
        for name in missing:
            agent, version, target = split(name)
            folder = open_folder(self.workspace / agent)
            if target == folder.rules.union.required_target and not folder.root.snapshot(version, target).exists():
                raise ArtifactMissing(
                    f"nothing came of {name}, and the rules require this target", where=downloads, remedy=_AGAIN
                )
        return missing


def check(one: Packed, folder: Folder, lock: Lock) -> Snapshot:
    """A snapshot that is what its name says, of the locked binary and of the locked time, in canonical form."""
    raw = canonical.read_bytes(one.path)
    found = canonical.decode(raw, Snapshot, one.path)
    if canonical.encode(canonical.loads(raw, one.path)) != raw:
        raise ArtifactInvalid("not in canonical form", where=one.path, remedy=_AGAIN)
    if one.target not in folder.rules.targets:
        raise IdentityMismatch(
            f"the rules of {one.agent} expect no target {one.target}",
            where=one.path,
            remedy=f"expected are: {', '.join(folder.rules.targets)}",
        )
    row = lock.row(one.version, one.target)
    if row is None:
        raise IdentityMismatch(
            f"no row pins {one.version} on {one.target}",
            where=folder.root.lock,
            remedy=f"merge with the lock that the jobs had: doit lock:{one.agent}:{one.version}",
        )
    wanted: Sequence[tuple[str, Any, Any]] = (
        ("$.tool", found.tool, folder.tool),
        ("$.binary.semantic_version", found.binary.semantic_version, one.version),
        ("$.binary.target_triple", found.binary.target_triple, one.target),
        ("$.binary.sha256", found.binary.sha256, row.digest),
        ("$.collected_at", found.collected_at, timestamp(lock.epoch(one.version))),
        ("$.generator.revision", found.generator and found.generator.revision, REVISION),
    )
    for place, said, expected in wanted:
        if said != expected:
            raise IdentityMismatch(
                f"{place} is {said!r}, expected {expected!r}",
                where=one.path,
                remedy=f"{_AGAIN}, from this commit and with its lock",
            )
    return found


def expected_of(path: Path) -> tuple[str, ...]:
    """The snapshots of a matrix that ``doit matrix`` printed into a file. Raises ArtifactInvalid."""
    document = canonical.read_json(path)
    try:
        return tuple(name for row in document["include"] for name in names_in(row["tasks"].split()))
    except (KeyError, TypeError, AttributeError):
        raise ArtifactInvalid(
            "is no matrix of snapshots", where=path, remedy="write it with `doit matrix --stage snapshot`"
        ) from None
