"""A package's tarball: verified, listed and read; never unpacked.

Only the bytes of one regular file are ever taken out, under a name of our own, so nothing in the archive
decides where something is written. An archive that npm would not have made (links, devices, sparse files,
paths that leave the package, one path twice) is refused as a whole.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline.acquire.store import CHUNK
from pipeline.errors import DownloadFailed, IntegrityMismatch, PackageLayoutUnknown

_SHOWN = 20


class Package:
    """An open package. Files are named by their path below the package's own top folder."""

    def __init__(self, archive: tarfile.TarFile, spec: str) -> None:
        self.spec = spec
        self._archive = archive
        self._files: dict[str, tarfile.TarInfo] = {}
        for entry in archive:
            if entry.isdir():
                continue
            name = _inside(entry, spec)
            if name in self._files:
                raise _refused(f"it holds {name!r} twice", spec)
            self._files[name] = entry

    def find(self, patterns: Sequence[str], where: object) -> str:
        """The file that the first fitting pattern names; ``*`` stands for one folder or part of a name.

        Raises PackageLayoutUnknown, naming ``where`` the patterns stand, when none fits or one fits twice.
        """
        for pattern in patterns:
            found = sorted(name for name in self._files if _matches(name, pattern))
            if len(found) > 1:
                raise PackageLayoutUnknown(
                    f"{pattern!r} matches {len(found)} files of {self.spec}: {_some(found)}",
                    where=where,
                    remedy="make the pattern narrower",
                )
            if found:
                return found[0]
        raise PackageLayoutUnknown(
            f"no file of {self.spec} matches {' or '.join(map(repr, patterns))}; it holds {_some(sorted(self._files))}",
            where=where,
            remedy="add the pattern of the binary's place to `members` of that target",
        )

    def read(self, name: str) -> Iterator[bytes]:
        """The file's content in chunks. Raises PackageLayoutUnknown when there is no such file."""
        entry = self._files.get(name)
        stream = self._archive.extractfile(entry) if entry else None
        if stream is None:
            raise PackageLayoutUnknown(
                f"there is no {name!r} in it; it holds {_some(sorted(self._files))}",
                where=self.spec,
                remedy="the lock's row names another file: write it anew with the lock task",
            )
        with stream:
            while chunk := stream.read(CHUNK):
                yield chunk


@contextlib.contextmanager
def open_package(path: Path, spec: str) -> Iterator[Package]:
    """Open a tarball; raises DownloadFailed when it cannot be read to its end, also while it is open."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            yield Package(archive, spec)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DownloadFailed(f"the package is no readable tarball ({error})", where=spec) from None


def check_integrity(path: Path, expected: str, spec: str) -> None:
    """Compare the tarball with its published integrity (``sha512-<base64>``).

    Raises DownloadFailed when the tarball is cut off, IntegrityMismatch when it is whole but another.
    """
    with path.open("rb") as stream:
        found = "sha512-" + base64.b64encode(hashlib.file_digest(stream, "sha512").digest()).decode("ascii")
    if found == expected:
        return
    if _is_cut_off(path):
        raise DownloadFailed(
            f"the download was interrupted: {path.stat().st_size} bytes of a tarball that goes on",
            where=spec,
            remedy="run the task again",
        )
    raise IntegrityMismatch(
        f"the tarball's integrity is {found}, the registry publishes {expected}",
        where=spec,
        remedy="do not use it; try again, and if it stays, ask who runs the registry",
    )


def _is_cut_off(path: Path) -> bool:
    if path.stat().st_size == 0:
        return True
    try:
        with gzip.open(path) as stream:
            while stream.read(CHUNK):
                pass
    except EOFError:
        return True
    except (OSError, zlib.error):
        return False
    return False


def _inside(entry: tarfile.TarInfo, spec: str) -> str:
    """The entry's path below the top folder; raises PackageLayoutUnknown for what npm never packs."""
    if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or entry.issparse():
        raise _refused(f"{entry.name!r} is a link or another special file", spec)
    parts = entry.name.split("/")
    if "\\" in entry.name or parts[0] == "" or ".." in parts:
        raise _refused(f"the path {entry.name!r} leaves the package", spec)
    return "/".join(part for part in parts[1:] if part not in ("", "."))


def _matches(name: str, pattern: str) -> bool:
    parts, globs = name.split("/"), pattern.split("/")
    return len(parts) == len(globs) and all(map(fnmatchcase, parts, globs))


def _refused(problem: str, spec: str) -> PackageLayoutUnknown:
    return PackageLayoutUnknown(
        f"the package was refused: {problem}", where=spec, remedy="do not use it: npm does not publish such packages"
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "") if names else "no files"
