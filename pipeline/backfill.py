"""Published versions that are not committed -> what the timeline says of them, and nothing else.

A release's binary is fetched, verified and read as for a snapshot; its facts are added to the timeline, and it is gone
again. Each release is written as soon as it was read, so that whoever was interrupted goes on there. A release that the
timeline has already is not read again unless that is asked for. What was read is remembered in the cache (a snapshot,
no binary), so that a timeline that is to say more needs no second download.

A release that is published in a way nobody knows, or that cannot be read, is told and left out, and so is one of which
snapshots are committed, but none for the target: the timeline says of it what those say. A network that fails ends the
run.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline import canonical, helptext
from pipeline.acquire.fetch import acquire
from pipeline.acquire.store import Started
from pipeline.acquire.unlocked import unlocked
from pipeline.cache import cache_folder
from pipeline.contract.folder import Folder
from pipeline.errors import (
    BinaryError,
    BinaryTimeout,
    IdentityMismatch,
    IntegrityMismatch,
    PackageLayoutUnknown,
    ParityError,
    UsageError,
)
from pipeline.history import read_timeline, timeline_bytes
from pipeline.history.bisect import next_release, surfaces
from pipeline.progress import Progress
from pipeline.snapshot import described, take_snapshot
from pipeline.snapshot.crawl import NO_ANSWER, NOT_ASKED
from pipeline.snapshot.reuse import recall, remember
from pipeline.surface.lock import LockRow
from pipeline.surface.snapshot import Snapshot
from pipeline.transaction.hold import exclusive


class Filled(NamedTuple):
    """The releases that were read, in that order, and what kept others from being read."""

    read: tuple[str, ...]
    failed: dict[str, ParityError]


@dataclass(frozen=True, kw_only=True)
class Filler:
    """What fills the timeline of a folder with what a target has. ``keep`` leaves the binaries in the cache."""

    folder: Folder
    target: str
    keep: bool = False
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        expected = self.folder.rules.targets
        if self.target not in expected or not self.folder.require_agent().entries(self.target):
            raise UsageError(
                f"{self.target} is no target that the rules expect and agent.toml has packages of",
                where=self.folder.root.path,
                remedy=f"expected are: {', '.join(expected)}",
            )

    def known(self) -> list[str]:
        """The versions that the timeline has on this target, oldest first."""
        return [version for version, targets in self._looked_at().items() if self.target in targets]

    def fill(
        self, releases: Sequence[str], *, bisect: bool = False, again: bool = False, at_most: int | None = None
    ) -> Filled:
        """Read ``releases``, oldest first, but for those that the timeline has (``again``: those too).

        With ``bisect``, only so many that what differs comes to lie between neighbours (see ``history.bisect``).
        ``at_most`` bounds how many are read in this run. Raises DownloadFailed.
        """
        read: list[str] = []
        failed: dict[str, ParityError] = {}
        chosen = self._halfway(releases, failed) if bisect else self._unread(releases, again=again)
        for release in islice(chosen, at_most):
            try:
                self._add(release)
            except (BinaryError, IdentityMismatch, IntegrityMismatch, PackageLayoutUnknown, UsageError) as error:
                failed[release] = error
                self.progress.say(f"{release} is left out: {error}")
            else:
                read.append(release)
                self.progress.say(f"{release} for {self.target}: read")
        return Filled(tuple(read), failed)

    def _unread(self, releases: Sequence[str], *, again: bool) -> Iterator[str]:
        known, committed = set(self.known()), set(self.folder.root.versions())
        yield from (one for one in releases if one not in known or (again and one not in committed))

    def _halfway(self, releases: Sequence[str], failed: dict[str, ParityError]) -> Iterator[str]:
        while True:
            path = self.folder.root.timeline
            known = surfaces(read_timeline(path), self.target) if path.exists() else {}
            left = [release for release in releases if release not in failed]
            release = next_release(left, known)
            if release is None:
                return
            yield release

    def _looked_at(self) -> dict[str, tuple[str, ...]]:
        path = self.folder.root.timeline
        return {one.version: one.targets for one in read_timeline(path).versions} if path.exists() else {}

    def _add(self, version: str) -> None:
        """Write what a release has into the timeline, on the targets too on which it was read before."""
        root, targets = self.folder.root, self.folder.rules.targets
        if there := root.targets(version):
            raise UsageError(
                f"snapshots of it are committed for {', '.join(there)}, and none for {self.target}",
                where=root.snapshots(version),
                remedy=f"run `doit snapshot:{root.path.name}:{version}:{self.target}`",
            )
        wanted = {self.target, *self._looked_at().get(version, ())}
        found = {target: canonical.encode(self._read(version, target)) for target in targets if target in wanted}
        with exclusive(root.path):
            canonical.discard_parts(root.timeline)
            content = timeline_bytes(root, targets, tool=self.folder.tool, besides={version: found})
            canonical.write(root.timeline, content)

    def _read(self, version: str, target: str) -> Snapshot:
        """What a release is on a target: as it is remembered, else from its binary."""
        memory, key = self._memory(version, target)
        known = None if self.keep else recall(memory, key)
        if known is not None:
            return known
        with self._binary(version, target) as (started, row):
            found = take_snapshot(described(self.folder, started.path, started.launcher, row), collected_at="")
        if (found.binary.semantic_version, found.binary.sha256) != (version, row.digest):
            raise IdentityMismatch(
                f"the binary says {found.binary.version_output!r}",
                where=row.package,
                remedy="look at what is published there; it is not read as this version",
            )
        omissions = found.known_omissions or ()
        # A page that was not had would make the timeline say that all on it is not there.
        if unheard := [one for one in omissions if NOT_ASKED in one or NO_ANSWER in one]:
            raise BinaryTimeout(
                f"{len(unheard)} pages were not had in time: {unheard[0]}",
                where=row.package,
                remedy="run it again, with less to do beside it",
            )
        for omission in omissions:
            self.progress.say(f"{row.package}: {omission}")
        remember(memory, key, found)
        return found

    @contextlib.contextmanager
    def _binary(self, version: str, target: str) -> Iterator[tuple[Started, LockRow]]:
        root, agent = self.folder.root, self.folder.require_agent()
        row = self.folder.lock().row(version, target)
        if row is not None:
            yield acquire(root, agent, version, target, progress=self.progress), row
        else:
            with unlocked(root, agent, version, target, keep=self.keep, progress=self.progress) as found:
                yield found

    def _memory(self, version: str, target: str) -> tuple[Path, str]:
        """Where a release's snapshot is remembered, and the digest of all that decides what it says."""
        agent, root = self.folder.require_agent(), self.folder.root
        package = agent.package(version, target)
        parts = (
            msgspec.structs.replace(agent, packages={}, wrapper=None),
            package,
            self.folder.rules.features.enable_policy.excluded_stages,
            self.folder.rules.union.platform_mapping.get(target),
            canonical.read_bytes(root.supplement).hex() if root.supplement.exists() else None,
            helptext.REVISION,
        )
        name = f"{agent.tool}\0{package and package.spec(version)}\0{target}"
        memory = cache_folder() / "surfaces" / hashlib.sha256(name.encode()).hexdigest()
        return memory, hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()
