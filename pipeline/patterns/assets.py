"""What the learning library holds: ``assets.toml`` in, assets and their index out."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pipeline import canonical
from pipeline.canonical import read_bytes
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.surface.units import Shape

FOLDER = Path(str(resources.files("pipeline.patterns")))
NAME, INDEX = "assets.toml", "index.json"


class Asset(Shape, frozen=True, kw_only=True):
    """One asset; ``entry`` is its file below this room."""

    id: str
    kind: Literal["codemod", "linter", "template"]
    version: str
    entry: str
    description: str
    usage: str


class Index(Shape, frozen=True, kw_only=True):
    """``index.json``: all assets, by id."""

    index_schema_version: Literal[1]
    assets: tuple[Asset, ...]


def assets(folder: Path = FOLDER) -> tuple[Asset, ...]:
    """All assets, by id. Raises ArtifactInvalid for an id that is there twice, or an entry that is no file."""
    path = folder / NAME
    found = canonical.convert(_toml(path).get("assets", []), tuple[Asset, ...], path, "assets")
    ids = [one.id for one in found]
    for one in found:
        if ids.count(one.id) > 1:
            raise ArtifactInvalid(f"the id {one.id!r} is there twice", where=path, remedy="give one of them another")
        if not (folder / one.entry).is_file():
            raise ArtifactInvalid(f"{one.id}: there is no {one.entry}", where=path, remedy="add the file")
    return tuple(sorted(found, key=lambda one: one.id))


def write_index(folder: Path = FOLDER) -> None:
    """Write the index. Raises as ``assets`` does, and WriteFailed."""
    document = Index(index_schema_version=1, assets=assets(folder))
    canonical.write(folder / INDEX, canonical.encode(document))


def asset(identifier: str) -> Asset:
    """Raises UsageError for an unknown one."""
    found = {one.id: one for one in assets()}
    if identifier not in found:
        raise UsageError(f"there is no asset {identifier!r}", remedy=f"name one of: {', '.join(found)}")
    return found[identifier]


def deterministic(repository: Path) -> list[Path]:
    """The modules that a repository declares deterministic, in ``[tool.parity.patterns]`` of its pyproject.toml.

    Raises ArtifactMissing, ArtifactInvalid, and UsageError where one of them is not there.
    """
    path = repository / "pyproject.toml"
    declared = _toml(path).get("tool", {}).get("parity", {}).get("patterns", {}).get("deterministic", [])
    found = []
    for name in canonical.convert(declared, tuple[str, ...], path, "tool.parity.patterns.deterministic"):
        place = repository / name
        if not place.exists():
            raise UsageError(f"{name} is declared deterministic, and is not there", where=path, remedy="correct it")
        found += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return found


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_bytes(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArtifactInvalid(f"not valid TOML: {error}", where=path, remedy="correct that line") from None
