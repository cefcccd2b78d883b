"""The table of checks. Each looks at one aspect of the tree and yields findings in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.validate import freshness, pointers, shape
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree


@dataclass(frozen=True, slots=True)
class Check:
    """``codes`` are all that the check can find; ``scope`` is the part of the tree that it looks at."""

    codes: tuple[str, ...]
    scope: str
    summary: str
    run: Callable[[Tree], Iterator[Finding]]


_KINDS = ("SNAPSHOT", "UNION", "REPORT", "WRAPPER_COVERAGE", "VERSION_METADATA", "CURRENT")

CHECKS: tuple[Check, ...] = (
    Check(
        tuple(f"{kind}_{what}" for kind in _KINDS for what in ("MISSING", "INVALID_JSON", "SCHEMA_INVALID")),
        "artifacts",
        "Every artifact is there, is strict JSON and fits the definition of its kind.",
        shape.schema_findings,
    ),
    Check(("NOT_CANONICAL",), "artifacts", "Every artifact has canonical bytes.", shape.canonical_findings),
    Check(
        ("NAME_MISMATCH",),
        "artifacts",
        "A file's version, target and mode are those that its place names.",
        shape.name_findings,
    ),
    Check(("RULE_NOT_HONOURED",), "rules", "Every key of RULES.json is honoured by a stage.", shape.rule_findings),
    Check(
        ("POINTER_MISSING_FILE", "POINTER_INVALID_FORMAT", "POINTER_INVALID_VALUE"),
        "pointers",
        "Every pointer file is there and holds one line: a stable version, or none where that is allowed.",
        pointers.file_findings,
    ),
    Check(
        ("POINTER_LATEST_VALIDATED_MISMATCH", "POINTER_INCONSISTENT_WITH_VERSION_METADATA"),
        "pointers",
        "Pointers agree with each other and with what the versions they name have earned.",
        pointers.agreement_findings,
    ),
    Check(
        (
            "CURRENT_MISSING",
            "CURRENT_UNEXPECTED",
            "CURRENT_JSON_NOT_EQUAL_UNION",
            "CURRENT_JSON_MISSING_REQUIRED_TARGET",
            "CURRENT_JSON_SEMVER_MISMATCH",
        ),
        "current",
        "current.json is the union of the latest validated version, byte for byte.",
        pointers.current_findings,
    ),
    Check(("SCHEMA_STALE",), "schemas", "The schemas are those of this version's types.", freshness.schema_findings),
    Check(
        ("SNAPSHOT_NOT_LOCKED", "SNAPSHOT_PARSER_OLD"),
        "snapshots",
        "A snapshot was read from the locked binary, by this version's reading of help.",
        freshness.snapshot_findings,
    ),
    Check(
        ("UNION_STALE",), "unions", "A union equals what its snapshots and the rules give.", freshness.union_findings
    ),
    Check(
        ("WRAPPER_COVERAGE_STALE",),
        "wrapper coverage",
        "The wrapper coverage equals what the wrapper's declarations give.",
        freshness.coverage_findings,
    ),
    Check(
        ("REPORT_MISSING", "REPORT_STALE", "REPORT_ORPHAN"),
        "reports",
        "Reports are there for each question, no others are, and each equals what its inputs give.",
        freshness.report_findings,
    ),
    Check(
        ("VERSION_METADATA_STALE",),
        "versions",
        "Version metadata equals what union, coverage and rules give, and the status is earned.",
        freshness.metadata_findings,
    ),
)
