"""Checks by doing it again: every derived file is compared with what a rebuild from the snapshots would write.

Each is held against its inputs as they would be rebuilt, not as they lie there, so that one wrong file is one
finding. What has other findings, or rests on a file that has, is left out: it would only be said once more.

The time that an artifact carries is the one that the lock pins for its version, or the environment's, which a build
prefers. Where nothing pins one (a folder of another tool), the artifact's own time is taken as given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.clock import carried
from pipeline.errors import ArtifactError, FileUnreadable, GateFailed, ParityError
from pipeline.history import timeline_bytes
from pipeline.history.surfaces import surfaces_bytes
from pipeline.lifecycle.metadata import CarriedOver, build_metadata
from pipeline.report import Digests, Upstream, report_pieces
from pipeline.surface.coverage import Manifest
from pipeline.surface.surfaces import KnownSurfaces
from pipeline.union import union_bytes
from pipeline.validate.finding import Finding, escaped
from pipeline.validate.tree import Tree, Version, value_at
from pipeline.wrapper.stage import coverage_bytes


def coverage_findings(tree: Tree) -> Iterator[Finding]:
    """Only what this project's wrappers declare can be derived; another tool's coverage is what it is."""
    path, agent = tree.root.wrapper_coverage, tree.folder.agent
    if agent is None or agent.wrapper is None or not tree.sound(path, tree.folder.rules_path):
        return
    try:
        expected = _expected_coverage(tree)
    except ParityError as error:
        yield _underivable(tree, "WRAPPER_COVERAGE_STALE", path, error)
        return
    yield from compare(tree, "WRAPPER_COVERAGE_STALE", path, tree.read(path).raw, expected, "the wrapper coverage")


def timeline_findings(tree: Tree) -> Iterator[Finding]:
    """What the timeline says of versions whose snapshots are gone is taken as given: nothing else tells of them."""
    path, expected = tree.root.timeline, _expected_timeline(tree)
    wrong_below = any(place.startswith("snapshots/") for place in tree.found)
    if expected is not None and not wrong_below and tree.sound(path, tree.folder.rules_path):
        yield from compare(tree, "TIMELINE_STALE", path, tree.read(path).raw, expected, "the timeline")


def surfaces_findings(tree: Tree) -> Iterator[Finding]:
    """What it says of versions whose snapshots are gone is taken as given, if the timeline knows them."""
    path, known = tree.root.surfaces, tree.read(tree.root.surfaces).view(KnownSurfaces)
    wrong_below = any(place.startswith("snapshots/") for place in tree.found)
    if not tree.tells_surfaces or known is None or wrong_below or not tree.sound(path, tree.root.timeline):
        return
    seen = {one.version for one in tree.timeline.versions} if tree.timeline else set()
    for version in sorted(known.versions.keys() - seen):
        message = "is no version that the timeline knows; remove it"
        yield tree.finding("SURFACES_STALE", path, message, f"/versions{escaped(version)}")
    try:
        expected = surfaces_bytes(tree.root, tool=str(tree.folder.tool))
    except ParityError:
        return  # a union that no schema could judge
    yield from compare(tree, "SURFACES_STALE", path, tree.read(path).raw, expected, "the surfaces")


def _expected_timeline(tree: Tree) -> bytes | None:
    """The timeline that a rebuild would write; None where there is none, or none that can be derived."""
    path, agent = tree.root.timeline, tree.folder.agent
    if tree.expected_timeline is None and agent is not None and not tree.read(path).missing:
        try:
            tree.expected_timeline = timeline_bytes(tree.root, tree.folder.rules.targets, tool=agent.tool)
        except ParityError:
            return None  # a snapshot that cannot be read has a finding of its own
    return tree.expected_timeline


def findings(version: Version) -> Iterator[Finding]:
    """The union, the reports and the metadata of a version."""
    tree, root = version.tree, version.root
    targets = tree.folder.rules.targets
    snapshots = [root.snapshot(version.name, target) for target in sorted({*targets, *version.merged})]
    unjudged = not tree.sound(tree.folder.rules_path, *tree.schema_paths.values())
    if version.pruned or not tree.derives or unjudged or not tree.sound(*snapshots):
        return
    try:
        union = union_bytes(
            root,
            version.name,
            tree.folder.rules,
            collected_at=_time(version, value_at(version.union.document, "/collected_at")),
            tool=tree.folder.tool,
        )
        upstream = Upstream.parse(union, root.union(version.name))
    except ParityError as error:
        if tree.sound(root.union(version.name)):
            yield _underivable(tree, "UNION_STALE", root.union(version.name), error)
        return
    if tree.sound(root.union(version.name)):
        yield from compare(tree, "UNION_STALE", root.union(version.name), version.union.raw, union, "the union")
    coverage = _coverage(tree)
    if coverage is not None or not tree.folder.has_wrapper:
        digest = hashlib.sha256(union).hexdigest()
        if coverage is not None:
            yield from _reports(version, upstream, coverage, digest)
        yield from _metadata(version, upstream, coverage, digest)


def _coverage(tree: Tree) -> bytes | None:
    """The wrapper coverage that reports and metadata rest on; None where there is none to rest on."""
    if not tree.folder.has_wrapper:
        return None
    if tree.folder.agent is not None:
        try:
            return _expected_coverage(tree)
        except ParityError:
            return None
    path = tree.root.wrapper_coverage
    return tree.read(path).raw if tree.coverage and tree.sound(path) else None


def _expected_coverage(tree: Tree) -> bytes:
    if tree.expected_coverage is None:
        wrapper = tree.folder.wrapper
        found = value_at(tree.read(tree.root.wrapper_coverage).document, "/generated_at")
        at = carried(str(found), wrapper.epoch)
        tree.expected_coverage = coverage_bytes(
            wrapper.name, tree.folder.rules, generated_at=at, wrapper_version=wrapper.version
        )
    return tree.expected_coverage


def _reports(version: Version, upstream: Upstream, coverage: bytes, union_sha256: str) -> Iterator[Finding]:
    tree, folder, name = version.tree, version.tree.folder, version.name
    there = {path.name: path for path in sorted(version.root.reports(name).glob("coverage.*"))}
    timeline = tree.root.timeline
    if not there or not tree.sound(timeline) or _expected_timeline(tree) not in (None, tree.read(timeline).raw):
        return
    any_report = version.root.report(name, "any")
    try:
        files = report_pieces(
            upstream,
            canonical.convert(canonical.loads(coverage, any_report), Manifest, any_report),
            folder.rules,
            version=name,
            generated_at=_time(version, value_at(version.read(any_report).document, "/generated_at")),
            program=folder.program,
            timeline=tree.timeline,
            digests=lambda: Digests(
                union_sha256,
                hashlib.sha256(coverage).hexdigest(),
                hashlib.sha256(tree.rules.raw).hexdigest(),
            ),
        )
    except ParityError as error:
        if tree.sound(any_report):
            yield _underivable(tree, "REPORT_STALE", any_report, error)
        return
    for report, pieces in sorted(files.items()):
        if report in there and tree.sound(there[report]):
            try:
                raw = (
                    version.read(there[report]).raw if report.endswith(".json") else canonical.read_bytes(there[report])
                )
            except FileUnreadable as error:
                yield tree.finding("FILE_UNREADABLE", there[report], error.problem)
            else:
                yield from compare(tree, "REPORT_STALE", there[report], raw, b"".join(pieces), "the reports")


def _metadata(version: Version, upstream: Upstream, coverage: bytes | None, union_sha256: str) -> Iterator[Finding]:
    tree, path, status = version.tree, version.root.metadata(version.name), version.status
    carried = version.metadata.view(CarriedOver)
    if status is None or carried is None or not tree.sound(path):
        return
    covered = None
    if coverage is not None:
        covered = canonical.convert(canonical.loads(coverage, path), Manifest, path).coverage
    try:
        expected = build_metadata(
            upstream,
            covered,
            tree.folder.rules,
            version=version.name,
            status=status,
            updated_at=_time(version, value_at(version.metadata.document, "/updated_at")),
            existing=carried,
            union_sha256=union_sha256,
        )
    except GateFailed as error:
        message = f"{error.problem}; {error.remedy}, or record a lower status"
        yield tree.finding("VERSION_STATUS_NOT_EARNED", path, message, "/status")
        return
    raw = version.metadata.raw
    yield from compare(tree, "VERSION_METADATA_STALE", path, raw, canonical.encode(expected), "the metadata")


def _time(version: Version, found: Any) -> str:
    tree = version.tree
    pinned = tree.lock.epoch(version.name) if tree.sound(tree.root.lock) else None
    return str(found) if pinned is None else carried(str(found), pinned)


def _underivable(tree: Tree, code: str, path: Path, error: ParityError) -> Finding:
    where = f"{Path(error.where).name}: " if error.where and isinstance(error, ArtifactError) else ""
    return tree.finding(code, path, f"cannot be derived again: {where}{error.problem}")


def compare(tree: Tree, code: str, path: Path, raw: bytes, expected: bytes, what: str) -> Iterator[Finding]:
    """The finding that a file is not what it would be rebuilt as, at the first value in which it differs."""
    if raw != expected:
        message = f"differs from what its inputs give; rebuild {what}"
        yield tree.finding(code, path, message, _first_difference(raw, expected))


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
                return escaped(key)
            if (found := _differ(one[key], other[key])) is not None:
                return f"{escaped(key)}{found}"
    elif isinstance(one, list) and isinstance(other, list):
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            if (found := _differ(left, right)) is not None:
                return f"/{index}{found}"
        if len(one) != len(other):
            return f"/{min(len(one), len(other))}"
    elif one != other or type(one) is not type(other):
        return ""
    return None
