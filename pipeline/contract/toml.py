"""The one reader of authored TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pipeline import canonical
from pipeline.errors import RulesInvalid

T = TypeVar("T")


def read_toml(path: Path, type_: type[T]) -> T:
    """Read a file as a type. Raises RulesInvalid for bad TOML, ArtifactInvalid for a key that does not fit."""
    raw = canonical.read_bytes(path)
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise RulesInvalid(f"not valid TOML: {error}", where=path, remedy="correct that line") from None
    return canonical.convert(document, type_, path)
