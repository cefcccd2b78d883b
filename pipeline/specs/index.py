"""The index of a repository's specs, made from their front matter and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.specs.front import Front, read_front
from pipeline.specs.settings import Settings
from pipeline.surface.units import Shape


class Entry(Shape, frozen=True, kw_only=True):
    """A spec in the index; ``path`` is the repository's."""

    id: str
    title: str
    path: str
    last_review: str
    status: Literal["active", "retired"]
    owners: tuple[str, ...] = ()
    relates_to: tuple[str, ...] = ()


class Index(Shape, frozen=True, kw_only=True):
    """All specs, by id and path."""

    index_schema_version: Literal[1]
    specs: tuple[Entry, ...]


def spec_paths(repository: Path, settings: Settings) -> list[Path]:
    """The documents that the globs name, in the order of their paths."""
    found = {path for pattern in settings.specs for path in repository.glob(pattern) if path.is_file()}
    return sorted(found, key=lambda path: path.relative_to(repository).as_posix())


def index_bytes(repository: Path, fronts: Iterator[tuple[Path, Front]]) -> bytes:
    """The index of specs, in canonical bytes."""
    entries = [
        Entry(
            id=front.id,
            title=front.title,
            path=path.relative_to(repository).as_posix(),
            last_review=front.last_review.isoformat(),
            status=front.status,
            owners=front.owners,
            relates_to=front.relates_to,
        )
        for path, front in fronts
    ]
    entries.sort(key=lambda entry: (entry.id, entry.path))
    return canonical.encode(Index(index_schema_version=1, specs=tuple(entries)))


def write_index(repository: Path, settings: Settings) -> Path:
    """Write the index. Raises ArtifactInvalid for a spec without front matter, WriteFailed."""
    path = repository / settings.index
    fronts = ((each, read_front(each)) for each in spec_paths(repository, settings))
    canonical.write(path, index_bytes(repository, fronts))
    return path
