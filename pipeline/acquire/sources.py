"""Published projects as their source distributions: pinned once in a lock of their own, kept as they were served.

``<cache>/sources/<sha256>/<name>-<version>.tar.gz`` is verified by its digest whenever it is used, and unpacked where a
copy is wanted. A lock's rows are written by the first ``fetch`` of a version; what is served afterwards has to be that.
Fetching lets pip ask the project's own build backend for its metadata, so it runs code of the project.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.acquire import pypi
from pipeline.acquire.archive import check_integrity, open_archive
from pipeline.acquire.shelf import download_folder, writing
from pipeline.cache import cache_folder
from pipeline.errors import AcquireError, BinaryMissing, DownloadFailed
from pipeline.progress import Progress
from pipeline.surface.units import Shape


class SourceRow(Shape, frozen=True, kw_only=True):
    """One source distribution; ``integrity`` (SRI) is that of the archive."""

    name: str
    version: str
    integrity: str
    size_bytes: int

    @property
    def spec(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def sha256(self) -> str:
        return base64.b64decode(self.integrity.partition("-")[2]).hex()


class SourceLock(Shape, frozen=True, kw_only=True):
    """``<suite>.lock.json``: rows sorted by name, then version."""

    lock_schema_version: Literal[1]
    rows: tuple[SourceRow, ...]

    def row(self, name: str, version: str) -> SourceRow | None:
        return next((row for row in self.rows if (row.name, row.version) == (name, version)), None)


def fetch(lock: Path, name: str, version: str, *, cache: Path | None = None, progress: Progress | None = None) -> Path:
    """The archive of a version, from the cache or the network; it is pinned first if it is not yet.

    Raises DownloadFailed, IntegrityMismatch, WriteFailed, and ArtifactInvalid for an unreadable lock.
    """
    cache, progress = cache or cache_folder(), progress or Progress()
    locked = _read(lock)
    row = locked.row(name, version)
    if row is not None and (found := _kept(row, cache)) is not None:
        return found
    spec = f"{name}=={version} --no-binary {name}"
    with download_folder(cache) as folder:
        integrity = row.integrity if row else pypi.integrity(spec, folder)
        if integrity is None:
            raise DownloadFailed("the registry has no such source distribution", where=spec, remedy="check the version")
        path = pypi.fetch(spec, folder, progress)
        check_integrity(path, integrity, spec)
        if row is None:
            row = SourceRow(name=name, version=version, integrity=integrity, size_bytes=path.stat().st_size)
            rows = sorted((*locked.rows, row), key=lambda one: (one.name, one.version))
            canonical.write(lock, canonical.encode(SourceLock(lock_schema_version=1, rows=tuple(rows))))
        canonical.write(_place(row, cache), canonical.read_bytes(path))
    return _place(row, cache)


def cached(lock: Path, name: str, version: str, *, remedy: str, cache: Path | None = None) -> Path:
    """The same from the cache alone. Raises BinaryMissing, which says the ``remedy``."""
    row = _read(lock).row(name, version)
    found = _kept(row, cache or cache_folder()) if row else None
    if found is None:
        raise BinaryMissing(f"{name} {version} is not in the cache", where=lock, remedy=remedy)
    return found


def unpack(archive: Path, into: Path) -> None:
    """Unpack a source distribution: what lies below its own top folder comes below ``into``.

    Raises DownloadFailed or PackageLayoutUnknown for what no registry's own tool would have made, and WriteFailed.
    """
    with open_archive(archive, archive.name) as opened:
        for name in opened.portable_names():
            path = into / name
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as stream:
                    stream.writelines(opened.read(name))
                path.chmod(0o755 if opened.is_executable(name) else 0o644)


def _read(lock: Path) -> SourceLock:
    return canonical.read(lock, SourceLock) if lock.exists() else SourceLock(lock_schema_version=1, rows=())


def _place(row: SourceRow, cache: Path) -> Path:
    return cache / "sources" / row.sha256 / f"{row.name}-{row.version}.tar.gz"


def _kept(row: SourceRow, cache: Path) -> Path | None:
    path = _place(row, cache)
    if not path.is_file():
        return None
    try:
        check_integrity(path, row.integrity, row.spec)
    except AcquireError:
        return None
    return path
