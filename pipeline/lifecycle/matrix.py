"""The support matrix of a workspace: per agent, version and target, what is supported and what that rests on.

In: every agent's folder right below the workspace (metadata, reports, pointers, ``current.json`` or
``RULES.json``). Out: ``support_matrix/current.json`` and a block of ``support_matrix/README.md``, from the
same rows: agents and targets by name, of each the newest version first. A file that cannot be read stops all.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline import canonical
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ArtifactMissing
from pipeline.layout import MATRIX, in_order
from pipeline.lifecycle.matrix_evidence import Evidence
from pipeline.lifecycle.matrix_text import NEW_PAGE, block, read_page, splice
from pipeline.surface.matrix import Key, SupportMatrix

__all__ = ["block", "derive", "matrix_bytes", "published", "sorted_keys", "splice", "write_matrix"]


def published(workspace: Path) -> tuple[Path, Path]:
    """Where the matrix stands: the rows, and the page that shows them."""
    return workspace / MATRIX / "current.json", workspace / MATRIX / "README.md"


def derive(workspace: Path) -> SupportMatrix:
    """The matrix that the agents' folders give. Raises ArtifactError naming the first file that cannot be read."""
    evidence = [Evidence.read(root) for root in agent_roots(workspace)]
    rows = {key: one.row(key) for one in evidence for key in one.row_keys()}
    return SupportMatrix(schema_version=1, rows=tuple(rows[key] for key in sorted_keys(rows)))


def sorted_keys(keys: Iterable[Key]) -> list[Key]:
    """By agent, then target, then version, the newest first."""
    keys = list(keys)
    age = {version: index for index, version in enumerate(reversed(in_order({key.version for key in keys})))}
    return sorted(keys, key=lambda key: (key.agent, key.target, age[key.version]))


def matrix_bytes(matrix: SupportMatrix) -> bytes:
    """The bytes of ``support_matrix/current.json``."""
    return canonical.encode(matrix)


def write_matrix(workspace: Path, into: Path | None = None) -> list[Path]:
    """Write both files and return their paths; a page that is not there is begun.

    ``into`` is the folder to write them to, if it is not the workspace's own.

    Nothing is written unless all can be derived and the page has its markers. Raises ArtifactError, WriteFailed.
    """
    matrix = derive(workspace)
    document, page = published(workspace)
    try:
        text = read_page(page)
    except ArtifactMissing:
        text = NEW_PAGE
    spliced = splice(text, block(matrix), where=page)
    files = [(document, matrix_bytes(matrix)), (page, spliced.encode("utf-8"))]
    canonical.write_all([((into or path.parent) / path.name, content) for path, content in files])
    return [document, page]
