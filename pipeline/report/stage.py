"""The report stage on files: union and wrapper coverage of a root in, one JSON and one Markdown per question out."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.rules import read_rules
from pipeline.errors import IdentityMismatch
from pipeline.layout import Root
from pipeline.report.build import build_reports
from pipeline.report.upstream import Upstream
from pipeline.surface.coverage import Manifest


def write_reports(
    root: Root, version: str, *, generated_at: str, rules_path: Path | None = None, program: str = ""
) -> list[Path]:
    """Write ``reports/<version>/coverage.*`` and return the paths, in the order of the questions.

    All reports are computed before the first is written, and reports of questions that are no longer asked
    (a target that is gone, ``all`` of a union that is no longer complete) are removed.
    """
    files = report_bytes(root, version, generated_at=generated_at, rules_path=rules_path, program=program)
    folder = root.reports(version)
    written = [(folder / name, content) for name, content in files.items()]
    canonical.write_all(written)
    for stale in sorted(folder.glob("coverage.*")):
        if stale.name not in files and stale.suffix in (".json", ".md"):
            stale.unlink()
    return [path for path, _ in written]


def report_bytes(
    root: Root, version: str, *, generated_at: str, rules_path: Path | None = None, program: str = ""
) -> dict[str, bytes]:
    """The files of ``write_reports`` as bytes, by name."""
    rules_path = rules_path or root.rules
    union_path, coverage_path = root.union(version), root.wrapper_coverage
    union, coverage_raw = canonical.read_bytes(union_path), canonical.read_bytes(coverage_path)
    rules = read_rules(rules_path)
    upstream = Upstream.parse(union, union_path)
    for one in upstream.inputs:
        found = one.binary.get("semantic_version", version)
        if rules.union.require_same_semantic_version and found != version:
            raise IdentityMismatch(
                f"$.inputs: the union is of version {found}, expected {version}",
                where=union_path,
                remedy=f"rebuild the union of {version}",
            )
    coverage = canonical.convert(canonical.loads(coverage_raw, coverage_path), Manifest, coverage_path)

    inputs: Json = {
        "upstream": {"semantic_version": version},
        "wrapper": {"schema_version": 1},
        "rules": {"rules_schema_version": rules.rules_schema_version},
    }
    if coverage.wrapper_version is not None:
        inputs["wrapper"]["wrapper_version"] = coverage.wrapper_version
    if upstream.has_provenance:
        inputs["upstream"]["union_sha256"] = hashlib.sha256(union).hexdigest()
        inputs["wrapper"]["coverage_sha256"] = hashlib.sha256(coverage_raw).hexdigest()
        inputs["rules"]["rules_sha256"] = hashlib.sha256(canonical.read_bytes(rules_path)).hexdigest()
    return build_reports(upstream, coverage.coverage, rules, inputs=inputs, generated_at=generated_at, program=program)
