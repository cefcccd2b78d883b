"""A bundle: what one job hands on. Snapshots with their raw help, and ``bundle.json``, which says what there must be.

    <bundle>/bundle.json
    <bundle>/<agent>/snapshots/<version>/<target>.json
    <bundle>/<agent>/raw_help/<version>/<target>/…

A bundle is read with suspicion: it came over a network, from a machine that nobody looks at. Refuses a file more or
less than it names, another content, a link, a name that leads elsewhere, and what another reader made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, ArtifactMissing, IdentityMismatch, UsageError
from pipeline.layout import Root, is_target, is_version, relative
from pipeline.surface.revision import REVISION
from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import Shape

NAME = "bundle.json"
_AGAIN = "run the job that made it again, from the same commit as this one"


class Bundle(Shape, frozen=True, kw_only=True):
    """``bundle.json``. ``revision`` is that of the reader; ``snapshots`` are ``agent:version:target``, by name."""

    bundle_schema_version: Literal[1]
    revision: int
    snapshots: tuple[str, ...]
    files: dict[str, Sha256]


@dataclass(frozen=True, slots=True)
class Packed:
    """One snapshot in a bundle: its names, its file, and its raw help where there is some."""

    agent: str
    version: str
    target: str
    path: Path
    raw_help: Path | None

    @property
    def name(self) -> str:
        return f"{self.agent}:{self.version}:{self.target}"


def names_in(words: Sequence[str]) -> list[str]:
    """The snapshots that words of a doit line take, in their order: other tasks do not count. Raises UsageError."""
    found = [word.removeprefix("snapshot:") for word in words if word.startswith("snapshot:")]
    if not found:
        raise UsageError("no snapshot is named", remedy="name tasks: snapshot:AGENT:VERSION:TARGET")
    for name in found:
        split(name)
    return list(dict.fromkeys(found))


def split(name: str) -> tuple[str, str, str]:
    """``agent:version:target``. Raises UsageError for what is no such name, or would lead out of a folder."""
    agent, _, rest = name.partition(":")
    version, _, target = rest.partition(":")
    if not (agent.replace("_", "").isalnum() and is_version(version) and is_target(target)):
        raise UsageError(f"{name!r} is no snapshot", remedy="write AGENT:VERSION:TARGET")
    return agent, version, target


def pack(workspace: Path, names: Sequence[str], into: Path) -> Bundle:
    """Copy snapshots of a workspace, with their raw help, into the new folder ``into``.

    Raises UsageError where there is something already, ArtifactMissing for a snapshot that was not taken.
    """
    if into.exists():
        raise UsageError("it is there already", where=into, remedy="name a folder that is not there yet")
    contents: dict[str, bytes] = {}
    for name in names:
        agent, version, target = split(name)
        root = Root(workspace / agent)
        snapshot, raw_help = root.snapshot(version, target), root.raw_help(version, target)
        if not snapshot.is_file():
            remedy = f"run `doit snapshot:{name}` first"
            raise ArtifactMissing("no such file", where=snapshot, remedy=remedy)
        pages = sorted(path for path in raw_help.rglob("*") if path.is_file()) if raw_help.is_dir() else ()
        for path in (snapshot, *pages):
            contents[relative(path, workspace)] = canonical.read_bytes(path)
    bundle = Bundle(
        bundle_schema_version=1,
        revision=REVISION,
        snapshots=tuple(sorted(names)),
        files={path: hashlib.sha256(content).hexdigest() for path, content in sorted(contents.items())},
    )
    canonical.write_all([(into / path, content) for path, content in contents.items()])
    canonical.write(into / NAME, canonical.encode(bundle))
    return bundle


def bundles_below(folder: Path) -> Iterator[Packed]:
    """Every snapshot of every bundle in a folder of downloads, by the bundles' paths; each is checked.

    A folder of downloads holds bundles, or is one. Raises ArtifactMissing for a folder that holds something else.
    """
    if not folder.is_dir():
        return
    if (folder / NAME).exists():
        yield from read_bundle(folder)
        return
    for path in sorted(folder.iterdir()):
        yield from read_bundle(path)


def read_bundle(folder: Path) -> Iterator[Packed]:
    """The snapshots of one bundle. Raises ArtifactMissing, ArtifactInvalid, IdentityMismatch."""
    if not folder.is_dir() or not (folder / NAME).is_file():
        raise ArtifactMissing(f"it holds no {NAME}: the job handed on nothing", where=folder, remedy=_AGAIN)
    bundle = canonical.read(folder / NAME, Bundle)
    if bundle.revision != REVISION:
        raise IdentityMismatch(
            f"$.revision is {bundle.revision}, this version reads help as revision {REVISION}",
            where=folder / NAME,
            remedy=_AGAIN,
        )
    there = dict(_digests(folder))
    for path in sorted({*there, *bundle.files}):
        if there.get(path) != bundle.files.get(path):
            problem = (
                "is not what the job packed"
                if path in there and path in bundle.files
                else ("was packed and is not there" if path in bundle.files else "was not packed by the job")
            )
            raise ArtifactInvalid(f"{path} {problem}", where=folder, remedy=_AGAIN)
    places = {}
    for name in bundle.snapshots:
        agent, version, target = split(name)
        root = Root(folder / agent)
        snapshot, raw_help = root.snapshot(version, target), root.raw_help(version, target)
        places[name] = Packed(agent, version, target, snapshot, raw_help if raw_help.is_dir() else None)
    _refuse_strays(folder, bundle, places.values())
    yield from places.values()


def _refuse_strays(folder: Path, bundle: Bundle, packed: Iterable[Packed]) -> None:
    known: set[str] = set()
    for one in packed:
        inside = relative(one.path, folder)
        if inside not in bundle.files:
            raise ArtifactMissing(f"{inside} is named and not there", where=folder / NAME, remedy=_AGAIN)
        known.add(inside)
        prefix = f"{one.agent}/raw_help/{one.version}/{one.target}/"
        known.update(path for path in bundle.files if path.startswith(prefix))
    if strays := sorted(set(bundle.files) - known):
        raise ArtifactInvalid(f"{strays[0]} belongs to no snapshot of it", where=folder / NAME, remedy=_AGAIN)


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for parent, inner, names in os.walk(folder):
        for name in (*inner, *names):
            if Path(parent, name).is_symlink():
                raise ArtifactInvalid("is a link", where=Path(parent, name), remedy=_AGAIN)
        for name in names:
            path = Path(parent, name)
            if path != folder / NAME:
                yield relative(path, folder), hashlib.sha256(canonical.read_bytes(path)).hexdigest()


def copy_pages(raw_help: Path, to: Path) -> None:
    """Put raw help in the place of what is there."""
    if to.is_dir():
        shutil.rmtree(to)
    for path in sorted(path for path in raw_help.rglob("*") if path.is_file()):
        canonical.write(to / path.relative_to(raw_help), canonical.read_bytes(path))
