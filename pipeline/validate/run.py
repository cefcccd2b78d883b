"""All checks over one folder."""

from __future__ import annotations

from pathlib import Path

from pipeline.contract.folder import Folder
from pipeline.validate.checks import CHECKS
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree


def validate(folder: Folder, *, schema: Path | None = None, metadata_schema: Path | None = None) -> list[Finding]:
    """Every finding of every check, by path, JSON pointer, code and message.

    Raises ArtifactError if the rules or a schema cannot be read: then nothing can be judged.
    """
    tree = Tree.open(folder, schema, metadata_schema)
    found = {finding for check in CHECKS for finding in check.run(tree)}
    return sorted(found, key=Finding.order)
