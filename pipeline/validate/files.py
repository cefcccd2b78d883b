"""Checks of single files: they are there, are strict JSON, fit their schema, are canonical and in their own place.

What they find keeps a file out of all further checks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.history import History, read_timeline
from pipeline.layout import POINTERS
from pipeline.surface.lock import Lock
from pipeline.surface.snapshot import Supplement
from pipeline.surface.surfaces import KnownSurfaces
from pipeline.surface.timeline import Timeline
from pipeline.surface.units import Shape
from pipeline.validate.finding import Finding, pointer_at
from pipeline.validate.schemas import metadata_schema_bytes, schema_bytes
from pipeline.validate.tree import Artifact, Read, Tree, Version, value_at

PREFIX = {
    "snapshot": "SNAPSHOT",
    "union": "UNION",
    "report": "REPORT",
    "wrapper_coverage": "WRAPPER_COVERAGE",
    "metadata": "VERSION_METADATA",
    "current": "CURRENT",
}
# What a file is called that fits the schema, but as another kind of artifact.
_ANOTHER = {
    "snapshot": ("SNAPSHOT_WRONG_KIND", "/snapshot_schema_version"),
    "union": ("UNION_WRONG_KIND", "/snapshot_schema_version"),
    "current": ("CURRENT_WRONG_KIND", "/snapshot_schema_version"),
    "wrapper_coverage": ("WRAPPER_COVERAGE_PARSE_FAILED", ""),
}


def version_findings(version: Version) -> Iterator[Finding]:
    for artifact in version.artifacts:
        yield from _judged(version.tree, artifact, version.read(artifact.path))


def root_findings(tree: Tree) -> Iterator[Finding]:
    """The wrapper coverage and current.json; that one of them is missing is for their own checks to judge."""
    coverage, current = tree.root.wrapper_coverage, tree.root.current
    for artifact in (Artifact("wrapper_coverage", coverage), Artifact("current", current)):
        read = tree.read(artifact.path)
        if not read.missing:
            yield from _judged(tree, artifact, read)
    if tree.read(coverage).missing and tree.folder.has_wrapper:
        yield tree.finding("WRAPPER_COVERAGE_MISSING", coverage, _MISSING)


_MISSING = "no such file; run the stage that writes it"


def _judged(tree: Tree, artifact: Artifact, read: Read) -> Iterator[Finding]:
    kind, path = artifact.kind, artifact.path
    if read.missing:
        if tree.sound(path.parent):
            yield tree.finding(f"{PREFIX[kind]}_MISSING", path, _MISSING)
    elif read.unreadable:
        yield tree.finding("FILE_UNREADABLE", path, str(read.error and read.error.problem))
    elif read.error:
        yield tree.finding(f"{PREFIX[kind]}_INVALID_JSON", path, read.error.problem)
    else:
        found = list(_shape(tree, artifact, read))
        yield from found
        if not found:
            yield from _names(tree, artifact, read)
        if not read.is_canonical and not _foreign_input(tree, artifact, read):
            yield tree.finding(
                "NOT_CANONICAL",
                path,
                "not in canonical form (UTF-8, LF, two-space indent, one final newline); rebuild it",
            )


def _foreign_input(tree: Tree, artifact: Artifact, read: Read) -> bool:
    """Another tool's snapshot in another tool's folder: nothing derived from it depends on its line ends."""
    made_here = tree.folder.agent is not None or value_at(read.document, "/generator") is not None
    return artifact.kind == "snapshot" and not made_here


def _shape(tree: Tree, artifact: Artifact, read: Read) -> Iterator[Finding]:
    kind, path, document = artifact.kind, artifact.path, read.document
    version = value_at(document, "/schema_version")
    if kind == "wrapper_coverage" and type(version) is int and version != 1:
        message = f"schema {version} is not the one that this version reads, 1"
        yield tree.finding("WRAPPER_COVERAGE_SCHEMA_VERSION", path, message, "/schema_version")
        return
    judged = "union" if kind == "current" else kind
    schema = "metadata" if kind == "metadata" else "artifacts"
    judge = tree.judges.get(schema) if tree.sound(tree.schema_paths[schema]) else None
    violations = list(judge.violations(judged, document)) if judge else []
    if judge and violations and kind in _ANOTHER and judge.fits_as_another(judged, document):
        code, pointer = _ANOTHER[kind]
        yield tree.finding(code, path, f"is another kind of artifact than {kind.replace('_', ' ')}", pointer)
        return
    for pointer, message in violations:
        yield tree.finding(f"{PREFIX[kind]}_SCHEMA_INVALID", path, message, pointer)
    if kind == "wrapper_coverage" and not violations and tree.coverage is None:
        yield tree.finding("WRAPPER_COVERAGE_PARSE_FAILED", path, "fits its schema, and is no wrapper coverage")


def _names(tree: Tree, artifact: Artifact, read: Read) -> Iterator[Finding]:
    for pointer, expected in _named(artifact):
        found = value_at(read.document, pointer)
        if found != expected:
            yield tree.finding(
                "NAME_MISMATCH", artifact.path, f"is {found!r}, the file's place says {expected!r}", pointer
            )


def _named(artifact: Artifact) -> Iterator[tuple[str, str]]:
    """What the place of a file says of its content: (JSON pointer, value)."""
    version, target = artifact.version or "", artifact.target or ""
    if artifact.kind == "snapshot":
        yield "/binary/semantic_version", version
        yield "/binary/target_triple", target
    elif artifact.kind == "report":
        yield "/inputs/upstream/semantic_version", version
        if target in ("any", "all"):
            yield "/platform_filter/mode", target
        else:
            yield "/platform_filter/mode", "exact_target"
            yield "/platform_filter/target_triple", target
    elif artifact.kind == "metadata":
        yield "/semantic_version", version


def folder_findings(tree: Tree) -> Iterator[Finding]:
    """What is a folder in every tree is one here, or is not there."""
    pointers = tuple(f"pointers/{kind}" for kind in POINTERS)
    for name in ("snapshots", "reports", "diffs", "pointers", *pointers, "requirements", "supplement"):
        path = tree.root.path / name
        if os.path.lexists(path) and not path.is_dir():
            yield tree.finding("FOLDER_EXPECTED", path, "is no folder; remove it, or restore the folder from git")


def authored_findings(tree: Tree) -> Iterator[Finding]:
    """The files that people or ``doit lock`` write: strict, and with their keys in the order of the type."""
    yield from typed(tree, "LOCK", Lock, tree.root.lock)
    yield from typed(tree, "SUPPLEMENT", Supplement, tree.root.supplement)


def timeline_findings(tree: Tree) -> Iterator[Finding]:
    """The timeline, which a folder of this project has as soon as it has a version."""
    path, missing = tree.root.timeline, tree.read(tree.root.timeline).missing
    found = list(typed(tree, "TIMELINE", Timeline, path))
    yield from found
    if missing and tree.folder.agent is not None and tree.root.versions():
        yield tree.finding("TIMELINE_MISSING", path, _MISSING)
    if not missing and not found:
        try:
            History().keep(read_timeline(path), apart_from=tree.root.versions())
        except ArtifactInvalid as error:
            place, _, problem = error.problem.partition(": ")
            yield tree.finding("TIMELINE_INVALID", path, problem, pointer_at(place))


def surfaces_findings(tree: Tree) -> Iterator[Finding]:
    """The memory of surfaces, which is there where versions are asked for them."""
    path = tree.root.surfaces
    if not tree.tells_surfaces:
        return
    yield from typed(tree, "SURFACES", KnownSurfaces, path)
    if tree.read(path).missing and tree.root.versions():
        yield tree.finding("SURFACES_MISSING", path, _MISSING)


def typed(tree: Tree, prefix: str, type_: type[Shape], path: Path) -> Iterator[Finding]:
    """What keeps a file from being the canonical bytes of a type; one that is missing is for others to judge."""
    read = tree.read(path)
    if read.unreadable:
        yield tree.finding("FILE_UNREADABLE", path, str(read.error and read.error.problem))
    elif read.error and not read.missing:
        yield tree.finding(f"{prefix}_INVALID", path, read.error.problem)
    elif not read.error:
        try:
            value = canonical.convert(read.document, type_, path)
        except ArtifactInvalid as error:
            place, _, problem = error.problem.partition(": ")
            yield tree.finding(f"{prefix}_INVALID", path, problem, pointer_at(place))
        else:
            if canonical.encode(value) != read.raw:
                yield tree.finding("NOT_CANONICAL", path, "not in canonical form; write it as the stage does")


def rules_findings(tree: Tree) -> Iterator[Finding]:
    """RULES.json: its exclusions, and in a folder of this project its bytes."""
    path = tree.folder.rules_path
    for problem in tree.exclusion_problems:
        yield tree.finding(problem.code, path, problem.message, problem.json_pointer)
    if tree.folder.agent is not None and not tree.rules.is_canonical:
        yield tree.finding("NOT_CANONICAL", path, "not in canonical form (two-space indent, one final newline)")


def schema_findings(tree: Tree) -> Iterator[Finding]:
    """The schemas are JSON Schemas, and in a folder of this project those of this version's types."""
    agent = tree.folder.agent
    expected = {"artifacts": schema_bytes, "metadata": metadata_schema_bytes}
    for kind, path in tree.schema_paths.items():
        read = tree.read(path)
        if read.error:
            code = "FILE_UNREADABLE" if read.unreadable else "SCHEMA_INVALID_JSON"
            yield tree.finding(code, path, read.error.problem)
        elif problem := tree.judges[kind].problem:
            pointer, message = problem
            yield tree.finding("SCHEMA_VALIDATION_FAILED", path, f"is no JSON Schema: {message}", pointer)
        elif agent is not None and path.parent == tree.root.path and read.raw != expected[kind](agent.tool):
            yield tree.finding("SCHEMA_STALE", path, "differs from this version's types; run `doit schema`")
