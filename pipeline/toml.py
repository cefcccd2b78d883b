"""The one reader of TOML that people write."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pipeline import canonical
from pipeline.errors import ArtifactError, ArtifactInvalid, RulesInvalid

T = TypeVar("T")


def read_toml(path: Path, type_: type[T]) -> T:
    """Read a file as a type. Raises RulesInvalid for bad TOML, ArtifactInvalid for a key that does not fit."""
    return canonical.convert(parsed(canonical.read_bytes(path), path, RulesInvalid), type_, path)


def tables(path: Path) -> dict[str, Any]:
    """Read a file as it is. Raises ArtifactMissing and ArtifactInvalid."""
    return parsed(canonical.read_bytes(path), path)


def parsed(raw: bytes, where: object, error: type[ArtifactError] = ArtifactInvalid) -> dict[str, Any]:
    """The same of bytes; bad TOML is an ``error``, with the line that the parser names."""
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise error(f"not valid TOML: {problem}", where=where, remedy="correct that line") from None
