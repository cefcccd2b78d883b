"""What a repository's ``pyproject.toml`` says of this program: the tables below ``[tool.parity]``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.errors import ArtifactInvalid
from pipeline.toml import tables

NAME = "pyproject.toml"


def declared(repository: Path, *names: str) -> dict[str, Any]:
    """The table of these names, or ``[tool.parity]`` itself; empty where it, or the file, is not there.

    Raises ArtifactInvalid for what is no TOML, and where a table has to be and is something else.
    """
    path = repository / NAME
    table = tables(path) if path.is_file() else {}
    way = ("tool", "parity", *names)
    for at, name in enumerate(way, 1):
        table = table.get(name, {})
        if not isinstance(table, dict):
            said = ".".join(way[:at])
            raise ArtifactInvalid(f"{said} is no table", where=path, remedy=f"write [{said}]")
    return table
