"""Converters of other people, as data: what pins them, how they are called, and where they want their inputs.

One table for each direction in ``peers/``, beside a folder with a ``package-lock.json`` for each converter. A converter
works on a copy of the tree, with a home of its own and no network. That it cannot be had here is a reason, no error;
that it stops is a result.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from pipeline.acquire.locked_packages import install, installed
from pipeline.config.mapping import Row
from pipeline.config.verify.stand import SECONDS, Stand
from pipeline.errors import BinaryError, DownloadFailed, UsageError
from pipeline.process import clean_environment, run
from pipeline.progress import Progress
from pipeline.toml import read_toml

_RUNTIME = "node"
_SHOWN = 400
_BYTES = 16 << 20


class Input(Row, frozen=True, kw_only=True):
    """Where a file of the tree is copied to for the converter; ``place`` may repeat groups of the pattern ``path``."""

    path: str
    place: str


class Converter(Row, frozen=True, kw_only=True):
    """``program`` lies below node_modules, ``node`` is the oldest runtime that it takes."""

    id: str
    package: str
    program: str
    node: str
    argv: tuple[str, ...]
    inputs: tuple[Input, ...] = ()

    @property
    def pinned(self) -> Path:
        return _folder() / self.id


class Table(Row, frozen=True, kw_only=True):
    converters: tuple[Converter, ...]


class Release(msgspec.Struct, frozen=True):
    """What the lock says of a package."""

    version: str
    integrity: str


class _Packages(msgspec.Struct, frozen=True):
    packages: dict[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a converter cannot be run here, and what would help."""

    reason: str


def converters(mapping: str) -> tuple[Converter, ...]:
    """The converters of a direction; none where nobody has described any."""
    path = _folder() / f"{mapping}.toml"
    return read_toml(path, Table).converters if path.is_file() else ()


def release(converter: Converter) -> Release:
    """What is pinned."""
    locked = msgspec.json.decode((converter.pinned / "package-lock.json").read_bytes(), type=_Packages)
    return msgspec.convert(locked.packages[f"node_modules/{converter.package}"], Release)


def fetch(name: str) -> None:
    """Bring a converter, and the runtime where this machine's is too old, into the cache.

    Raises UsageError for a name that is none, DownloadFailed, IntegrityMismatch, WriteFailed.
    """
    known = {one.id: one for path in sorted(_folder().glob("*.toml")) for one in converters(path.stem)}
    if name not in known:
        raise UsageError(f"there is no converter {name!r}", remedy=f"choose from {', '.join(known)}")
    install(known[name].pinned)
    if not _own_runtime(known[name]):
        install(_folder() / _RUNTIME)


def command(converter: Converter, *, offline: bool, progress: Progress | None = None) -> tuple[str, ...] | Absent:
    """The words that start a converter; fetched first unless ``offline``. Raises IntegrityMismatch, WriteFailed."""
    found = _packages(converter.pinned, converter.id, offline, progress)
    if isinstance(found, Absent):
        return found
    node = _own_runtime(converter)
    if node is None:
        packages = _packages(_folder() / _RUNTIME, converter.id, offline, progress)
        if isinstance(packages, Absent):
            return Absent(f"it needs Node {converter.node} or newer; {packages.reason}")
        place = next((path for path in sorted(packages.glob("*/bin/node*"))), None)
        if place is None:
            return Absent(f"it needs Node {converter.node} or newer, and none is pinned for this machine")
        node = str(place)
    return (node, "--import", (_folder() / "offline.mjs").as_uri(), str(found / converter.program), *converter.argv)


def convert(made: Stand, converter: Converter, words: tuple[str, ...]) -> str | None:
    """Run a converter in a stand; what it said where it stopped, None where it came to its end."""
    _place(made.repo, converter)
    home = made.home.parent / "converter"
    (home / "tmp").mkdir(parents=True)
    environment = clean_environment(home, {"DO_NOT_TRACK": "1", "NO_UPDATE_NOTIFIER": "1"})
    try:
        done = run(words, env=environment, cwd=made.repo, seconds=SECONDS, max_bytes=_BYTES)
    except BinaryError as error:
        return _told(made, error.problem, Path(words[0]).parent)
    if done.returncode == 0:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).decode("utf-8", "replace")
    return f"exit code {done.returncode}: {_told(made, said, home)}"


def _told(made: Stand, text: str, home: Path) -> str:
    """The end of a text in one line, without folders of this run."""
    line = " ".join(made.told(text).replace(str(home), "{home}").split())
    return line if len(line) <= _SHOWN else f"… {line[-_SHOWN:].partition(' ')[2]}"


def _place(repo: Path, converter: Converter) -> None:
    if not converter.inputs:
        return
    for path in sorted(path for path in repo.rglob("*") if path.is_file()):
        name = path.relative_to(repo).as_posix()
        for one in converter.inputs:
            if fitting := re.fullmatch(one.path, name):
                place = repo / fitting.expand(one.place)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place)
                break


def _packages(pinned: Path, name: str, offline: bool, progress: Progress | None) -> Path | Absent:
    if offline:
        remedy = f"run `doit fetch-peer:{name}`, or leave out --offline"
        return installed(pinned) or Absent(f"{pinned.name} is not in the cache: {remedy}")
    try:
        return install(pinned, progress=progress)
    except DownloadFailed as error:
        return Absent(f"{pinned.name} cannot be fetched: {error.problem}")


def _own_runtime(converter: Converter) -> str | None:
    """This machine's runtime, if it is new enough."""
    found = shutil.which(_RUNTIME)
    if found is None:
        return None
    try:
        done = run(
            [found, "--version"],
            env=clean_environment(Path(found).parent, {}),
            cwd=Path(found).parent,
            seconds=SECONDS,
            max_bytes=_BYTES,
        )
    except BinaryError:
        return None
    version = re.match(rb"v(\d+)\.(\d+)\.(\d+)", done.stdout)
    wanted = tuple(map(int, converter.node.split(".")))
    return found if version and tuple(map(int, version.groups())) >= wanted else None


def _folder() -> Path:
    return Path(str(files("pipeline.config").joinpath("peers")))
