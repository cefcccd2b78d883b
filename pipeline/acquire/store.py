"""The user's cache of what can be run, kept by content: ``<cache>/binaries/<digest>/``.

There lies ``<program>`` (a single file, and what it starts for itself), ``tree/`` (an unpacked package) or ``venv/``
(an environment, see ``environment``). A file or tree is taken on trust while names, sizes, modification times and
inodes are what was recorded when it was verified, and hashed again when they are not. Reads and writes below the
cache folder only; needs no network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pipeline.acquire.archive import Archive
from pipeline.acquire.shelf import discard, home_of, record, recorded, writing
from pipeline.cache import cache_folder
from pipeline.contract.agent import Agent, Package
from pipeline.errors import IntegrityMismatch, WriteFailed
from pipeline.layout import relative
from pipeline.surface.lock import LockRow


class Started(NamedTuple):
    """What is run: the words of ``launcher`` (the first is a program on the PATH), then the file at ``path``."""

    path: Path
    launcher: tuple[str, ...] = ()


def cached_binary(agent: Agent, row: LockRow, cache: Path | None = None) -> Started | None:
    """How to run the row's binary if the cache holds it, else None. Never uses the network.

    None too where ``agent.toml`` declares something else than the row pins.
    """
    package = agent.package(row.version, row.target)
    if package is None or not agrees(package, row):
        return None
    home = home_of(row, cache or cache_folder())
    path = place(agent, package, row, home)
    try:
        state = state_of(package, row, home, path)
    except OSError:
        return None
    if state != recorded(home):
        if package.kind == "venv" or not _is_pinned(package, row, home, path):
            return None
        with contextlib.suppress(OSError, WriteFailed):  # a read-only cache is still a good one
            # What brought the files here (a restored CI cache) may have dropped the mode.
            for file in (path, *(home / name for name in row.beside)):
                file.chmod(0o755)
            record(home, state_of(package, row, home, path))
    return Started(path, package.launcher)


def keep(agent: Agent, package: Package, row: LockRow, archive: Archive, cache: Path, where: str) -> Started:
    """Take the row's file or tree out of its package; the caller holds ``exclusive``.

    Raises IntegrityMismatch (naming ``where``, the row's place) when it is not what the row says,
    WriteFailed when the cache cannot be written. After any failure no part of it stays behind.
    """
    home = home_of(row, cache)
    path = place(agent, package, row, home)
    archive.require(row.member)
    try:
        with writing(home):
            home.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(dir=home, prefix=".", suffix=".part"))
        single = package.kind == "file"
        # The place in the cache -> the one in the package.
        places = {name: name for name in archive.portable_names()} if not single else {path.name: row.member}
        places |= {name: archive.find([package.beside[name]], where) for name in row.beside}
        written = {kept: _write(part / kept, archive.read(member)) for kept, member in places.items()}
        size, sha256 = written[path.name if single else row.member]
        _check("size", row.size_bytes, size, row, where)
        _check("sha256", row.sha256, sha256, row, where)
        for name, digest in row.beside.items():
            _check(f"sha256 of {name}, beside the binary", digest, written[name][1], row, where)
        if not single:
            tree = tree_digest({name: digest for name, (_, digest) in written.items()})
            _check("tree_sha256", row.tree_sha256, tree, row, where)
        with writing(home):
            for kept, member in places.items():
                executable = member == row.member or kept in row.beside or archive.is_executable(member)
                (part / kept).chmod(0o755 if executable else 0o644)
            part.chmod(0o755)  # a temporary folder is its owner's alone
            if single:
                for entry in part.iterdir():
                    entry.replace(home / entry.name)
                part.rmdir()
            else:
                part.replace(home / package.kind)
        record(home, state_of(package, row, home, path))
    except BaseException:  # an interrupt too: nothing half-written stays
        discard(home)
        raise
    return Started(path, package.launcher)


def agrees(package: Package, row: LockRow) -> bool:
    """Whether the row pins what the package is: a single file (and what it declares beside it) or more."""
    return (package.kind == "file") == (row.tree_sha256 is None) and row.beside.keys() <= package.beside.keys()


def place(agent: Agent, package: Package, row: LockRow, home: Path) -> Path:
    """Where the file that is started lies, whether or not it is there."""
    if package.kind == "file":
        return home / (agent.program + (".exe" if row.member.endswith(".exe") else ""))
    return home.joinpath(package.kind, *row.member.split("/"))


def tree_digest(files: Mapping[str, str]) -> str:
    """The sha256 of a tree: of what ``sha256sum`` prints for its files (path -> sha256), sorted by path."""
    lines = (f"{sha256}  {name}\n" for name, sha256 in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def measured(content: Iterable[bytes]) -> tuple[int, str]:
    """Size and sha256 of a file's content."""
    digest, size = hashlib.sha256(), 0
    for chunk in content:
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()


def state_of(package: Package, row: LockRow, home: Path, path: Path) -> str:
    """How what is kept looks from outside; raises OSError when it is not there.

    Of an environment only the script is looked at, and that there still is a Python to run it: pip has verified
    every file, and a look at ten thousand of them would cost more than asking the program for its help.
    """
    path.stat()
    if package.kind == "venv":
        path.with_name("python.exe" if path.suffix == ".exe" else "python").stat()
        return _sha256(path)
    lines = [f"{sha256} {name}\n" for name, sha256 in row.beside.items()]  # the folder's name pins the program only
    for file in _kept_files(package, row, home, path):
        seen = os.stat(file)  # noqa: PTH116 - a Path for each of a thousand files takes three times as long
        lines.append(f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ino} {file}\n")
    return hashlib.sha256("".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def _is_pinned(package: Package, row: LockRow, home: Path, path: Path) -> bool:
    if package.kind == "file":
        beside = {name: _sha256(home / name) for name in row.beside}
        return (_sha256(path), beside) == (row.digest, row.beside)
    top = home / package.kind
    files = map(Path, _kept_files(package, row, home, path))
    return tree_digest({relative(file, top): _sha256(file) for file in files}) == row.digest


def _kept_files(package: Package, row: LockRow, home: Path, path: Path) -> list[str]:
    if package.kind == "file":
        return [str(path), *(str(home / name) for name in row.beside)]
    return [f"{parent}{os.sep}{name}" for parent, _, names in os.walk(home / package.kind) for name in names]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(path: Path, content: Iterable[bytes]) -> tuple[int, str]:
    """Write a new file and return its size and sha256."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("xb")

    def written() -> Iterator[bytes]:
        for chunk in content:
            with writing(path):
                stream.write(chunk)
            yield chunk

    with stream:
        found = measured(written())
        with writing(path):
            stream.flush()
            os.fsync(stream.fileno())
    return found


def _check(what: str, expected: object, found: object, row: LockRow, where: str) -> None:
    if expected != found:
        raise IntegrityMismatch(
            f"{what} of {row.member} in {row.package} is {found}, the lock says {expected}",
            where=where,
            remedy="do not run it; if the lock's row was edited by hand, write it anew with the lock task",
        )
