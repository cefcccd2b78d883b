"""Checks of foreign wrappers: what their folders hold can be read, and what is derived from evidence is what it gives.

What is imported where it is needed is needed only where there are such wrappers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import canonical
from pipeline.clock import carried
from pipeline.contract.folder import read_lock
from pipeline.errors import ArtifactError, ArtifactInvalid, ParityError
from pipeline.layout import WrapperRoot
from pipeline.surface.coverage import Manifest
from pipeline.surface.lock import Lock
from pipeline.validate.finding import Finding, pointer_at
from pipeline.validate.tree import Read, Tree, value_at

if TYPE_CHECKING:
    from pipeline.trace.described import ForeignWrapper

_INVALID, _STALE = "FOREIGN_WRAPPER_INVALID", "FOREIGN_WRAPPER_STALE"


def shape_findings(tree: Tree) -> Iterator[Finding]:
    """What is said of a foreign wrapper and what was seen of it: there, strict, and in canonical form."""
    for root in roots(tree):
        from pipeline.trace.answers import Rule
        from pipeline.trace.described import read_described
        from pipeline.trace.evidence import Evidence

        try:
            wrapper = read_described(root.description)
        except ArtifactError as error:
            yield tree.finding(_INVALID, root.description, error.problem)
            continue
        if root.answers.exists():
            yield from _shape(tree, root.answers, tuple[Rule, ...])
        yield from _shape(tree, root.evidence, Evidence)
        wrong = list(_shape(tree, root.lock, Lock))
        yield from wrong
        if not wrong and not any(row.package == wrapper.package.spec for row in read_lock(root).rows):
            yield tree.finding(_INVALID, root.lock, f"has no row of {wrapper.package.spec}; fetch it again", "/rows")


def derived_findings(tree: Tree) -> Iterator[Finding]:
    """Evidence of what is described and locked now; coverage, summary and reports as a rebuild would write them."""
    for root in roots(tree):
        from pipeline.trace.described import inputs_digest, read_described

        if not tree.sound(root.description, root.answers, root.evidence, root.lock, tree.folder.rules_path):
            continue
        wrapper = read_described(root.description)
        if value_at(tree.read(root.evidence).document, "/inputs_sha256") != inputs_digest(root):
            message = "was recorded with another description, driver or package; trace the wrapper again"
            yield tree.finding(_STALE, root.evidence, message, "/inputs_sha256")
        elif tree.sound(tree.root.union(wrapper.upstream_version), tree.root.timeline):
            yield from _derived(tree, root, wrapper)


def roots(tree: Tree) -> list[WrapperRoot]:
    """The folders of the tree's foreign wrappers."""
    return [tree.root.wrapper(name) for name in tree.root.wrapper_names()] if tree.folder.agent else []


def _shape(tree: Tree, path: Path, type_: Any) -> Iterator[Finding]:
    read = tree.read(path)
    if read.error:
        code = "FILE_UNREADABLE" if read.unreadable else _INVALID
        yield tree.finding(code, path, read.error.problem)
        return
    try:
        canonical.convert(read.document, type_, path)
    except ArtifactInvalid as error:
        place, _, problem = error.problem.partition(": ")
        yield tree.finding(_INVALID, path, problem, pointer_at(place))
        return
    if not read.is_canonical:
        yield tree.finding("NOT_CANONICAL", path, "not in canonical form (two-space indent, one final newline)")


def _derived(tree: Tree, root: WrapperRoot, wrapper: ForeignWrapper) -> Iterator[Finding]:
    from pipeline.report import Digests, Upstream, report_pieces
    from pipeline.trace.stage import derived
    from pipeline.validate.freshness import compare

    version, any_report = wrapper.upstream_version, root.report(wrapper.upstream_version, "any")
    union = tree.root.union(version)
    try:
        generated_at = _stamp(root.wrapper_coverage, read_lock(root).epoch(wrapper.package.version))
        coverage, summary = derived(root.evidence, union, generated_at=generated_at)
        raw = canonical.read_bytes(union)
        files = report_pieces(
            Upstream.parse(raw, union),
            canonical.convert(canonical.loads(coverage, any_report), Manifest, any_report),
            tree.folder.rules,
            version=version,
            generated_at=_stamp(any_report, tree.lock.epoch(version)),
            program=tree.folder.program,
            timeline=tree.timeline,
            digests=lambda: Digests(*(hashlib.sha256(one).hexdigest() for one in (raw, coverage, tree.rules.raw))),
        )
    except ParityError as error:
        yield tree.finding(_STALE, root.evidence, f"nothing can be derived from it: {error.problem}")
        return
    expected = {root.wrapper_coverage: coverage, root.summary: summary}
    expected |= {root.reports(version) / name: b"".join(pieces) for name, pieces in files.items()}
    for path, content in expected.items():
        try:
            found = canonical.read_bytes(path)
        except ArtifactError as error:
            yield tree.finding(_STALE, path, f"{error.problem}; rebuild it")
        else:
            yield from compare(tree, _STALE, path, found, content, "it")


def _stamp(path: Path, pinned: int | None) -> str:
    """The time that a derived file has to carry."""
    found = str(value_at(Read.from_file(path).document, "/generated_at"))
    return found if pinned is None else carried(found, pinned)
