"""A published version that no lock pins, there for as long as somebody looks at it.

The package comes through its registry's client and is held against the digest that the registry publishes; what is in
it is measured as for a row of the lock, which is written nowhere. Nothing stays behind, however that ended, unless it
is to be kept in the cache. Raises DownloadFailed, IntegrityMismatch, PackageLayoutUnknown, UsageError and WriteFailed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pipeline import canonical
from pipeline.acquire import environment, shelf, store
from pipeline.acquire.fetch import CLIENTS, fetched
from pipeline.acquire.pin import Release
from pipeline.acquire.store import Started
from pipeline.cache import cache_folder
from pipeline.contract.agent import Agent
from pipeline.errors import DownloadFailed, UsageError
from pipeline.layout import Root
from pipeline.progress import Progress
from pipeline.surface.lock import Lock, LockRow

# A row needs one; this one stamps nothing.
_NO_TIME = 0


@contextlib.contextmanager
def unlocked(
    root: Root,
    agent: Agent,
    version: str,
    target: str,
    *,
    keep: bool = False,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Started, LockRow]]:
    """What ``version`` on ``target`` is, and what a lock would say of it; ``keep`` leaves it in the cache."""
    cache, progress = cache or cache_folder(), progress or Progress()
    package = agent.package(version, target)
    if package is None or (package.kind == "venv" and not environment.runs_here(target)):
        raise UsageError(
            f"no package of {version} can be had for {target} on this machine",
            where=root.agent,
            remedy=f"declared are: {', '.join(sorted(agent.packages)) or 'none'}",
        )
    client, spec = CLIENTS[package.registry], package.spec(version)
    with shelf.download_folder(cache) as folder:
        integrity = client.integrity(spec, folder)
        if integrity is None:
            raise DownloadFailed("the registry has no such package", where=spec, remedy="ask for another version")
        place = cache if keep else folder / "cache"
        with fetched(client, spec, integrity, folder, progress) as (path, archive):
            nothing = Lock(lock_schema_version=1, rows=())
            release = Release(
                root, version, client, spec, integrity, path, archive, folder, progress, nothing, epoch=_NO_TIME
            )
            row = release.row(target, package)
            with shelf.exclusive(row, place, progress.say):
                started = store.cached_binary(agent, row, place)
                if started is None:
                    shelf.discard(shelf.home_of(row, place))
                    if package.kind == "venv":
                        own = Root(folder / "root")
                        [listed] = release.requirements.values()
                        canonical.write(own.requirements(version, target), listed)
                        started = environment.make(own, agent, package, row, place, folder)
                    else:
                        started = store.keep(agent, package, row, archive, place, spec)
        yield started, row
