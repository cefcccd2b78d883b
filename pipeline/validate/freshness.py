"""Checks by doing it again: everything derived is computed anew from its inputs and compared.

The time that an artifact carries is the one that the lock pins for its version. Where nothing pins one (a
folder of another tool), the artifact's own time is taken as given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.clock import timestamp
from pipeline.errors import ArtifactError, ParityError
from pipeline.helptext import REVISION
from pipeline.lifecycle.metadata import metadata_bytes
from pipeline.report import report_bytes
from pipeline.surface.metadata import Status
from pipeline.union import union_bytes
from pipeline.validate.finding import Finding
from pipeline.validate.schemas import metadata_schema_bytes, schema_bytes
from pipeline.validate.tree import Tree, value_at
from pipeline.wrapper.stage import coverage_bytes

# The statuses of a version whose reports have to be there.
_REPORTED = {Status.REPORTED, Status.VALIDATED, Status.SUPPORTED}


def _time(tree: Tree, version: str, found: object) -> str:
    pinned = tree.lock.epoch(version)
    return str(found) if pinned is None else timestamp(pinned)


def _status(metadata: Any) -> Status | None:
    found = value_at(metadata, "/status")
    return Status(found) if found in list(Status) else None


def _compare(tree: Tree, code: str, path: Path, compute: Callable[[], bytes], remedy: str) -> Iterator[Finding]:
    raw = tree.raw(path)
    if raw is None:
        return
    try:
        expected = compute()
    except ParityError as error:
        where = f"{Path(error.where).name}: " if error.where and isinstance(error, ArtifactError) else ""
        yield tree.finding(code, path, f"cannot be derived again: {where}{error.problem}")
        return
    if raw != expected:
        yield tree.finding(code, path, f"differs from what its inputs give; {remedy}", _first_difference(raw, expected))


def _first_difference(raw: bytes, expected: bytes) -> str | None:
    """The JSON pointer of the first value in which two documents differ; None if only the bytes do."""
    try:
        return _differ(canonical.loads(raw, "artifact"), canonical.loads(expected, "artifact"))
    except ArtifactError:
        return None


def _differ(one: Any, other: Any) -> str | None:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            if key not in one or key not in other:
                return f"/{key}"
            if (found := _differ(one[key], other[key])) is not None:
                return f"/{key}{found}"
    elif isinstance(one, list) and isinstance(other, list):
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            if (found := _differ(left, right)) is not None:
                return f"/{index}{found}"
        if len(one) != len(other):
            return f"/{min(len(one), len(other))}"
    elif one != other or type(one) is not type(other):
        return ""
    return None


def schema_findings(tree: Tree) -> Iterator[Finding]:
    folder = tree.folder
    if folder.agent is None:
        return
    for path, expected in (
        (folder.root.schema, schema_bytes(folder.agent.tool)),
        (folder.root.metadata_schema, metadata_schema_bytes(folder.agent.tool)),
    ):
        if path.exists() and path.read_bytes() != expected:
            yield tree.finding("SCHEMA_STALE", path, "differs from this version's types; run `doit schema`")


def snapshot_findings(tree: Tree) -> Iterator[Finding]:
    lock = tree.lock
    for artifact in tree.artifacts():
        document = tree.document(artifact.path)
        if artifact.kind != "snapshot" or not isinstance(document, dict) or "generator" not in document:
            continue
        row = lock.row(artifact.version or "", artifact.target or "")
        found = value_at(document, "/binary/sha256")
        if lock.rows and (row is None or row.digest != found):
            problem = "has no row for it" if row is None else f"says {row.digest}"
            yield tree.finding("SNAPSHOT_NOT_LOCKED", artifact.path, f"artifacts.lock.json {problem}", "/binary/sha256")
        revision = value_at(document, "/generator/revision")
        if revision != REVISION:
            yield tree.finding(
                "SNAPSHOT_PARSER_OLD",
                artifact.path,
                f"was read by revision {revision}, this version reads by {REVISION}; take the snapshot again",
                "/generator/revision",
            )


def union_findings(tree: Tree) -> Iterator[Finding]:
    folder = tree.folder
    for version in tree.versions():
        path = folder.root.union(version)
        document = tree.document(path)
        if isinstance(document, dict):
            at = _time(tree, version, document.get("collected_at"))
            yield from _compare(
                tree,
                "UNION_STALE",
                path,
                lambda version=version, at=at: union_bytes(  # type: ignore[misc]
                    folder.root, version, folder.rules, collected_at=at, tool=folder.tool
                ),
                "rebuild the union",
            )


def coverage_findings(tree: Tree) -> Iterator[Finding]:
    folder = tree.folder
    if folder.agent is None or folder.agent.wrapper is None:
        return
    wrapper = folder.agent.wrapper
    yield from _compare(
        tree,
        "WRAPPER_COVERAGE_STALE",
        folder.root.wrapper_coverage,
        lambda: coverage_bytes(
            wrapper.name, folder.rules, generated_at=timestamp(wrapper.epoch), wrapper_version=wrapper.version
        ),
        "rebuild the wrapper coverage",
    )


def report_findings(tree: Tree) -> Iterator[Finding]:
    folder = tree.folder
    for version in tree.versions():
        status = _status(tree.document(folder.root.metadata(version)))
        reports = folder.root.reports(version)
        there = {path.name for path in reports.glob("coverage.*") if path.suffix in (".json", ".md")}
        if tree.raw(folder.root.union(version)) is None or (not there and status not in _REPORTED):
            continue
        own = tree.document(folder.root.report(version, "any"))
        at = _time(tree, version, value_at(own, "/generated_at"))
        try:
            expected = report_bytes(
                folder.root, version, generated_at=at, rules_path=folder.rules_path, program=folder.program
            )
        except ParityError as error:
            yield tree.finding(
                "REPORT_STALE", folder.root.report(version, "any"), f"cannot be derived again: {error.problem}"
            )
            continue
        # Markdown is this project's own: a folder of another tool need not have it.
        wanted = {name for name in expected if name.endswith(".json") or folder.agent}
        for name in sorted(wanted - there):
            yield tree.finding("REPORT_MISSING", reports / name, f"no such file; rebuild the reports of {version}")
        for name in sorted(there - set(expected)):
            yield tree.finding("REPORT_ORPHAN", reports / name, "answers no question of this version; remove it")
        for name in sorted(there & set(expected)):
            raw = (reports / name).read_bytes()
            if raw != expected[name]:
                yield tree.finding(
                    "REPORT_STALE",
                    reports / name,
                    "differs from what its inputs give; rebuild the reports",
                    _first_difference(raw, expected[name]),
                )


def metadata_findings(tree: Tree) -> Iterator[Finding]:
    folder = tree.folder
    for version in tree.versions():
        path = folder.root.metadata(version)
        document = tree.document(path)
        status = _status(document)
        if status is None:
            continue
        at = _time(tree, version, value_at(document, "/updated_at"))
        yield from _compare(
            tree,
            "VERSION_METADATA_STALE",
            path,
            lambda version=version, at=at, status=status: metadata_bytes(  # type: ignore[misc]
                folder.root, version, status, folder.rules, updated_at=at
            ),
            "rebuild the metadata",
        )
