"""The report stage on files: union and wrapper coverage of a root in, one JSON and one Markdown per question out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from mmap import mmap
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.rules import Rules, read_rules
from pipeline.errors import IdentityMismatch
from pipeline.history import read_timeline
from pipeline.layout import Root
from pipeline.report.build import render_reports, sort_units
from pipeline.report.elsewhere import elsewhere
from pipeline.report.upstream import Upstream
from pipeline.surface.coverage import Manifest
from pipeline.surface.timeline import Timeline


def write_reports(
    root: Root,
    version: str,
    *,
    generated_at: str,
    rules_path: Path | None = None,
    program: str = "",
    coverage: Path | None = None,
    into: Path | None = None,
) -> list[Path]:
    """Write ``reports/<version>/coverage.*`` and return the paths, in the order of the questions.

    All reports are computed before the first is written, and reports of questions that are no longer asked
    (a target that is gone, ``all`` of a union that is no longer complete) are removed. ``coverage`` is the wrapper
    coverage to report on, if it is not the root's; ``into`` the folder to write to, if it is not the version's own.
    """
    files = _pieces(
        root,
        version,
        generated_at=generated_at,
        rules_path=rules_path,
        program=program,
        coverage_path=coverage or root.wrapper_coverage,
    )
    folder = into or root.reports(version)
    canonical.write_all([(folder / name, content) for name, content in files.items()])
    for stale in sorted(folder.glob("coverage.*")):
        if stale.name not in files and stale.suffix in (".json", ".md"):
            stale.unlink()
    return [root.reports(version) / name for name in files]


class Digests(NamedTuple):
    """SHA-256 of what a report is made from; lower-case hex."""

    union: str
    coverage: str
    rules: str


def report_pieces(
    upstream: Upstream,
    coverage: Manifest,
    rules: Rules,
    *,
    version: str,
    generated_at: str,
    program: str = "",
    timeline: Timeline | None = None,
    digests: Callable[[], Digests],
) -> dict[str, list[bytes]]:
    """The files of all reports of a version by name, in pieces; ``digests`` is asked only if they carry some."""
    found = sort_units(upstream, coverage.coverage, rules, elsewhere=elsewhere(timeline, version) if timeline else None)
    inputs: Json = {
        "upstream": {"semantic_version": version},
        "wrapper": {"schema_version": 1},
        "rules": {"rules_schema_version": rules.rules_schema_version},
    }
    if coverage.wrapper_version is not None:
        inputs["wrapper"]["wrapper_version"] = coverage.wrapper_version
    if upstream.has_provenance:
        union, of_coverage, of_rules = digests()
        inputs["upstream"]["union_sha256"] = union
        inputs["wrapper"]["coverage_sha256"] = of_coverage
        inputs["rules"]["rules_sha256"] = of_rules
    return render_reports(found, inputs=inputs, generated_at=generated_at, program=program)


@canonical.no_collector_pauses()
def _pieces(
    root: Root, version: str, *, generated_at: str, rules_path: Path | None, program: str, coverage_path: Path
) -> dict[str, list[bytes]]:
    rules_path = rules_path or root.rules
    coverage_raw, rules_raw = canonical.read_bytes(coverage_path), canonical.read_bytes(rules_path)
    rules = read_rules(rules_path)
    coverage = canonical.convert(canonical.loads(coverage_raw, coverage_path), Manifest, coverage_path)
    # The digest of a big union costs as much as reading it, and needs no interpreter: it is made meanwhile.
    with canonical.mapped(root.union(version)) as union, ThreadPoolExecutor(1) as pool:
        upstream = Upstream.parse(union, root.union(version))
        _check_version(upstream, version, rules, root.union(version))
        digest = pool.submit(_sha256, union) if upstream.has_provenance else None
        return report_pieces(
            upstream,
            coverage,
            rules,
            version=version,
            generated_at=generated_at,
            program=program,
            timeline=read_timeline(root.timeline) if root.timeline.exists() else None,
            digests=lambda: Digests(digest.result() if digest else "", _sha256(coverage_raw), _sha256(rules_raw)),
        )


def _check_version(upstream: Upstream, version: str, rules: Rules, path: Path) -> None:
    for one in upstream.inputs:
        found = one.binary.get("semantic_version", version)
        if rules.union.require_same_semantic_version and found != version:
            raise IdentityMismatch(
                f"$.inputs: the union is of version {found}, expected {version}",
                where=path,
                remedy=f"rebuild the union of {version}",
            )


def _sha256(content: bytes | mmap) -> str:
    return hashlib.sha256(content).hexdigest()
