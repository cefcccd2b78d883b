"""Foreign wrappers: their published packages, pinned in a lock of their own and kept like the binaries.

A wrapper's folder is laid out like an agent's, so ``fetch.acquire`` brings what its lock pins: an npm package as a
tree, a Python distribution in an environment with all that it needs. Pinning is done once for a version; afterwards
what the registry serves has to be that.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.acquire import environment, npm, pypi
from pipeline.acquire.fetch import CLIENTS, acquire, fetched
from pipeline.acquire.shelf import download_folder
from pipeline.acquire.store import Started, cached_binary, measured, tree_digest
from pipeline.cache import cache_folder
from pipeline.clock import VARIABLE, environment_epoch
from pipeline.contract.agent import Agent, Help, Package
from pipeline.contract.folder import read_lock
from pipeline.errors import BinaryMissing, DownloadFailed, EpochMissing
from pipeline.layout import WrapperRoot
from pipeline.progress import Progress
from pipeline.surface.lock import Lock, LockRow
from pipeline.trace.described import ForeignWrapper, PublishedPackage

# Every npm package has one; of an environment it is the Python that counts.
_MEMBERS = {"npm": "package.json", "pypi": "Scripts/python.exe" if sys.platform == "win32" else "bin/python"}


class Fetched(NamedTuple):
    """A wrapper's package: the folder that its files are named in, and for Python the interpreter that imports it."""

    folder: Path
    python: Path | None
    row: LockRow


def fetch(
    root: WrapperRoot,
    wrapper: ForeignWrapper,
    target: str,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """The wrapper's package, from the cache or the network; its version is pinned first if it is not yet.

    ``target`` is the one that it is traced on. Raises what ``fetch.acquire`` raises, and EpochMissing where a new
    version's time of publication is told by nobody.
    """
    cache, progress = cache or cache_folder(), progress or Progress()
    row = pinned(root, wrapper, target)
    if row is None:
        row = _pin(root, wrapper.package, target, cache, progress)
    started = acquire(root, _agent(wrapper, target), row.version, target, cache=cache, progress=progress)
    return _fetched(wrapper.package, started, row)


def cached(root: WrapperRoot, wrapper: ForeignWrapper, target: str, *, task: str, cache: Path | None = None) -> Fetched:
    """The same from the cache alone. Raises BinaryMissing, which names the ``task`` that brings it."""
    row = pinned(root, wrapper, target)
    started = cached_binary(_agent(wrapper, target), row, cache) if row else None
    if row is None or started is None:
        raise BinaryMissing(
            f"{wrapper.package.name} {wrapper.package.version} is not in the cache",
            where=root.description,
            remedy=f"run `{task}`",
        )
    return _fetched(wrapper.package, started, row)


def pinned(root: WrapperRoot, wrapper: ForeignWrapper, target: str) -> LockRow | None:
    """The row of the package that ``wrapper.toml`` names; None if the lock has no such row."""
    row = read_lock(root).row(wrapper.package.version, target)
    return row if row is not None and row.package == wrapper.package.spec else None


def _agent(wrapper: ForeignWrapper, target: str) -> Agent:
    package = wrapper.package
    published = Package(
        name=package.name,
        registry=package.registry,
        kind="tree" if package.registry == "npm" else "venv",
        members=(_MEMBERS[package.registry],),
    )
    return Agent(tool=package.name, program=package.name, help=Help(), packages={target: published})


def _pin(root: WrapperRoot, package: PublishedPackage, target: str, cache: Path, progress: Progress) -> LockRow:
    client, spec = CLIENTS[package.registry], package.spec
    with download_folder(cache) as folder:
        integrity = client.integrity(spec, folder)
        if integrity is None:
            raise DownloadFailed(
                "the registry has no such package", where=spec, remedy="check the version in wrapper.toml"
            )
        files: dict[Path, bytes] = {}
        with fetched(client, spec, integrity, folder, progress) as (path, archive):
            member = _MEMBERS[package.registry]
            if package.registry == "npm":
                each = {name: measured(archive.read(name)) for name in archive.portable_names()}
                archive.require(member)
                size, sha256 = each[member]
                tree = tree_digest({name: digest for name, (_, digest) in each.items()})
            else:
                size, sha256 = measured(canonical.read_blocks(path))
                listed = environment.requirements(pypi.resolve(spec, (), folder), target)
                files[root.requirements(package.version, target)] = listed
                _, tree = measured([listed])
        row = LockRow(
            version=package.version,
            target=target,
            package=spec,
            integrity=integrity,
            member=member,
            sha256=sha256,
            size_bytes=size,
            tree_sha256=tree,
            epoch=_epoch(package, spec, folder),
        )
    canonical.write_all([*files.items(), (root.lock, canonical.encode(Lock(lock_schema_version=1, rows=(row,))))])
    return row


def _epoch(package: PublishedPackage, spec: str, folder: Path) -> int:
    epoch = npm.publish_epoch(spec, folder) if package.registry == "npm" else environment_epoch()
    if epoch is None:
        raise EpochMissing(
            "the registry gives no publish time",
            where=spec,
            remedy=f"find it on the package's page, set {VARIABLE} to it (whole seconds since 1970) and run the task "
            "again: what is derived of the wrapper is stamped with it",
        )
    return epoch


def _fetched(package: PublishedPackage, started: Started, row: LockRow) -> Fetched:
    if package.registry == "npm":
        return Fetched(started.path.parent, None, row)
    libraries = started.path.parents[1]
    [folder] = [*libraries.glob("lib/python*/site-packages"), *libraries.glob("Lib/site-packages")][:1]
    return Fetched(folder, started.path, row)
