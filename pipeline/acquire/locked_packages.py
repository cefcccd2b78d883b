"""npm packages with all that they need, pinned by a ``package-lock.json``: ``<cache>/packages/<digest>/node_modules``.

``pinned`` is a folder that holds that file and its ``package.json``; the digest is that of the lock, for one system.
npm itself holds every package against the lock's digests when it installs, and no script of a package runs. What was
installed once is taken on trust. Raises DownloadFailed (npm is missing or fails), IntegrityMismatch, WriteFailed.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path

from pipeline import canonical
from pipeline.acquire import npm, shelf
from pipeline.cache import cache_folder
from pipeline.progress import Progress

_LOCK, _PACKAGE = "package-lock.json", "package.json"


def installed(pinned: Path, cache: Path | None = None) -> Path | None:
    """The folder ``node_modules`` if the cache holds it, else None. Never uses the network."""
    home, digest = _home(pinned, cache or cache_folder())
    return home / "node_modules" if shelf.recorded(home) == digest else None


def install(pinned: Path, *, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """The same, installed first unless it is there. After a failure nothing stays behind."""
    cache, progress = cache or cache_folder(), progress or Progress()
    home, digest = _home(pinned, cache)
    with shelf.held(digest, pinned.name, cache, progress.say):
        found = installed(pinned, cache)
        if found is not None:
            return found
        shelf.discard(home)
        progress.say(f"installing {pinned.name}")
        try:
            with shelf.download_folder(cache) as downloads:
                for name in (_PACKAGE, _LOCK):
                    canonical.write(home / name, canonical.read_bytes(pinned / name))
                npm.install(pinned.name, home, downloads)
            shelf.record(home, digest)
        except BaseException:  # an interrupt too: nothing half-written stays
            shelf.discard(home)
            raise
    return home / "node_modules"


def _home(pinned: Path, cache: Path) -> tuple[Path, str]:
    system = f"{sys.platform} {platform.machine()}\n".encode()
    digest = hashlib.sha256(system + canonical.read_bytes(pinned / _LOCK)).hexdigest()
    return cache / "packages" / digest, digest
