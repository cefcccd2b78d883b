"""The table of checks: every code that validation can find, in the order in which its function runs.

A function may find several codes, and yields findings in any order. FILE_UNREADABLE, NOT_CANONICAL and ORPHAN may be so
of any file: they stand where most of them are found, and other functions find them too. A check of a version sees only
what is left sound by the ones above it (``Tree.sound``). docs/findings.md is generated from here (``catalogue``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

from pipeline.validate import (
    coverage,
    current,
    described,
    files,
    foreign,
    lockfile,
    metadata,
    orphans,
    pointers,
    reports,
    surfaces,
)
from pipeline.validate.finding import Finding


class Scope(StrEnum):
    """What a check looks at, in this order.

    The files of the root itself, each version, what only all versions together can tell, and all agents.
    """

    ROOT = "root"
    VERSION = "version"
    WHOLE = "whole"
    WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True)
class Check:
    """One code. ``recomputes`` says that it derives files again, which can be left out for speed."""

    code: str
    severity: str
    scope: Scope
    summary: str
    run: Callable[[Any], Iterable[Finding]]
    recomputes: bool = False


def _checks(
    scope: Scope, run: Callable[[Any], Iterable[Finding]], summaries: dict[str, str], *, recomputes: bool = False
) -> tuple[Check, ...]:
    return tuple(Check(code, "error", scope, summary, run, recomputes) for code, summary in summaries.items())


def _recomputed(module: str, name: str) -> Callable[[Any], Iterable[Finding]]:
    """A check that derives files again: its module stands on most stages, and is imported when it runs."""

    def run(subject: Any) -> Iterable[Finding]:
        found: Iterable[Finding] = getattr(import_module(f"pipeline.validate.{module}"), name)(subject)
        return found

    return run


CHECKS: tuple[Check, ...] = (
    *_checks(
        Scope.ROOT,
        files.rules_findings,
        {
            "PARITY_EXCLUSIONS_SCHEMA_VERSION": "The exclusions are of schema 1, or none of them counts.",
            "PARITY_EXCLUSIONS_MISSING_UNITS": "The exclusions have a list of units.",
            "PARITY_EXCLUSIONS_INVALID_ENTRY": "An exclusion names one command, one flag by key or one arg by name.",
            "PARITY_EXCLUSIONS_NOTE_MISSING": "An exclusion says why.",
            "PARITY_EXCLUSIONS_DUPLICATE": "No unit is excluded twice.",
            "PARITY_EXCLUSIONS_NOT_SORTED": "Exclusions are by unit, path, then key or name.",
        },
    ),
    *_checks(
        Scope.ROOT,
        files.schema_findings,
        {
            "SCHEMA_INVALID_JSON": "Both schemas are strict JSON.",
            "SCHEMA_VALIDATION_FAILED": "Both schemas are JSON Schemas that refer to nothing outside themselves.",
            "SCHEMA_STALE": "Both schemas are those of this version's types.",
        },
    ),
    *_checks(
        Scope.ROOT,
        files.folder_findings,
        {"FOLDER_EXPECTED": "What is a folder in every tree is no file."},
    ),
    *_checks(
        Scope.ROOT,
        files.authored_findings,
        {
            "LOCK_INVALID": "artifacts.lock.json is strict JSON and has the shape of a lock.",
            "SUPPLEMENT_INVALID": "supplement/commands.json is strict JSON and has the shape of a supplement.",
        },
    ),
    *_checks(
        Scope.ROOT,
        files.timeline_findings,
        {
            "TIMELINE_MISSING": "There is a timeline as soon as there is a version.",
            "TIMELINE_INVALID": "timeline.json is strict JSON, has its shape, and tells of each version what was read.",
        },
    ),
    *_checks(
        Scope.ROOT,
        files.surfaces_findings,
        {
            "SURFACES_MISSING": "There is a memory of surfaces as soon as there is a version that is asked for them.",
            "SURFACES_INVALID": "surfaces.json is strict JSON and has its shape.",
        },
    ),
    *_checks(
        Scope.ROOT,
        described.description_findings,
        {
            "AGENT_TARGETS_MISMATCH": "agent.toml publishes for the targets that the rules expect.",
            "AGENT_PROBE_UNKNOWN": "The form in which agent.toml has the parser asked is one that there is.",
            "PLATFORM_MISMATCH": "A target is mapped to the platform that its name says.",
        },
    ),
    *_checks(
        Scope.ROOT,
        lockfile.row_findings,
        {
            "LOCK_MISSING": "There is a lock, where snapshots of published binaries are.",
            "LOCK_ROW_INVALID": "A row pins what agent.toml publishes for an expected target, as its twins do.",
            "LOCK_ROW_DUPLICATE": "No version is locked twice for a target.",
            "LOCK_NOT_SORTED": "Rows are by version, then target.",
        },
    ),
    *_checks(
        Scope.ROOT,
        lockfile.requirement_findings,
        {
            "REQUIREMENTS_MISSING": "What a Python application is installed with is there.",
            "REQUIREMENTS_NOT_LOCKED": "What a Python application is installed with is what the lock pins.",
        },
    ),
    *_checks(
        Scope.ROOT,
        files.root_findings,
        {
            "WRAPPER_COVERAGE_MISSING": "There is a wrapper coverage, where a wrapper is compared.",
            "WRAPPER_COVERAGE_INVALID_JSON": "The wrapper coverage is strict JSON.",
            "WRAPPER_COVERAGE_SCHEMA_VERSION": "The wrapper coverage is of schema 1.",
            "WRAPPER_COVERAGE_SCHEMA_INVALID": "The wrapper coverage fits its schema.",
            "WRAPPER_COVERAGE_PARSE_FAILED": "What fits the schema in its place is a wrapper coverage.",
            "CURRENT_INVALID_JSON": "current.json is strict JSON.",
            "CURRENT_SCHEMA_INVALID": "current.json fits the schema of unions.",
            "CURRENT_WRONG_KIND": "current.json is a union and no other artifact.",
        },
    ),
    *_checks(
        Scope.ROOT,
        coverage.findings,
        {
            "WRAPPER_COVERAGE_INCLUDES_EXCLUDED": "The wrapper claims nothing that the rules exclude.",
            "IU_NOTE_MISSING": "What is intentionally unsupported says why.",
            "PASSTHROUGH_NOTE_MISSING": "What is passed through says why.",
            "WRAPPER_SCOPE_OVERLAP": "No unit is claimed more than once on a target.",
            "WRAPPER_SCOPE_TARGET_NOT_EXPECTED": "A scope names expected targets.",
        },
    ),
    *_checks(
        Scope.ROOT,
        _recomputed("freshness", "coverage_findings"),
        {"WRAPPER_COVERAGE_STALE": "The wrapper coverage is what the wrapper's declarations give."},
        recomputes=True,
    ),
    *_checks(
        Scope.ROOT,
        foreign.shape_findings,
        {"FOREIGN_WRAPPER_INVALID": "What is said and what was seen of a foreign wrapper is there, and has its shape."},
    ),
    *_checks(
        Scope.ROOT,
        pointers.file_findings,
        {
            "POINTER_MISSING_FILE": "Every pointer is there.",
            "POINTER_UNREADABLE": "A pointer is a file of UTF-8 text.",
            "POINTER_INVALID_FORMAT": "A pointer is one line and a newline.",
            "POINTER_INVALID_VALUE": "A pointer names a stable version, or none where that is allowed.",
        },
    ),
    *_checks(
        Scope.ROOT,
        pointers.agreement_findings,
        {
            "POINTER_LATEST_VALIDATED_MISMATCH": "latest_validated.txt agrees with the required target's pointer.",
            "POINTER_MIN_SUPPORTED_ABOVE_LATEST_VALIDATED": "min_supported.txt is not above latest_validated.txt.",
        },
    ),
    *_checks(
        Scope.ROOT,
        metadata.folder_findings,
        {
            "VERSIONS_DIR_UNREADABLE": "versions is a folder that can be listed.",
            "VERSION_FILE_INVALID_NAME": "A file in versions is named after a stable version.",
        },
    ),
    *_checks(
        Scope.VERSION,
        files.version_findings,
        {
            "FILE_UNREADABLE": "What stands in an artifact's place is a file that can be read.",
            "VERSION_METADATA_MISSING": "Every version with snapshots, or that a pointer names, has metadata.",
            "VERSION_METADATA_INVALID_JSON": "Metadata is strict JSON.",
            "VERSION_METADATA_SCHEMA_INVALID": "Metadata fits its schema.",
            "SNAPSHOT_MISSING": "Every snapshot that a union was made from is there.",
            "SNAPSHOT_INVALID_JSON": "A snapshot is strict JSON.",
            "SNAPSHOT_SCHEMA_INVALID": "A snapshot fits its schema.",
            "SNAPSHOT_WRONG_KIND": "A target's file is a snapshot and no other artifact.",
            "UNION_MISSING": "Every version has a union, until retention prunes it.",
            "UNION_INVALID_JSON": "A union is strict JSON.",
            "UNION_SCHEMA_INVALID": "A union fits its schema.",
            "UNION_WRONG_KIND": "union.json is a union and no other artifact.",
            "REPORT_INVALID_JSON": "A report is strict JSON.",
            "REPORT_SCHEMA_INVALID": "A report fits its schema.",
            "NAME_MISMATCH": "A file's version, target and mode are those that its place names.",
            "NOT_CANONICAL": "A file has the canonical bytes of what it says.",
        },
    ),
    *_checks(
        Scope.VERSION,
        surfaces.findings,
        {
            "SNAPSHOT_TARGET_NOT_EXPECTED": "A snapshot is of a target that the rules expect.",
            "UNION_INPUT_NOT_EXPECTED": "A union is made from targets that the rules expect.",
            "SURFACE_ROOT_MISSING": "A surface has an entry for the root command.",
            "SURFACE_COMMAND_DUPLICATE": "No command path is listed twice.",
            "SURFACE_FLAG_DUPLICATE": "No flag is listed twice in a command.",
            "SURFACE_ARG_DUPLICATE": "No arg is listed twice in a command.",
            "SURFACE_NAME_DUPLICATE": "No feature, method or hook event is listed twice.",
            "SURFACE_NOT_SORTED": "Commands are by path, flags by key, all else by name.",
        },
    ),
    *_checks(
        Scope.VERSION,
        lockfile.snapshot_findings,
        {
            "SNAPSHOT_NOT_LOCKED": "A snapshot was read from the locked binary.",
            "SNAPSHOT_PARSER_OLD": "A snapshot was read by this version's reading of help.",
        },
    ),
    *_checks(
        Scope.VERSION,
        described.snapshot_findings,
        {"SNAPSHOT_NOT_AS_DESCRIBED": "A snapshot was read in the way that agent.toml says."},
    ),
    *_checks(
        Scope.VERSION,
        metadata.validation_findings,
        {
            "VALIDATION_TARGET_NOT_EXPECTED": "Outcomes are of expected targets.",
            "VALIDATION_TARGET_SETS_OVERLAP": "A target either passed, failed or was skipped.",
            "VALIDATION_REQUIRED_TARGET_NOT_EXPLICIT": "The required target has exactly one outcome.",
        },
    ),
    *_checks(
        Scope.VERSION,
        reports.missing_findings,
        {"REPORT_MISSING": "There is a report for each question that status and union call for."},
    ),
    *_checks(
        Scope.VERSION,
        reports.delta_findings,
        {
            "REPORT_MISSING_INCLUDES_EXCLUDED": "Nothing that the rules exclude counts as missing.",
            "REPORT_MISSING_INCLUDES_INTENTIONALLY_UNSUPPORTED": "Nothing that is waived counts as missing.",
            "REPORT_IU_NOTE_MISSING": "What is listed as waived is waived, and says why.",
            "REPORT_IU_NOT_SORTED": "Waived units are by kind, path, then key or name.",
        },
    ),
    *_checks(
        Scope.VERSION,
        pointers.earned_findings,
        {
            "POINTER_REFERENCES_MISSING_VERSION_METADATA": "A version that a pointer names has metadata.",
            "POINTER_REFERENCES_MISSING_SNAPSHOT": "A version that a target's pointer names has its snapshot.",
            "POINTER_STATUS_TOO_LOW": "A version that is called validated has the status for it.",
            "POINTER_INCONSISTENT_WITH_VERSION_METADATA": "A version has earned the pointers that name it.",
        },
    ),
    *_checks(
        Scope.VERSION,
        _recomputed("freshness", "findings"),
        {
            "UNION_STALE": "A union is what its snapshots and the rules give.",
            "REPORT_STALE": "A report is what union, wrapper coverage and rules give.",
            "VERSION_STATUS_NOT_EARNED": "A version has earned its status.",
            "VERSION_METADATA_STALE": "Metadata is what union, wrapper coverage and rules give.",
        },
        recomputes=True,
    ),
    *_checks(
        Scope.WHOLE,
        current.findings,
        {
            "CURRENT_MISSING": "There is a current.json once a version is validated.",
            "CURRENT_UNEXPECTED": "There is no current.json before a version is validated.",
            "CURRENT_JSON_NOT_EQUAL_UNION": "current.json is the latest validated union, byte for byte.",
            "CURRENT_JSON_MISSING_REQUIRED_TARGET": "current.json has an input of the required target.",
            "CURRENT_JSON_SEMVER_MISMATCH": "current.json is of the latest validated version.",
        },
    ),
    *_checks(
        Scope.WHOLE,
        _recomputed("freshness", "timeline_findings"),
        {"TIMELINE_STALE": "The timeline says of each version what its snapshots say."},
        recomputes=True,
    ),
    *_checks(
        Scope.WHOLE,
        _recomputed("freshness", "surfaces_findings"),
        {"SURFACES_STALE": "surfaces.json says of each version what its union says, and knows none but those read."},
        recomputes=True,
    ),
    *_checks(
        Scope.WHOLE,
        _recomputed("diffs", "shape_findings"),
        {
            "DIFF_MISSING": "There is a diff, and a page of it, between every two neighbouring versions.",
            "DIFF_INVALID": "A diff is strict JSON and has the shape of a diff.",
            "DIFF_TRIALS_INVALID": "A trial's record is strict JSON and has its shape.",
        },
    ),
    *_checks(
        Scope.WHOLE,
        _recomputed("diffs", "derived_findings"),
        {
            "DIFF_STALE": "A diff is what the two unions and the trial's record give.",
            "DIFF_TRIALS_STALE": "A trial's record is about witnesses of its diff.",
        },
        recomputes=True,
    ),
    *_checks(
        Scope.WHOLE,
        coverage.unused_findings,
        {
            "EXCLUSION_UNUSED": "Some version has the unit that an exclusion is about.",
            "WAIVER_UNUSED": "Some version has the unit that a waiver is about.",
        },
    ),
    *_checks(
        Scope.WHOLE,
        foreign.derived_findings,
        {"FOREIGN_WRAPPER_STALE": "What is said of a foreign wrapper is what its evidence and the union give."},
        recomputes=True,
    ),
    *_checks(
        Scope.WHOLE,
        orphans.findings,
        {"ORPHAN": "Every file in a folder of artifacts has its place there."},
    ),
    *_checks(
        Scope.WORKSPACE,
        _recomputed("matrix", "findings"),
        {
            "SUPPORT_MATRIX_ROOT_READ_ERROR": "Every agent's folder says what the matrix is derived from.",
            "SUPPORT_MATRIX_REPORT_READ_ERROR": "Every report that a row rests on can be read.",
            "SUPPORT_MATRIX_ARTIFACT_MISSING": "The matrix is published.",
            "SUPPORT_MATRIX_INVALID_JSON": "The matrix is strict JSON.",
            "SUPPORT_MATRIX_SCHEMA_INVALID": "The matrix has the shape of schema 1.",
            "SUPPORT_MATRIX_UNKNOWN_AGENT": "Every row is about an agent that has a folder.",
            "SUPPORT_MATRIX_ROW_DUPLICATE": "No two rows are about the same agent, version and target.",
            "SUPPORT_MATRIX_ROW_UNEXPECTED": "Every row is about a version with metadata and an expected target.",
            "SUPPORT_MATRIX_ROW_MISSING": "Every version with metadata has a row for each expected target.",
            "SUPPORT_MATRIX_ROW_ORDER_MISMATCH": "Rows are by agent and target, the newest version first.",
            "SUPPORT_MATRIX_MANIFEST_SUPPORT_MISMATCH": "manifest_support is what the version's metadata says.",
            "SUPPORT_MATRIX_BACKEND_SUPPORT_MISMATCH": "backend_support is what the target's report comes to.",
            "SUPPORT_MATRIX_UAA_SUPPORT_MISMATCH": "uaa_support is what the two before it and the notes leave.",
            "SUPPORT_MATRIX_POINTER_PROMOTION_MISMATCH": "pointer_promotion is what the target's pointers say.",
            "SUPPORT_MATRIX_EVIDENCE_NOTES_MISMATCH": "evidence_notes are those of the report and of current.json.",
            "SUPPORT_MATRIX_VERSION_STATUS_MISMATCH": "A row promoted to latest_validated is of a validated version.",
            "SUPPORT_MATRIX_NOT_CANONICAL": "The matrix has canonical bytes.",
            "SUPPORT_MATRIX_MARKDOWN_STALE": "The page beside the matrix shows the same rows between its markers.",
        },
        recomputes=True,
    ),
)
