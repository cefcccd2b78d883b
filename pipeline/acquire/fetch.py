"""``acquire``: one row of ``artifacts.lock.json`` -> what it pins, verified, in the cache.

The package comes through its registry's client. Refuses a version and target that the lock does not pin, and
anything that differs from the row: the integrity before a byte is downloaded, then the archive's, then size and
sha256 of the file and of its tree.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.acquire import environment, npm, pypi, shelf, store
from pipeline.acquire.archive import Archive, check_integrity, open_archive
from pipeline.acquire.client import Client
from pipeline.acquire.store import Started
from pipeline.cache import cache_folder
from pipeline.contract.agent import Agent, Package
from pipeline.contract.folder import read_lock
from pipeline.errors import ArtifactInvalid, ArtifactMissing, DownloadFailed, IntegrityMismatch
from pipeline.layout import Root
from pipeline.progress import Progress
from pipeline.surface.lock import LockRow

CLIENTS: Mapping[str, Client] = {"npm": npm, "pypi": pypi}


def acquire(
    root: Root, agent: Agent, version: str, target: str, *, cache: Path | None = None, progress: Progress | None = None
) -> Started:
    """What ``version`` on ``target`` is, as the lock pins it, fetched unless the cache holds it.

    Raises ArtifactMissing (no such row), ArtifactInvalid (a row of something else than ``agent.toml`` declares),
    DownloadFailed, IntegrityMismatch, PackageLayoutUnknown or WriteFailed; a failure leaves nothing behind.
    """
    cache, progress = cache or cache_folder(), progress or Progress()
    row, package = _pinned(root, agent, version, target)
    found = store.cached_binary(agent, row, cache)
    if found is not None:
        return found
    with shelf.exclusive(row, cache, progress.say):
        found = store.cached_binary(agent, row, cache)  # another run may have brought it meanwhile
        if found is not None:
            return found
        shelf.discard(shelf.home_of(row, cache))
        with shelf.download_folder(cache) as folder:
            if package.kind == "venv":
                progress.say(f"installing {row.package}")
                return environment.make(root, agent, package, row, cache, folder)
            where = f"{root.lock}: {version} {target}"
            client = CLIENTS[package.registry]
            _check_published(client, row, folder, where)
            with fetched(client, row.package, row.integrity, folder, progress) as (_, archive):
                return store.keep(agent, package, row, archive, cache, where)


@contextlib.contextmanager
def fetched(
    client: Client, spec: str, integrity: str, folder: Path, progress: Progress
) -> Iterator[tuple[Path, Archive]]:
    """Download ``spec`` into ``folder``, verify it and open it: its path and its content."""
    path = client.fetch(spec, folder, progress)
    check_integrity(path, integrity, spec)
    with open_archive(path, spec) as archive:
        yield path, archive


def _pinned(root: Root, agent: Agent, version: str, target: str) -> tuple[LockRow, Package]:
    row, package = read_lock(root).row(version, target), agent.package(version, target)
    remedy = f"run `doit lock:{root.path.name}:{version}`"
    if row is None:
        raise ArtifactMissing(f"no row pins version {version} on {target}", where=root.lock, remedy=remedy)
    if package is None or not store.agrees(package, row):
        declared = f'kind = "{package.kind}"' if package else "no package"
        pinned = ["a tree" if row.tree_sha256 else "a file", *row.beside]
        raise ArtifactInvalid(
            f"the row of {version} on {target} pins {' and '.join(pinned)}, "
            f"{root.agent.name} declares {', '.join([declared, *(package.beside if package else ())])} for it",
            where=root.lock,
            remedy=remedy,
        )
    return row, package


def _check_published(client: Client, row: LockRow, folder: Path, where: str) -> None:
    published = client.integrity(row.package, folder)
    if published is None:
        raise DownloadFailed(
            "the registry has no such package", where=row.package, remedy="check the registry setting of npm or pip"
        )
    if published != row.integrity:
        raise IntegrityMismatch(
            f"the registry publishes {row.package} with integrity {published}, the lock says {row.integrity}",
            where=where,
            remedy="a published version never changes: find out which of the two is right before you lock anew",
        )
