"""What a library of assets holds: its ``assets.toml`` in, assets and their index out. Ours is one of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

from pipeline import canonical
from pipeline.declared import NAME as PYPROJECT
from pipeline.declared import declared
from pipeline.errors import ArtifactInvalid, ArtifactMissing, UsageError
from pipeline.surface.units import Shape
from pipeline.toml import tables

FOLDER = Path(str(resources.files("pipeline.patterns")))
NAME, INDEX = "assets.toml", "index.json"
_MEANT = {"codemod": "class", "linter": "function"}


class Asset(Shape, frozen=True, kw_only=True):
    """One asset; ``entry`` is its file below the library's folder, and behind a colon what is meant in it."""

    id: str
    kind: Literal["codemod", "linter", "template"]
    version: str
    entry: str
    description: str
    usage: str

    @property
    def file(self) -> str:
        return self.entry.partition(":")[0]


class Found(NamedTuple):
    """An asset, and the folder of the library that it is of."""

    folder: Path
    asset: Asset

    @property
    def path(self) -> Path:
        return self.folder / self.asset.file


class Index(Shape, frozen=True, kw_only=True):
    """``index.json``: all assets, by id."""

    index_schema_version: Literal[1]
    assets: tuple[Asset, ...]


def assets(folder: Path = FOLDER) -> tuple[Asset, ...]:
    """All assets of a library, by id.

    Raises ArtifactMissing, ArtifactInvalid for an id that is there twice, or an entry that is no file or names nothing.
    """
    path = folder / NAME
    found = canonical.convert(tables(path).get("assets", []), tuple[Asset, ...], path, "assets")
    ids = [one.id for one in found]
    for one in found:
        if ids.count(one.id) > 1:
            raise ArtifactInvalid(f"the id {one.id!r} is there twice", where=path, remedy="give one of them another")
        if Path(one.file).is_absolute() or not (folder / one.file).is_file():
            raise ArtifactInvalid(f"{one.id}: there is no {one.file}", where=path, remedy="add the file")
        if one.kind != "template" and ":" not in one.entry:
            raise ArtifactInvalid(
                f"{one.id}: {one.entry} does not say which {_MEANT[one.kind]} is meant",
                where=path,
                remedy=f"write it behind the file, as in {one.entry}:name",
            )
    return tuple(sorted(found, key=lambda one: one.id))


def libraries(repository: Path | None = None) -> tuple[Path, ...]:
    """The folders of assets: ours, and the one that ``repository`` names in ``[tool.parity.patterns] folder``."""
    if repository is None:
        return (FOLDER,)
    said = declared(repository, "patterns").get("folder", "")
    folder = canonical.convert(said, str, repository / PYPROJECT, "tool.parity.patterns.folder")
    own = repository / folder if folder else FOLDER
    return (FOLDER,) if own.resolve() == FOLDER.resolve() else (FOLDER, own)


def library(repository: Path) -> str | None:
    """The package that rewritten modules of a repository import, by ``library`` in ``[tool.parity.patterns]``."""
    said = declared(repository, "patterns").get("library")
    return (
        None if said is None else canonical.convert(said, str, repository / PYPROJECT, "tool.parity.patterns.library")
    )


def found(folders: Sequence[Path]) -> tuple[Found, ...]:
    """The assets of several libraries, by id. Raises ArtifactInvalid for an id that two of them have."""
    every = sorted((Found(folder, one) for folder in folders for one in assets(folder)), key=lambda one: one.asset.id)
    for one, other in pairwise(every):
        if one.asset.id == other.asset.id:
            where = next(each.folder for each in (other, one) if each.folder != FOLDER) / NAME
            raise ArtifactInvalid(f"the id {one.asset.id!r} is there twice", where=where, remedy="give yours another")
    return tuple(every)


def find(folders: Sequence[Path], identifier: str, kind: str) -> Found:
    """The asset of this id. Raises UsageError for an unknown one, or one of another kind."""
    known = {one.asset.id: one for one in found(folders)}
    if identifier not in known:
        raise UsageError(f"there is no asset {identifier!r}", remedy=f"name one of: {', '.join(known)}")
    one = known[identifier]
    if one.asset.kind != kind:
        raise UsageError(f"{identifier} is no {kind}", remedy=f"use it so: {one.asset.usage}")
    return one


def write_index(folder: Path = FOLDER) -> None:
    """Write the index of a library. Raises as ``assets`` does, and WriteFailed."""
    document = Index(index_schema_version=1, assets=assets(folder))
    canonical.write(folder / INDEX, canonical.encode(document))


def deterministic(repository: Path) -> list[Path]:
    """The modules that a repository declares deterministic, in ``[tool.parity.patterns]`` of its pyproject.toml.

    Raises ArtifactMissing, ArtifactInvalid, and UsageError where one of them is not there.
    """
    path = repository / PYPROJECT
    if not path.is_file():
        raise ArtifactMissing("no such file", where=path, remedy="name the modules, or declare them in it")
    said = declared(repository, "patterns").get("deterministic", [])
    modules = []
    for name in canonical.convert(said, tuple[str, ...], path, "tool.parity.patterns.deterministic"):
        place = repository / name
        if not place.exists():
            raise UsageError(f"{name} is declared deterministic, and is not there", where=path, remedy="correct it")
        modules += modules_of(place)
    return modules


def modules_of(place: Path) -> list[Path]:
    """The modules of a folder, by path, or the file itself; hidden folders hold other people's."""
    if not place.is_dir():
        return [place]
    below = sorted(path.relative_to(place) for path in place.rglob("*.py"))
    return [place / path for path in below if not any(part.startswith(".") for part in path.parts)]
