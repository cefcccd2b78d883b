"""A workspace: the folder that holds agents' folders, such as ``cli_manifests``."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ArtifactInvalid, ArtifactMissing
from pipeline.layout import MATRIX, Root

# Any of these makes a folder an agent's; the last two are there where another tool wrote it.
_MARKS = ("agent.toml", "versions", "current.json")


def agent_roots(workspace: Path) -> list[Root]:
    """The agents' folders, by name. Raises ArtifactMissing or ArtifactInvalid if there is no such workspace."""
    try:
        folders = sorted((path for path in workspace.iterdir() if path.is_dir()), key=lambda path: path.name)
    except FileNotFoundError:
        remedy = "name the folder that holds the agents' folders"
        raise ArtifactMissing("no such folder", where=workspace, remedy=remedy) from None
    except OSError as error:
        raise ArtifactInvalid(f"cannot be listed: {error.strerror}", where=workspace) from None
    return [
        Root(path)
        for path in folders
        if path.name != MATRIX and not path.name.startswith(".") and any((path / mark).exists() for mark in _MARKS)
    ]
