"""Checks of version metadata: the names of its files, the outcomes of validation."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pipeline.lifecycle.outcomes import outcome_problems
from pipeline.lifecycle.pointers import is_stable
from pipeline.surface.metadata import Validation
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree, Version


class _Validated(msgspec.Struct, frozen=True):
    validation: Validation | None = None


def folder_findings(tree: Tree) -> Iterator[Finding]:
    folder = tree.root.path / "versions"
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        yield tree.finding("VERSIONS_DIR_UNREADABLE", folder, f"cannot be listed: {error.strerror}")
        return
    for path in paths:
        if path.suffix == ".json" and not path.name.startswith(".") and not is_stable(path.stem, tree.folder.rules):
            yield tree.finding(
                "VERSION_FILE_INVALID_NAME", path, f"{path.stem!r} is no stable version; rename or remove the file"
            )


def validation_findings(version: Version) -> Iterator[Finding]:
    tree, path = version.tree, version.root.metadata(version.name)
    known = version.metadata.view(_Validated) if tree.sound(path) else None
    if known and known.validation:
        for problem in outcome_problems(known.validation, tree.folder.rules):
            yield tree.finding(problem.code, path, f"{problem.message}; {problem.remedy}", "/validation")
