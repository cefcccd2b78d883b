"""A package's archive, an npm tarball or a wheel: verified, listed and read.

Names in the archive are only looked at: who writes a file under one of them asks ``portable_names`` first.
An archive that no registry's own tool would have made (links, devices, sparse or encrypted files, paths that
leave the package, one path twice) is refused as a whole.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from pipeline.contract.agent import fits
from pipeline.errors import DownloadFailed, IntegrityMismatch, PackageLayoutUnknown

_CHUNK = 1 << 20
_SHOWN = 20
# What Windows refuses in a name, or reads as something else than one.
_UNPORTABLE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]|[. ]$')


@dataclass(frozen=True, slots=True)
class _File:
    opened: Callable[[], IO[bytes]]
    executable: bool


class Archive:
    """An open package. Files are named by their path below the package's own top folder."""

    def __init__(self, spec: str, files: Mapping[str, _File]) -> None:
        self.spec = spec
        self._files = files

    @property
    def names(self) -> list[str]:
        """All files, in the order in which they are read fastest."""
        return list(self._files)

    def portable_names(self) -> list[str]:
        """``names``, once it is sure that each can be a file's path on every system.

        Raises PackageLayoutUnknown for one that cannot.
        """
        for name in self._files:
            if any(part == "" or _UNPORTABLE.search(part) for part in name.split("/")):
                raise _refused(f"{name!r} cannot be a file's name on every system", self.spec)
        return self.names

    def find(self, patterns: Sequence[str], where: object) -> str:
        """The file that the first fitting pattern names; ``*`` stands for one folder or part of a name.

        Raises PackageLayoutUnknown, naming ``where`` the patterns stand, when none fits or one fits twice.
        """
        return find_one(self.names, patterns, self.spec, where)

    def require(self, name: str) -> None:
        """Raises PackageLayoutUnknown when there is no such file."""
        if name not in self._files:
            raise PackageLayoutUnknown(
                f"there is no {name!r} in it; it holds {_some(sorted(self._files))}",
                where=self.spec,
                remedy="the lock's row names another file: write it anew with the lock task",
            )

    def is_executable(self, name: str) -> bool:
        """Whether the mode of a file that is there lets it be run."""
        return self._files[name].executable

    def read(self, name: str) -> Iterator[bytes]:
        """The content of a file that is there, in chunks."""
        with self._files[name].opened() as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk


def find_one(names: Sequence[str], patterns: Sequence[str], spec: str, where: object) -> str:
    """The one of ``names`` that the first fitting pattern names (see ``Archive.find``)."""
    for pattern in patterns:
        found = sorted(name for name in names if fits(name, pattern))
        if len(found) > 1:
            raise PackageLayoutUnknown(
                f"{pattern!r} matches {len(found)} files of {spec}: {_some(found)}",
                where=where,
                remedy="make the pattern narrower",
            )
        if found:
            return found[0]
    raise PackageLayoutUnknown(
        f"no file of {spec} matches {' or '.join(map(repr, patterns))}; it holds {_some(sorted(names))}",
        where=where,
        remedy="add the pattern of the binary's place to `members` of that target",
    )


@contextlib.contextmanager
def open_archive(path: Path, spec: str) -> Iterator[Archive]:
    """Open a wheel (``.whl``) or a tarball; raises DownloadFailed when it cannot be read to its end."""
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                yield Archive(spec, _files(_wheel_entries(wheel, spec), spec))
        else:
            with tarfile.open(path, "r:gz") as tarball:
                yield Archive(spec, _files(_tarball_entries(tarball, spec), spec))
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DownloadFailed(f"the package is no readable archive ({error})", where=spec) from None


def check_integrity(path: Path, expected: str, spec: str) -> None:
    """Compare the archive with its published integrity (``sha512-<base64>``, ``sha256-<base64>``).

    Raises DownloadFailed when a tarball is cut off, IntegrityMismatch when it is whole but another.
    """
    algorithm = expected.partition("-")[0]
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, algorithm).digest()
    found = f"{algorithm}-{base64.b64encode(digest).decode('ascii')}"
    if found == expected:
        return
    if _is_cut_off(path):
        raise DownloadFailed(
            f"the download was interrupted: {path.stat().st_size} bytes of an archive that goes on",
            where=spec,
            remedy="run the task again",
        )
    raise IntegrityMismatch(
        f"the archive's integrity is {found}, the registry publishes {expected}",
        where=spec,
        remedy="do not use it; try again, and if it stays, ask who runs the registry",
    )


def _is_cut_off(path: Path) -> bool:
    if path.stat().st_size == 0:
        return True
    try:
        with gzip.open(path) as stream:
            while stream.read(_CHUNK):
                pass
    except EOFError:
        return True
    except (OSError, zlib.error):
        return False
    return False


def _files(entries: Iterator[tuple[str, _File]], spec: str) -> dict[str, _File]:
    files: dict[str, _File] = {}
    for name, file in entries:
        if name in files:
            raise _refused(f"it holds {name!r} twice", spec)
        files[name] = file
    return files


def _tarball_entries(tarball: tarfile.TarFile, spec: str) -> Iterator[tuple[str, _File]]:
    for entry in tarball:
        if entry.isdir():
            continue
        if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or entry.issparse():
            raise _refused(f"{entry.name!r} is a link or another special file", spec)
        # npm packs everything below one folder, whatever its name.
        name = "/".join(_parts(entry.name, spec)[1:])
        yield name, _File(partial(_extracted, tarball, entry), bool(entry.mode & 0o111))


def _extracted(tarball: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    stream = tarball.extractfile(entry)
    assert stream is not None  # noqa: S101 - only folders and special files have no content
    return stream


def _wheel_entries(wheel: zipfile.ZipFile, spec: str) -> Iterator[tuple[str, _File]]:
    for entry in wheel.infolist():
        if entry.is_dir():
            continue
        mode = entry.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or entry.flag_bits & 0x1:
            raise _refused(f"{entry.filename!r} is a link, encrypted or another special file", spec)
        name = "/".join(_parts(entry.filename, spec))
        yield name, _File(partial(wheel.open, entry), bool(mode & 0o111))


def _parts(path: str, spec: str) -> list[str]:
    """The parts of an entry's path; raises PackageLayoutUnknown for one that leaves the package."""
    parts = path.split("/")
    if "\\" in path or parts[0] == "" or ".." in parts:
        raise _refused(f"the path {path!r} leaves the package", spec)
    return [part for part in parts if part not in ("", ".")]


def _refused(problem: str, spec: str) -> PackageLayoutUnknown:
    return PackageLayoutUnknown(
        f"the package was refused: {problem}", where=spec, remedy="do not use it: registries have no such packages"
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "") if names else "no files"
