"""``lock``: published packages -> rows of ``artifacts.lock.json``. ``acquire``: one row -> a verified binary.

Both go through the npm client and verify the tarball against the integrity that the registry publishes.
``acquire`` refuses a version and target that the lock does not pin, and anything that differs from the row:
the integrity before a byte is downloaded, then the binary's size and sha256.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline import canonical
from pipeline.acquire import npm, store
from pipeline.acquire.progress import Progress
from pipeline.acquire.tarball import Package, check_integrity, open_package
from pipeline.cache import cache_folder
from pipeline.contract import agent as contract
from pipeline.contract.agent import Agent
from pipeline.contract.folder import read_lock
from pipeline.errors import ArtifactMissing, DownloadFailed, IntegrityMismatch, UsageError
from pipeline.layout import Root, check_version, version_key
from pipeline.surface.lock import Lock, LockRow


def acquire(
    root: Root, agent: Agent, version: str, target: str, *, cache: Path | None = None, progress: Progress | None = None
) -> Path:
    """The binary of ``version`` on ``target`` as the lock pins it, fetched unless the cache holds it.

    Raises ArtifactMissing (no such row), DownloadFailed, IntegrityMismatch, PackageLayoutUnknown or
    WriteFailed; a failure leaves nothing half-written behind.
    """
    cache, progress = cache or cache_folder(), progress or Progress()
    row = _pinned(root, version, target)
    where = f"{root.lock}: {version} {target}"
    found = store.cached_binary(agent, row, cache)
    if found is not None:
        return found
    with store.exclusive(row, cache, progress.say):
        found = store.cached_binary(agent, row, cache)  # another run may have brought it meanwhile
        if found is not None:
            return found
        store.discard(row, cache)
        with store.download_folder(cache) as folder:
            published = npm.integrity(row.package, folder)
            if published is None:
                raise DownloadFailed(
                    "the registry has no such package", where=row.package, remedy="check npm's registry setting"
                )
            if published != row.integrity:
                raise IntegrityMismatch(
                    f"the registry publishes {row.package} with integrity {published}, the lock says {row.integrity}",
                    where=where,
                    remedy="a published version never changes: find out which of the two is right before you lock anew",
                )
            with _fetched(row.package, published, folder, progress) as package:
                return store.keep(agent, row, package.read(row.member), cache, where)


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

    Each package is downloaded once, however many targets it holds. A target that was not published in this
    version is skipped with a message; raises DownloadFailed when that is true of all. Nothing is written
    unless every other row could be made.
    """
    cache, progress = cache or cache_folder(), progress or Progress()
    holds = _packages(root, agent, check_version(version), targets)
    old = read_lock(root)
    rows = {(row.version, row.target): row for row in old.rows}
    published = False
    for spec, members in sorted(holds.items()):
        with store.download_folder(cache) as folder:
            integrity = npm.integrity(spec, folder)
            if integrity is None:
                progress.say(f"skipped {', '.join(members)}: {spec} is not published")
                continue
            published = True
            with _fetched(spec, integrity, folder, progress) as package:
                for target, patterns in members.items():
                    where = f"{root.agent}: packages.{target}.members"
                    member = package.find(patterns, where)
                    size, sha256 = _measured(package, member)
                    rows[version, target] = LockRow(
                        version=version,
                        target=target,
                        package=spec,
                        integrity=integrity,
                        member=member,
                        sha256=sha256,
                        size_bytes=size,
                        epoch=_epoch(old.row(version, target), spec, integrity, folder, progress),
                    )
    if not published:
        raise DownloadFailed(
            f"no package of version {version} is published: {', '.join(sorted(holds))}",
            where=root.agent,
            remedy="check the version and npm's registry setting",
        )
    made = Lock(
        lock_schema_version=1,
        rows=tuple(sorted(rows.values(), key=lambda row: (version_key(row.version), row.version, row.target))),
    )
    canonical.write(root.lock, canonical.encode(made))
    return made


def package_spec(package: contract.Package, version: str) -> str:
    """What to ask the registry for: ``<name>@<version>``, with the target's suffix unless all targets share one."""
    shared = package.shared_until is not None and version_key(version) <= version_key(package.shared_until)
    return f"{package.name}@{version}" + ("" if shared or not package.suffix else f"-{package.suffix}")


def _pinned(root: Root, version: str, target: str) -> LockRow:
    row = read_lock(root).row(version, target)
    if row is None:
        raise ArtifactMissing(
            f"no row pins version {version} on {target}",
            where=root.lock,
            remedy=f"run `doit lock:{root.path.name}:{version}`",
        )
    return row


def _packages(
    root: Root, agent: Agent, version: str, targets: Collection[str] | None
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Package spec -> target -> patterns of the binary inside it, targets by name."""
    chosen = sorted(agent.packages if targets is None else set(targets))
    unknown = [target for target in chosen if target not in agent.packages]
    if unknown or not chosen:
        raise UsageError(
            f"no package is declared for {', '.join(unknown) or 'any target'}",
            where=root.agent,
            remedy=f"declared are: {', '.join(sorted(agent.packages)) or 'none'}",
        )
    holds: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for target in chosen:
        package = agent.packages[target]
        holds[package_spec(package, version)][target] = package.members
    return holds


@contextlib.contextmanager
def _fetched(spec: str, integrity: str, folder: Path, progress: Progress) -> Iterator[Package]:
    """Download ``spec`` into ``folder``, verify it and open it."""
    tarball = npm.pack(spec, folder, progress)
    check_integrity(tarball, integrity, spec)
    with open_package(tarball, spec) as package:
        yield package


def _measured(package: Package, member: str) -> tuple[int, str]:
    """Size and sha256 of one file of the package."""
    digest, size = hashlib.sha256(), 0
    for chunk in package.read(member):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def _epoch(old: LockRow | None, spec: str, integrity: str, folder: Path, progress: Progress) -> int:
    """The row's epoch: kept as long as the package is the same, else the registry's publish time."""
    if old is not None and old.integrity == integrity:
        # A mirror may say another time tomorrow; what is stamped with the old one must not change.
        return old.epoch
    if old is not None:
        progress.say(f"{spec}: the integrity changed from {old.integrity}; a published version should never change")
    return npm.publish_epoch(spec, folder)
