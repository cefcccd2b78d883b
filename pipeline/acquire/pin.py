"""``lock``: published packages -> rows of ``artifacts.lock.json``, and the requirements of Python applications.

Each package is downloaded once, verified against the digest that its registry publishes, and measured. Refuses
a target without a package, a version that is published for no target, and a package whose time of publication
nobody tells. Nothing is written unless every row could be made.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipeline import canonical
from pipeline.acquire import environment, pypi
from pipeline.acquire.archive import Archive
from pipeline.acquire.client import Client
from pipeline.acquire.fetch import CLIENTS, fetched
from pipeline.acquire.shelf import download_folder
from pipeline.acquire.store import measured, tree_digest
from pipeline.cache import cache_folder
from pipeline.clock import VARIABLE, environment_epoch
from pipeline.contract.agent import Agent, Package, fits
from pipeline.contract.folder import read_lock
from pipeline.errors import DownloadFailed, EpochMissing, UsageError
from pipeline.layout import Root, check_version, version_key
from pipeline.progress import Progress
from pipeline.surface.lock import Lock, LockRow


def lock(
    root: Root,
    agent: Agent,
    version: str,
    targets: Collection[str] | None = None,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Lock:
    """Add or refresh the rows of ``version`` for ``targets`` (default: all of the agent) and write the lock.

    A target that was not published in this version is skipped with a message; raises DownloadFailed when that is
    true of all. A Python application is pinned for the running system and Python only, other targets are
    skipped; what it stands on is resolved once: its requirements stay as they are while its wheel is the same.
    """
    cache, progress = cache or cache_folder(), progress or Progress()
    wanted = _wanted(root, agent, check_version(version), targets, progress)
    old = read_lock(root)
    rows = {(row.version, row.target): row for row in old.rows}
    requirements: dict[Path, bytes] = {}
    published = False
    for (registry, spec), packages in sorted(wanted.items()):
        client = CLIENTS[registry]
        with download_folder(cache) as folder:
            integrity = client.integrity(spec, folder)
            if integrity is None:
                progress.say(f"skipped {', '.join(packages)}: {spec} is not published")
                continue
            published = True
            with fetched(client, spec, integrity, folder, progress) as (path, archive):
                release = Release(root, version, client, spec, integrity, path, archive, folder, progress, old)
                for target, package in packages.items():
                    rows[version, target] = release.row(target, package)
                requirements |= release.requirements
    if not published:
        raise DownloadFailed(
            f"no package of version {version} is published: {', '.join(spec for _, spec in sorted(wanted))}",
            where=root.agent,
            remedy="check the version and the registry setting of npm or pip",
        )
    made = Lock(
        lock_schema_version=1,
        rows=tuple(sorted(rows.values(), key=lambda row: (version_key(row.version), row.version, row.target))),
    )
    canonical.write_all([*requirements.items(), (root.lock, canonical.encode(made))])
    return made


@dataclass
class Release:
    """One downloaded package, and the rows of the targets that it holds.

    ``epoch`` is one that is known; else the one that the ``old`` lock has for the package, or its publish time.
    """

    root: Root
    version: str
    client: Client
    spec: str
    integrity: str
    path: Path
    archive: Archive
    folder: Path
    progress: Progress
    old: Lock
    epoch: int | None = None
    requirements: dict[Path, bytes] = field(default_factory=dict)

    def row(self, target: str, package: Package) -> LockRow:
        """The target's row. Keeps what a venv stands on in ``requirements``."""
        where, old = f"{self.root.agent}: packages.{target}.members", self.old.row(self.version, target)
        epoch, tree = self._epoch(old) if self.epoch is None else self.epoch, None
        beside: dict[str, str] = {}
        if package.kind == "file":
            member = self.archive.find(package.members, where)
            size, sha256 = measured(self.archive.read(member))
            for name, pattern in sorted(package.beside.items()):
                if any(fits(one, pattern) for one in self.archive.names):
                    found = self.archive.find([pattern], f"{self.root.agent}: packages.{target}.beside")
                    beside[name] = measured(self.archive.read(found))[1]
        elif package.kind == "tree":
            member = self.archive.find(package.members, where)
            size, sha256 = self._files[member]
            tree = tree_digest({name: digest for name, (_, digest) in self._files.items()})
        else:
            member = environment.script_of(self.archive, package.members, where)
            size, sha256 = measured(canonical.read_blocks(self.path))
            tree = self._resolved(target, package, old)
        return LockRow(
            version=self.version,
            target=target,
            package=self.spec,
            integrity=self.integrity,
            member=member,
            sha256=sha256,
            size_bytes=size,
            tree_sha256=tree,
            beside=beside,
            epoch=epoch,
        )

    @cached_property
    def _files(self) -> dict[str, tuple[int, str]]:
        return {name: measured(self.archive.read(name)) for name in self.archive.portable_names()}

    def _resolved(self, target: str, package: Package, old: LockRow | None) -> str:
        """The digest of the target's requirements: the committed ones as long as they are those of this wheel."""
        listed = self.root.requirements(self.version, target)
        if old is not None and old.integrity == self.integrity and listed.exists():
            content = canonical.read_bytes(listed)
            if hashlib.sha256(content).hexdigest() == old.tree_sha256:
                return old.tree_sha256
        distributions = pypi.resolve(self.spec, package.requires, self.folder)
        for one in distributions:
            if not one.is_wheel:
                self.progress.say(f"{one.name} {one.version} is published as source only: it will be built here")
        self.requirements[listed] = content = environment.requirements(distributions, target)
        return hashlib.sha256(content).hexdigest()

    def _epoch(self, old: LockRow | None) -> int:
        """The package's epoch: the one that it has in the lock, for whichever target, else its publish time."""
        # A mirror may say another time tomorrow; what is stamped with the old one must not change.
        same = [row.epoch for row in self.old.rows if (row.package, row.integrity) == (self.spec, self.integrity)]
        if same:
            return min(same)
        if old is not None:
            self.progress.say(
                f"{self.spec}: the integrity changed from {old.integrity}; a published version should never change"
            )
        return self._published_epoch

    @cached_property
    def _published_epoch(self) -> int:
        epoch = self.client.publish_epoch(self.spec, self.folder)
        epoch = environment_epoch() if epoch is None else epoch
        if epoch is None:
            raise EpochMissing(
                "the registry gives no publish time",
                where=self.spec,
                remedy=f"find it on the package's page, set {VARIABLE} to it (whole seconds since 1970) and run the "
                "task again: the version's artifacts are stamped with it",
            )
        return epoch


def _wanted(
    root: Root, agent: Agent, version: str, targets: Collection[str] | None, progress: Progress
) -> dict[tuple[str, str], dict[str, Package]]:
    """(registry, spec) -> target -> package, targets by name."""
    chosen = sorted(agent.packages if targets is None else set(targets))
    unknown = [target for target in chosen if target not in agent.packages]
    if unknown or not chosen:
        raise UsageError(
            f"no package is declared for {', '.join(unknown) or 'any target'}",
            where=root.agent,
            remedy=f"declared are: {', '.join(sorted(agent.packages)) or 'none'}",
        )
    wanted: dict[tuple[str, str], dict[str, Package]] = defaultdict(dict)
    for target in chosen:
        package = agent.package(version, target)
        if package is None:
            progress.say(f"skipped {target}: its packages begin after {version}")
        elif package.kind == "venv" and not environment.runs_here(target):
            progress.say(f"skipped {target}: what a Python application needs can only be found out there")
        else:
            wanted[package.registry, package.spec(version)][target] = package
    if not wanted:
        raise UsageError(
            f"none of {', '.join(chosen)} can be pinned in version {version} on this machine",
            where=root.agent,
            remedy="ask for another version, or run the task on one of these systems",
        )
    return wanted
