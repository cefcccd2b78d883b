"""Validation: a valid tree has no finding, and each code has a change that brings out exactly it.

One cause is one finding: a change of one file is told at that file, however much is derived from it.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from checkout import REPOSITORY
from mutating import (
    ARM,
    DERIVED,
    LINUX,
    MAC,
    NEW,
    OLD,
    STRANGE,
    WINDOWS,
    Change,
    Trees,
    V,
    alter,
    compare,
    copy,
    delete,
    drop,
    edit,
    find,
    folder,
    insert,
    put,
    rebuild,
    remember,
    replace,
    swap,
)

from pipeline.errors import ArtifactError, ArtifactMissing
from pipeline.history.sightings import digests, expanded
from pipeline.surface.timeline import Timeline
from pipeline.validate import Finding, render_lines
from pipeline.validate.catalogue import catalogue
from pipeline.validate.checks import CHECKS, Check, Scope

AGENT, RULES, LOCK, SUPPLEMENT = "agent.toml", "RULES.json", "artifacts.lock.json", "supplement/commands.json"
SCHEMA, METADATA_SCHEMA = "SCHEMA.json", "VERSION_METADATA_SCHEMA.json"
COVERAGE, CURRENT, TIMELINE = "wrapper_coverage.json", "current.json", "timeline.json"
SURFACES, METHOD = "surfaces.json", "/surfaces/rpc_methods/0"
MIN, LATEST = "min_supported.txt", "latest_validated.txt"
UNION, METADATA = f"snapshots/{V}/union.json", f"versions/{V}.json"
SNAPSHOT, STRANGER = f"snapshots/{V}/{LINUX}.json", f"snapshots/{V}/{STRANGE}.json"
EVENTS = f"/versions/{V}/hook_events"
ANY, ANY_PAGE = f"reports/{V}/coverage.any.json", f"reports/{V}/coverage.any.md"
DIFF, DIFF_PAGE, TRIALS = (f"diffs/{OLD}..{V}{suffix}" for suffix in (".json", ".md", ".trials.json"))
TWIN = f"pointers/latest_validated/{LINUX}.txt"
EXCLUSIONS, WAIVED = "/parity_exclusions/units", "/deltas/intentionally_unsupported"
LEVELS = "/version_metadata/supported_policy/coverage_requirement"
MISSING = {"path": ["exec"], "key": "--missing", "upstream_available_on": [LINUX]}
FIRST_SPAN = "/commands/0/spans/0"
SPAN = f"{FIRST_SPAN}/state"
FACTS = "/versions/0/facts_sha256"
ONLY = "/deltas/wrapper_only_flags/0"
REQUIREMENTS = "requirements/0.27.1/linux-x64.txt"
FOREIGN = "wrappers/codex-sdk"
EVIDENCE, FOREIGN_LOCK, DRIVER = f"{FOREIGN}/evidence.json", f"{FOREIGN}/artifacts.lock.json", f"{FOREIGN}/drive.mjs"
DESCRIBED, ANSWERS = f"{FOREIGN}/wrapper.toml", f"{FOREIGN}/answers.json"
SUMMARY, FOREIGN_ANY = f"{FOREIGN}/summary.json", f"{FOREIGN}/reports/{NEW}/coverage.any.json"


def entry_of(*path: str) -> str:
    """Where a command stands in the committed wrapper coverage."""
    entries = json.loads((REPOSITORY / "cli_manifests" / "codex" / COVERAGE).read_bytes())["coverage"]
    return f"/coverage/{[entry['path'] for entry in entries].index(list(path))}"


COMPLETION, EXEC, LAST = entry_of("completion"), entry_of("exec"), entry_of("update")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return Trees(tmp_path_factory.mktemp("trees"))


def pointer_of(kind: str, target: str) -> str:
    return f"pointers/{kind}/{target}.txt"


def stranger(root: Path) -> None:
    """A sound snapshot of a target that the rules do not expect."""
    copy(SNAPSHOT, STRANGER)(root)
    drop(STRANGER, "/generator")(root)
    alter(STRANGER, "/binary/target_triple", STRANGE)(root)


def forget_completion(root: Path) -> None:
    """Snapshots of a CLI that has no such command, and never had."""

    def without(commands: list[dict[str, Any]]) -> None:
        commands[:] = [command for command in commands if command["path"][:1] != ["completion"]]

    for path in root.glob("snapshots/*/*.json"):
        edit(path.relative_to(root).as_posix(), "/commands", without)(root)
    edit(TIMELINE, "/commands", without)(root)
    timeline = msgspec.json.decode((root / TIMELINE).read_bytes(), type=Timeline)
    told = digests({one.version: (one.targets, one.binaries) for one in timeline.versions}, expanded(timeline))
    for index, one in enumerate(timeline.versions):
        alter(TIMELINE, f"/versions/{index}/facts_sha256", told[one.version])(root)


def asking_less(root: Path) -> None:
    """An agent whose versions are asked for their command line alone."""
    text = (root / "agent.toml").read_text(encoding="utf-8")
    told = text[text.index("[surfaces]") : text.index("[oracles]")]
    put("agent.toml", text.replace(told, ""))(root)
    for path in root.glob("snapshots/*/*.json"):
        drop(path.relative_to(root).as_posix(), "/surfaces")(root)
    rebuild("union", "report", "version_metadata")(root)
    compare(root)


def alone(root: Path) -> None:
    """A timeline of no other versions than those that are kept."""
    (root / TIMELINE).unlink()
    remember(root)


def named(commands: list[dict[str, list[str]]], name: str) -> dict[str, list[str]]:
    return next(command for command in commands if command["path"] == [name])


# -- the table ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """``company`` are codes that cannot but come along, ``why`` says why; all else must not appear."""

    code: str
    path: str
    changes: tuple[Change, ...]
    pointer: str | None = None
    tree: str = "ours"
    company: frozenset[str] = frozenset()
    why: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.path}{self.pointer or ''}"


def exactly(code: str, path: str, *changes: Change, pointer: str | None = None, tree: str = "ours") -> Mutation:
    return Mutation(code, path, changes, pointer, tree)


def validated(code: str, path: str, *changes: Change, pointer: str | None = None) -> Mutation:
    """``exactly``, in the tree that has a validated version."""
    return Mutation(code, path, changes, pointer, "validated")


def wrapped(code: str, path: str, *changes: Change, pointer: str | None = None) -> Mutation:
    """``exactly``, in the tree that has foreign wrappers."""
    return Mutation(code, path, changes, pointer, "wrapped")


def among(
    code: str, path: str, *changes: Change, company: str, why: str, pointer: str | None = None, tree: str = "validated"
) -> Mutation:
    return Mutation(code, path, changes, pointer, tree, frozenset(company.split()), why)


COPY_OF_UNION = "current.json is the union byte for byte, so any other content differs from it too"
NOTHING_OF_IT = "each file of the version that the pointer calls for is told, and the pointer that called for it"

ROOT = (
    exactly(
        "PARITY_EXCLUSIONS_SCHEMA_VERSION",
        RULES,
        alter(RULES, "/parity_exclusions/schema_version", 2),
        pointer="/parity_exclusions/schema_version",
    ),
    exactly("PARITY_EXCLUSIONS_MISSING_UNITS", RULES, drop(RULES, EXCLUSIONS), pointer=EXCLUSIONS),
    exactly(
        "PARITY_EXCLUSIONS_INVALID_ENTRY", RULES, drop(RULES, f"{EXCLUSIONS}/3/key"), pointer=f"{EXCLUSIONS}/3/key"
    ),
    exactly(
        "PARITY_EXCLUSIONS_NOTE_MISSING",
        RULES,
        alter(RULES, f"{EXCLUSIONS}/0/note", " "),
        pointer=f"{EXCLUSIONS}/0/note",
    ),
    exactly("PARITY_EXCLUSIONS_DUPLICATE", RULES, insert(RULES, f"{EXCLUSIONS}/0"), pointer=EXCLUSIONS),
    exactly("PARITY_EXCLUSIONS_NOT_SORTED", RULES, swap(RULES, f"{EXCLUSIONS}/0"), pointer=EXCLUSIONS),
    exactly("NOT_CANONICAL", RULES, replace(RULES, "\n", "\r\n")),
    exactly("SCHEMA_INVALID_JSON", SCHEMA, put(SCHEMA, "{")),
    exactly("SCHEMA_INVALID_JSON", METADATA_SCHEMA, delete(METADATA_SCHEMA)),
    exactly(
        "SCHEMA_VALIDATION_FAILED",
        SCHEMA,
        alter(SCHEMA, "/$defs/Snapshot/type", 3),
        pointer="/$defs/Snapshot/type",
    ),
    exactly("SCHEMA_VALIDATION_FAILED", METADATA_SCHEMA, put(METADATA_SCHEMA, "[]\n")),
    exactly("SCHEMA_STALE", SCHEMA, alter(SCHEMA, "/title", "Another")),
    # An artifact that does not fit a schema which is not this version's is not told.
    exactly("SCHEMA_STALE", SCHEMA, alter(SCHEMA, "/$defs/Command/required/0", "surprise")),
    exactly("SCHEMA_STALE", METADATA_SCHEMA, alter(METADATA_SCHEMA, "/title", "Another")),
    exactly("LOCK_INVALID", LOCK, put(LOCK, "{")),
    exactly("LOCK_INVALID", LOCK, alter(LOCK, "/rows/2/size_bytes", "many"), pointer="/rows/2/size_bytes"),
    exactly("NOT_CANONICAL", LOCK, replace(LOCK, "  ", "\t")),
    exactly("SUPPLEMENT_INVALID", SUPPLEMENT, put(SUPPLEMENT, '{"version": 1, "version": 1}')),
    exactly("SUPPLEMENT_INVALID", SUPPLEMENT, alter(SUPPLEMENT, "/version", 2), pointer="/version"),
    exactly("NOT_CANONICAL", SUPPLEMENT, put(SUPPLEMENT, '{"commands": [], "version": 1}\n')),
    exactly("TIMELINE_MISSING", TIMELINE, delete(TIMELINE)),
    exactly("TIMELINE_INVALID", TIMELINE, put(TIMELINE, '{"versions": [], "versions": []}')),
    exactly("TIMELINE_INVALID", TIMELINE, alter(TIMELINE, "/versions/0/targets", "all"), pointer="/versions/0/targets"),
    exactly("TIMELINE_INVALID", TIMELINE, swap(TIMELINE, "/versions/0"), pointer="/versions"),
    exactly("TIMELINE_INVALID", TIMELINE, alter(TIMELINE, "/commands/0/spans/0/last", "1.0.0"), pointer="/commands"),
    exactly("NOT_CANONICAL", TIMELINE, replace(TIMELINE, "  ", "\t")),
    exactly("TIMELINE_INVALID", TIMELINE, alter(TIMELINE, SPAN, "hidden"), pointer="/versions/1/facts_sha256"),
    exactly("TIMELINE_INVALID", TIMELINE, drop(TIMELINE, "/commands/0/flags/0"), pointer="/versions/1/facts_sha256"),
    exactly("TIMELINE_STALE", TIMELINE, alter(TIMELINE, FACTS, "0" * 64), pointer=FACTS),
    exactly("TIMELINE_STALE", TIMELINE, alone, alter(TIMELINE, SPAN, "hidden"), pointer=SPAN),
    exactly("SURFACES_MISSING", SURFACES, delete(SURFACES)),
    exactly("SURFACES_INVALID", SURFACES, put(SURFACES, "{")),
    exactly("SURFACES_INVALID", SURFACES, alter(SURFACES, EVENTS, "Stop"), pointer="/versions"),
    exactly("NOT_CANONICAL", SURFACES, replace(SURFACES, "  ", "\t")),
    exactly("SURFACES_STALE", SURFACES, insert(SURFACES, f"{EVENTS}/0", "Another"), pointer=f"{EVENTS}/0"),
    exactly("SURFACES_STALE", SURFACES, drop(SURFACES, f"/versions/{V}"), pointer=f"/versions/{V}"),
    exactly("SURFACES_STALE", SURFACES, alter(SURFACES, "/versions/9.9.9", {}), pointer="/versions/9.9.9"),
    exactly("ORPHAN", SURFACES, asking_less),
    exactly("DIFF_MISSING", DIFF_PAGE, delete(DIFF_PAGE)),
    exactly("DIFF_MISSING", DIFF, delete(DIFF)),
    exactly("DIFF_INVALID", DIFF, put(DIFF, "{")),
    exactly("DIFF_INVALID", DIFF, alter(DIFF, "/findings/0/severity", "bad"), pointer="/findings/0/severity"),
    exactly("NOT_CANONICAL", DIFF, replace(DIFF, "  ", "\t")),
    exactly("DIFF_TRIALS_INVALID", TRIALS, put(TRIALS, '{"trials": [], "trials": []}')),
    exactly("DIFF_TRIALS_STALE", TRIALS, insert(TRIALS, "/trials/0"), pointer="/trials"),
    exactly("DIFF_TRIALS_STALE", TRIALS, alter(TRIALS, "/trials/0/argv/0", "bug"), compare, pointer="/trials"),
    exactly("NOT_CANONICAL", TRIALS, replace(TRIALS, "  ", "\t")),
    exactly("DIFF_STALE", DIFF, alter(DIFF, "/findings/0/severity", "risky"), pointer="/findings/0/severity"),
    exactly("DIFF_STALE", DIFF, drop(DIFF, "/findings/0"), pointer="/findings/0/code"),
    exactly("DIFF_STALE", DIFF_PAGE, replace(DIFF_PAGE, "breaking", "braking")),
    exactly(
        "AGENT_TARGETS_MISMATCH",
        AGENT,
        replace(AGENT, "# Up to", f'[packages.{STRANGE}]\nname = "codex"\nmembers = ["codex"]\n\n# Up to'),
        pointer=f"/packages/{STRANGE}",
    ),
    exactly(
        "AGENT_PROBE_UNKNOWN",
        AGENT,
        replace(AGENT, "[oracles]\n", '[oracles]\nprobe = "clip"\n'),
        pointer="/oracles/probe",
    ),
    exactly(
        "PLATFORM_MISMATCH",
        RULES,
        alter(RULES, f"/union/platform_mapping/{MAC}", "linux"),
        pointer=f"/union/platform_mapping/{MAC}",
    ),
    exactly("LOCK_MISSING", LOCK, delete(LOCK)),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/0/version", "0.61"), pointer="/rows/0/version"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/0/target", STRANGE), pointer="/rows/0/target"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/0/package", "other@0.61.0"), pointer="/rows/0/package"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/0/member", "README.md"), pointer="/rows/0/member"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/0/integrity", "sha512-AA=="), pointer="/rows/0/integrity"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/1/epoch", 1_999_999_999), pointer="/rows/1/epoch"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/3/sha256", "0" * 63), pointer="/rows/3/sha256"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/3/epoch", -1), pointer="/rows/3/epoch"),
    exactly("LOCK_ROW_INVALID", LOCK, alter(LOCK, "/rows/3/epoch", 10**15), pointer="/rows/3/epoch"),
    exactly("LOCK_ROW_DUPLICATE", LOCK, insert(LOCK, "/rows/2"), pointer="/rows/3"),
    exactly("LOCK_NOT_SORTED", LOCK, swap(LOCK, "/rows/2"), pointer="/rows/3"),
    exactly("REQUIREMENTS_MISSING", REQUIREMENTS, delete(REQUIREMENTS), tree="python"),
    exactly("REQUIREMENTS_NOT_LOCKED", REQUIREMENTS, put(REQUIREMENTS, "llm\n"), tree="python"),
    exactly("WRAPPER_COVERAGE_MISSING", COVERAGE, delete(COVERAGE)),
    exactly("WRAPPER_COVERAGE_INVALID_JSON", COVERAGE, put(COVERAGE, "{")),
    exactly(
        "WRAPPER_COVERAGE_SCHEMA_VERSION", COVERAGE, alter(COVERAGE, "/schema_version", 2), pointer="/schema_version"
    ),
    exactly("WRAPPER_COVERAGE_SCHEMA_INVALID", COVERAGE, alter(COVERAGE, "/surprise", 1)),
    exactly(
        "WRAPPER_COVERAGE_SCHEMA_INVALID",
        COVERAGE,
        alter(COVERAGE, "/coverage/0/flags/2/level", "some"),
        pointer="/coverage/0/flags/2/level",
    ),
    exactly("WRAPPER_COVERAGE_PARSE_FAILED", COVERAGE, copy(UNION, COVERAGE)),
    exactly("FILE_UNREADABLE", COVERAGE, folder(COVERAGE)),
    exactly("NOT_CANONICAL", COVERAGE, replace(COVERAGE, "  ", "    ")),
    validated("CURRENT_INVALID_JSON", CURRENT, put(CURRENT, "{")),
    validated("CURRENT_SCHEMA_INVALID", CURRENT, alter(CURRENT, "/complete", 1), pointer="/complete"),
    among(
        "CURRENT_WRONG_KIND",
        CURRENT,
        copy(SNAPSHOT, CURRENT),
        pointer="/snapshot_schema_version",
        company="CURRENT_JSON_NOT_EQUAL_UNION CURRENT_JSON_MISSING_REQUIRED_TARGET",
        why=COPY_OF_UNION,
    ),
    validated("FILE_UNREADABLE", CURRENT, folder(CURRENT)),
    exactly(
        "WRAPPER_COVERAGE_INCLUDES_EXCLUDED",
        COVERAGE,
        alter(COVERAGE, "/coverage/0/args", [{"name": "PROMPT", "level": "explicit"}]),
        pointer="/coverage/0/args/0",
    ),
    exactly("IU_NOTE_MISSING", COVERAGE, drop(COVERAGE, f"{COMPLETION}/note"), pointer=f"{COMPLETION}/note"),
    exactly(
        "PASSTHROUGH_NOTE_MISSING",
        COVERAGE,
        alter(COVERAGE, "/coverage/0/flags/4/note", " \t"),
        pointer="/coverage/0/flags/4/note",
    ),
    exactly(
        "WRAPPER_SCOPE_OVERLAP",
        COVERAGE,
        insert(COVERAGE, "/coverage/2", {"path": ["apply"], "level": "explicit", "scope": {"target_triples": [ARM]}}),
    ),
    exactly(
        "WRAPPER_SCOPE_TARGET_NOT_EXPECTED",
        COVERAGE,
        alter(COVERAGE, f"{EXEC}/args/0/scope", {"target_triples": [LINUX, STRANGE]}),
        pointer=f"{EXEC}/args/0/scope/target_triples/1",
    ),
    exactly("WRAPPER_COVERAGE_STALE", COVERAGE, alter(COVERAGE, "/wrapper_version", "9"), pointer="/wrapper_version"),
    exactly("WRAPPER_COVERAGE_STALE", COVERAGE, drop(COVERAGE, LAST), pointer=LAST),
    exactly("POINTER_MISSING_FILE", MIN, delete(MIN)),
    exactly("POINTER_MISSING_FILE", pointer_of("latest_validated", MAC), delete(pointer_of("latest_validated", MAC))),
    exactly("POINTER_UNREADABLE", MIN, put(MIN, b"\xff\n")),
    exactly("POINTER_UNREADABLE", MIN, folder(MIN)),
    *(
        exactly("POINTER_INVALID_FORMAT", MIN, put(MIN, text))
        for text in ("none", "none\n\n", "none\r\n", " none\n", "", f"{OLD}\n{V}\n")
    ),
    *(
        exactly("POINTER_INVALID_VALUE", MIN, put(MIN, f"{text}\n"))
        for text in ("", f"v{OLD}", "00.61.0", "0.61.0-rc.1", "0.61", "\u0661.2.3", "None", "../x")
    ),
    # What it named is not known, so nothing is said of current.json or of the other pointer.
    validated("POINTER_INVALID_FORMAT", LATEST, put(LATEST, V)),
    validated("POINTER_MISSING_FILE", LATEST, delete(LATEST)),
    validated("POINTER_UNREADABLE", TWIN, folder(TWIN)),
    validated("POINTER_LATEST_VALIDATED_MISMATCH", LATEST, put(TWIN, "none\n")),
    validated("POINTER_MIN_SUPPORTED_ABOVE_LATEST_VALIDATED", MIN, put(MIN, f"{NEW}\n")),
)

VERSIONS = (
    *(exactly("FILE_UNREADABLE", path, folder(path)) for path in (METADATA, SNAPSHOT, UNION, ANY)),
    exactly("VERSION_METADATA_MISSING", METADATA, delete(METADATA)),
    exactly("VERSION_METADATA_INVALID_JSON", METADATA, put(METADATA, "{")),
    exactly(
        "VERSION_METADATA_INVALID_JSON", METADATA, replace(METADATA, '"status"', '"status": "reported",\n"status"')
    ),
    exactly("VERSION_METADATA_SCHEMA_INVALID", METADATA, alter(METADATA, "/status", "promoted"), pointer="/status"),
    exactly("VERSION_METADATA_SCHEMA_INVALID", METADATA, alter(METADATA, "/notes", None), pointer="/notes"),
    exactly(
        "VERSION_METADATA_SCHEMA_INVALID", METADATA, alter(METADATA, "/schema_version", 2), pointer="/schema_version"
    ),
    exactly("SNAPSHOT_MISSING", SNAPSHOT, delete(SNAPSHOT)),
    exactly("SNAPSHOT_INVALID_JSON", SNAPSHOT, put(SNAPSHOT, "")),
    exactly(
        "SNAPSHOT_SCHEMA_INVALID",
        SNAPSHOT,
        alter(SNAPSHOT, "/commands/0/about", 1),
        pointer="/commands/0/about",
    ),
    exactly("SNAPSHOT_WRONG_KIND", SNAPSHOT, copy(UNION, SNAPSHOT), pointer="/snapshot_schema_version"),
    exactly("UNION_MISSING", UNION, delete(UNION)),
    exactly("UNION_INVALID_JSON", UNION, put(UNION, "nope")),
    exactly("UNION_SCHEMA_INVALID", UNION, alter(UNION, "/surprise", 1)),
    exactly("UNION_WRONG_KIND", UNION, copy(SNAPSHOT, UNION), pointer="/snapshot_schema_version"),
    exactly("REPORT_INVALID_JSON", ANY, put(ANY, "NaN")),
    exactly("REPORT_SCHEMA_INVALID", ANY, drop(ANY, "/deltas/missing_args"), pointer="/deltas"),
    exactly("NAME_MISMATCH", METADATA, alter(METADATA, "/semantic_version", OLD), pointer="/semantic_version"),
    exactly(
        "NAME_MISMATCH",
        SNAPSHOT,
        alter(SNAPSHOT, "/binary/target_triple", ARM),
        pointer="/binary/target_triple",
    ),
    exactly(
        "NAME_MISMATCH",
        SNAPSHOT,
        alter(SNAPSHOT, "/binary/semantic_version", OLD),
        pointer="/binary/semantic_version",
    ),
    exactly("NAME_MISMATCH", ANY, alter(ANY, "/platform_filter/mode", "all"), pointer="/platform_filter/mode"),
    exactly(
        "NAME_MISMATCH",
        ANY,
        alter(ANY, "/inputs/upstream/semantic_version", OLD),
        pointer="/inputs/upstream/semantic_version",
    ),
    *(exactly("NOT_CANONICAL", path, replace(path, "\n", "\r\n")) for path in (SNAPSHOT, UNION, ANY, METADATA)),
    exactly("NOT_CANONICAL", UNION, lambda root: put(UNION, (root / UNION).read_bytes() + b"\n")(root)),
    exactly("SNAPSHOT_TARGET_NOT_EXPECTED", STRANGER, stranger, pointer="/binary/target_triple"),
    exactly(
        "UNION_INPUT_NOT_EXPECTED",
        UNION,
        alter(UNION, "/inputs/1/target_triple", STRANGE),
        pointer="/inputs/1/target_triple",
    ),
    exactly("SURFACE_ROOT_MISSING", SNAPSHOT, drop(SNAPSHOT, "/commands/0"), pointer="/commands"),
    exactly("SURFACE_ROOT_MISSING", UNION, alter(UNION, "/commands", []), pointer="/commands"),
    exactly("SURFACE_COMMAND_DUPLICATE", SNAPSHOT, insert(SNAPSHOT, "/commands/3"), pointer="/commands/4"),
    exactly("SURFACE_FLAG_DUPLICATE", UNION, insert(UNION, "/commands/0/flags/1"), pointer="/commands/0/flags/2"),
    exactly("SURFACE_ARG_DUPLICATE", SNAPSHOT, insert(SNAPSHOT, "/commands/0/args/0"), pointer="/commands/0/args/1"),
    exactly("SURFACE_NOT_SORTED", SNAPSHOT, swap(SNAPSHOT, "/commands/1"), pointer="/commands/2"),
    exactly("SURFACE_NOT_SORTED", SNAPSHOT, swap(SNAPSHOT, "/commands/0/flags/1"), pointer="/commands/0/flags/2"),
    exactly("SURFACE_NOT_SORTED", SNAPSHOT, swap(SNAPSHOT, "/commands/22/args/0"), pointer="/commands/22/args/1"),
    exactly("SURFACE_NOT_SORTED", SNAPSHOT, swap(SNAPSHOT, "/surfaces/features/1"), pointer="/surfaces/features/2"),
    exactly("SURFACE_NAME_DUPLICATE", SNAPSHOT, insert(SNAPSHOT, METHOD), pointer="/surfaces/rpc_methods/1"),
    exactly("SURFACE_NOT_SORTED", UNION, swap(UNION, "/commands/0/flags/1"), pointer="/commands/0/flags/2"),
    exactly("SNAPSHOT_NOT_LOCKED", SNAPSHOT, alter(SNAPSHOT, "/binary/sha256", "0" * 64), pointer="/binary/sha256"),
    exactly("SNAPSHOT_NOT_LOCKED", SNAPSHOT, alter(SNAPSHOT, "/binary/size_bytes", 1), pointer="/binary/size_bytes"),
    exactly(
        "SNAPSHOT_NOT_LOCKED",
        SNAPSHOT,
        alter(SNAPSHOT, "/collected_at", "2020-01-01T00:00:00Z"),
        pointer="/collected_at",
    ),
    exactly(
        "SNAPSHOT_NOT_LOCKED",
        SNAPSHOT,
        lambda root: drop(LOCK, f"/rows/{row_of(root, LINUX)}")(root),
        pointer="/binary/sha256",
    ),
    exactly(
        "SNAPSHOT_NOT_LOCKED",
        SNAPSHOT,
        lambda root: alter(LOCK, f"/rows/{row_of(root, LINUX)}/sha256", "0" * 64)(root),
        pointer="/binary/sha256",
    ),
    exactly("SNAPSHOT_PARSER_OLD", SNAPSHOT, alter(SNAPSHOT, "/generator/revision", 0), pointer="/generator/revision"),
    *(
        exactly("SNAPSHOT_NOT_AS_DESCRIBED", SNAPSHOT, change, pointer=pointer)
        for pointer, change in (
            ("/binary/platform/os", alter(SNAPSHOT, "/binary/platform/os", "macos")),
            ("/generator/dialect", alter(SNAPSHOT, "/generator/dialect", "cobra")),
            ("/oracles", drop(SNAPSHOT, "/oracles")),
            ("/features", drop(SNAPSHOT, "/features")),
            ("/surfaces", drop(SNAPSHOT, "/surfaces")),
            ("/commands/0/pseudo_commands", alter(SNAPSHOT, "/commands/0/pseudo_commands", ["assist"])),
            ("/commands", alter(SNAPSHOT, "/commands/1/rejected", ["--gone"])),
            ("/commands", edit(SNAPSHOT, "/commands", lambda all_: all_.remove(named(all_, "mcp-server")))),
        )
    ),
    validated(
        "VALIDATION_TARGET_NOT_EXPECTED",
        METADATA,
        alter(METADATA, "/validation/skipped_targets", [STRANGE]),
        pointer="/validation",
    ),
    validated(
        "VALIDATION_TARGET_SETS_OVERLAP",
        METADATA,
        alter(METADATA, "/validation/failed_targets", [ARM]),
        alter(METADATA, "/validation/skipped_targets", [ARM]),
        pointer="/validation",
    ),
    validated(
        "VALIDATION_REQUIRED_TARGET_NOT_EXPLICIT",
        METADATA,
        alter(METADATA, "/validation/passed_targets", [ARM]),
        pointer="/validation",
    ),
    exactly("REPORT_MISSING", ANY, delete(ANY)),
    exactly("REPORT_MISSING", ANY_PAGE, delete(ANY_PAGE)),
    exactly(
        "REPORT_MISSING_INCLUDES_EXCLUDED",
        ANY,
        insert(ANY, "/deltas/missing_args/0", {"path": [], "name": "PROMPT", "upstream_available_on": [LINUX]}),
        pointer="/deltas/missing_args/0",
    ),
    exactly(
        "REPORT_MISSING_INCLUDES_INTENTIONALLY_UNSUPPORTED",
        ANY,
        insert(ANY, "/deltas/missing_flags/0", {**MISSING, "wrapper_level": "intentionally_unsupported"}),
        pointer="/deltas/missing_flags/0",
    ),
    exactly("REPORT_IU_NOTE_MISSING", ANY, alter(ANY, f"{WAIVED}/1/note", " "), pointer=f"{WAIVED}/1/note"),
    exactly(
        "REPORT_IU_NOTE_MISSING",
        ANY,
        alter(ANY, f"{WAIVED}/0/wrapper_level", "unsupported"),
        pointer=f"{WAIVED}/0/wrapper_level",
    ),
    exactly("REPORT_IU_NOT_SORTED", ANY, swap(ANY, f"{WAIVED}/0"), pointer=WAIVED),
    among(
        "POINTER_REFERENCES_MISSING_VERSION_METADATA",
        pointer_of("latest_supported", WINDOWS),
        put(pointer_of("latest_supported", WINDOWS), "9.9.9\n"),
        company="VERSION_METADATA_MISSING UNION_MISSING",
        why=NOTHING_OF_IT,
    ),
    validated(
        "POINTER_REFERENCES_MISSING_SNAPSHOT",
        pointer_of("latest_supported", MAC),
        put(pointer_of("latest_supported", MAC), f"{V}\n"),
    ),
    validated("POINTER_STATUS_TOO_LOW", METADATA, alter(METADATA, "/status", "reported"), pointer="/status"),
    exactly(
        "POINTER_INCONSISTENT_WITH_VERSION_METADATA",
        METADATA,
        alter(RULES, LEVELS, {"allowed_levels": ["unknown"], "disallowed_levels": ["explicit"]}),
        rebuild("report", "version_metadata"),
        put(pointer_of("latest_supported", LINUX), f"{V}\n"),
        pointer="/coverage/supported_targets",
    ),
    validated(
        "POINTER_INCONSISTENT_WITH_VERSION_METADATA",
        METADATA,
        put(pointer_of("latest_validated", ARM), f"{V}\n"),
        pointer="/validation/passed_targets",
    ),
    exactly("UNION_STALE", UNION, alter(UNION, "/commands/0/about", "Another."), pointer="/commands/0/about"),
    exactly("UNION_STALE", UNION, alter(UNION, "/collected_at", "2020-01-01T00:00:00Z"), pointer="/collected_at"),
    exactly("UNION_STALE", UNION, drop(UNION, "/commands/0/flags/0"), pointer="/commands/0/flags/0/key"),
    exactly("REPORT_STALE", ANY, insert(ANY, "/deltas/missing_flags/0", MISSING), pointer="/deltas/missing_flags/0"),
    exactly("REPORT_STALE", ANY, alter(ANY, f"{ONLY}/upstream_status", "removed"), pointer=f"{ONLY}/upstream_status"),
    exactly("REPORT_STALE", ANY, alter(ANY, "/generated_at", "2020-01-01T00:00:00Z"), pointer="/generated_at"),
    exactly("REPORT_STALE", ANY_PAGE, put(ANY_PAGE, "# Nothing is missing\n")),
    exactly("VERSION_STATUS_NOT_EARNED", METADATA, alter(METADATA, "/status", "validated"), pointer="/status"),
    exactly("VERSION_STATUS_NOT_EARNED", METADATA, alter(METADATA, "/status", "supported"), pointer="/status"),
    exactly(
        "VERSION_METADATA_STALE",
        METADATA,
        alter(METADATA, "/artifacts/union_complete", True),
        pointer="/artifacts/union_complete",
    ),
    exactly(
        "VERSION_METADATA_STALE",
        METADATA,
        alter(METADATA, "/updated_at", "2020-01-01T00:00:00Z"),
        pointer="/updated_at",
    ),
)

WHOLE = (
    validated("CURRENT_MISSING", CURRENT, delete(CURRENT)),
    exactly("CURRENT_UNEXPECTED", CURRENT, copy(UNION, CURRENT)),
    validated("CURRENT_JSON_NOT_EQUAL_UNION", CURRENT, alter(CURRENT, "/commands/0/about", "Another.")),
    among(
        "CURRENT_JSON_MISSING_REQUIRED_TARGET",
        CURRENT,
        drop(CURRENT, "/inputs/0"),
        pointer="/inputs",
        company="CURRENT_JSON_NOT_EQUAL_UNION",
        why=COPY_OF_UNION,
    ),
    among(
        "CURRENT_JSON_SEMVER_MISMATCH",
        CURRENT,
        copy(f"snapshots/{OLD}/union.json", CURRENT),
        pointer="/inputs/*/binary/semantic_version",
        company="CURRENT_JSON_NOT_EQUAL_UNION",
        why=COPY_OF_UNION,
    ),
    exactly("FOLDER_EXPECTED", "supplement", put("supplement", "commands\n")),
    exactly("VERSIONS_DIR_UNREADABLE", "versions", put("versions", "0.125.0\n")),
    exactly("VERSION_FILE_INVALID_NAME", "versions/0.62.0-beta.json", copy(METADATA, "versions/0.62.0-beta.json")),
    exactly(
        "EXCLUSION_UNUSED",
        RULES,
        insert(RULES, f"{EXCLUSIONS}/4", {"unit": "flag", "path": ["exec"], "key": "--gone", "note": "Why not."}),
        rebuild("report", "version_metadata"),
        pointer=f"{EXCLUSIONS}/4",
    ),
    exactly("WAIVER_UNUSED", COVERAGE, forget_completion, DERIVED, pointer=COMPLETION),
    *(
        exactly("ORPHAN", path, put(path, "?"))
        for path in (
            "RULES-old.json",
            "snapshots/latest",
            f"snapshots/{V}/no target.json",
            f"snapshots/{V}/notes.md",
            f"reports/{V}/coverage.all.md",
            f"reports/{V}/notes.txt",
            "versions/notes.txt",
            f"diffs/{OLD}-{V}.json",
            f"diffs/{OLD}..{NEW}.md",
            f"diffs/{OLD}..9.9.9.json",
            "diffs/notes.txt",
            "pointers/latest_supported/amiga.txt",
            "pointers/newest.txt",
            f"requirements/{V}/{LINUX}.txt",
            "supplement/more.json",
        )
    ),
    exactly("ORPHAN", "reports/9.9.9", put("reports/9.9.9/coverage.any.json", "{}")),
)

FOREIGN_WRAPPERS = (
    wrapped("FOREIGN_WRAPPER_INVALID", DESCRIBED, replace(DESCRIBED, "[package]", "[pack]")),
    wrapped("FOREIGN_WRAPPER_INVALID", DESCRIBED, put(DESCRIBED, "[")),
    wrapped("FOREIGN_WRAPPER_INVALID", DESCRIBED, delete(DESCRIBED)),
    wrapped("FOREIGN_WRAPPER_INVALID", EVIDENCE, put(EVIDENCE, "{")),
    wrapped("FOREIGN_WRAPPER_INVALID", EVIDENCE, delete(EVIDENCE)),
    wrapped("FOREIGN_WRAPPER_INVALID", EVIDENCE, alter(EVIDENCE, "/calls/0/path", 3), pointer="/calls/0/path"),
    wrapped("FOREIGN_WRAPPER_INVALID", ANSWERS, alter(ANSWERS, "/0/exit", "one"), pointer="/0/exit"),
    wrapped("FOREIGN_WRAPPER_INVALID", FOREIGN_LOCK, delete(FOREIGN_LOCK)),
    wrapped(
        "FOREIGN_WRAPPER_INVALID", FOREIGN_LOCK, alter(FOREIGN_LOCK, "/rows/0/package", "other@1"), pointer="/rows"
    ),
    wrapped("NOT_CANONICAL", EVIDENCE, replace(EVIDENCE, "  ", "\t")),
    wrapped("FILE_UNREADABLE", EVIDENCE, folder(EVIDENCE)),
    wrapped("FOREIGN_WRAPPER_STALE", EVIDENCE, replace(DRIVER, "hello", "hallo"), pointer="/inputs_sha256"),
    wrapped("FOREIGN_WRAPPER_STALE", EVIDENCE, replace(DESCRIBED, "# The", "# A"), pointer="/inputs_sha256"),
    wrapped("FOREIGN_WRAPPER_STALE", EVIDENCE, put(f"{FOREIGN}/more.mjs", "1;"), pointer="/inputs_sha256"),
    wrapped("FOREIGN_WRAPPER_STALE", EVIDENCE, alter(FOREIGN_LOCK, "/rows/0/epoch", 1), pointer="/inputs_sha256"),
    wrapped("FOREIGN_WRAPPER_STALE", SUMMARY, alter(SUMMARY, "/numbers/calls", 1), pointer="/numbers/calls"),
    wrapped("FOREIGN_WRAPPER_STALE", SUMMARY, alter(EVIDENCE, "/calls/1/options", ["no"]), pointer="/evidence_sha256"),
    wrapped("FOREIGN_WRAPPER_STALE", SUMMARY, delete(SUMMARY)),
    wrapped(
        "FOREIGN_WRAPPER_STALE",
        f"{FOREIGN}/{COVERAGE}",
        alter(f"{FOREIGN}/{COVERAGE}", "/coverage/1/level", "unknown"),
        pointer="/coverage/1/level",
    ),
    wrapped("FOREIGN_WRAPPER_STALE", FOREIGN_ANY, alter(FOREIGN_ANY, "/generated_at", "x"), pointer="/generated_at"),
    wrapped("FOREIGN_WRAPPER_STALE", FOREIGN_ANY, delete(FOREIGN_ANY)),
    *(
        wrapped("ORPHAN", path, put(at or path, "?"))
        for path, at in (
            ("wrappers/Strange", "wrappers/Strange/x.json"),
            ("wrappers/notes.txt", None),
            (f"{FOREIGN}/lib", f"{FOREIGN}/lib/x.mjs"),
            (f"{FOREIGN}/reports/{OLD}", f"{FOREIGN}/reports/{OLD}/coverage.any.json"),
            (f"{FOREIGN}/reports/{NEW}/coverage.{STRANGE}.json", None),
        )
    ),
)

MUTATIONS = (*ROOT, *VERSIONS, *WHOLE, *FOREIGN_WRAPPERS)

# What may be so of files of several kinds: such a code stands in the table where most of them are looked at.
OF_ANY_FILE = {"FILE_UNREADABLE", "NOT_CANONICAL", "ORPHAN"}


def row_of(root: Path, target: str) -> int:
    rows = json.loads((root / LOCK).read_bytes())["rows"]
    return next(i for i, row in enumerate(rows) if (row["version"], row["target"]) == (V, target))


def recording(into: dict[Callable[..., object], set[str]]) -> tuple[Check, ...]:
    """The table of checks, whose functions leave the codes that they find in ``into``."""

    def wrap(run: Callable[..., Iterable[Finding]]) -> Callable[..., list[Finding]]:
        def recorded(subject: object) -> list[Finding]:
            findings = list(run(subject))
            into[recorded].update(one.code for one in findings)
            return findings

        return recorded

    wrapped = {run: wrap(run) for run in dict.fromkeys(check.run for check in CHECKS)}
    return tuple(dataclasses.replace(check, run=wrapped[check.run]) for check in CHECKS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_each_code_has_a_change_that_brings_out_exactly_it(
    mutation: Mutation, trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = trees.copy(mutation.tree, tmp_path / "codex")
    for change in mutation.changes:
        change(root)
    by_function: dict[Callable[..., object], set[str]] = defaultdict(set)
    checks = recording(by_function)
    monkeypatch.setattr("pipeline.validate.run.CHECKS", checks)
    findings = find(root)

    assert {one.code for one in findings} == {mutation.code} | mutation.company, render_lines(findings)
    places = {(one.path, one.json_pointer) for one in findings if one.code == mutation.code}
    assert places == {(mutation.path, mutation.pointer)}
    severities = {check.code: check.severity for check in checks}
    assert {one.code: one.severity for one in findings}.items() <= severities.items()
    for run, seen in by_function.items():
        assert seen <= {check.code for check in checks if check.run is run} | OF_ANY_FILE


def test_every_code_has_its_change() -> None:
    of_agents = {check.code for check in CHECKS if check.scope is not Scope.WORKSPACE}
    assert {mutation.code for mutation in MUTATIONS} == of_agents
    # Those of the workspace have theirs in a table of the same kind.
    table = (REPOSITORY / "tests" / "test_matrix.py").read_text(encoding="utf-8")
    of_matrix = {check.code for check in CHECKS} - of_agents
    assert all(f'"{code.removeprefix("SUPPORT_MATRIX_")}": (' in table for code in of_matrix)


def test_company_is_explained() -> None:
    assert all(bool(mutation.company) == bool(mutation.why) for mutation in MUTATIONS)


def test_each_code_stands_once_in_the_table_and_on_the_page() -> None:
    codes = [check.code for check in CHECKS]
    assert len(codes) == len(set(codes))
    assert (REPOSITORY / "docs" / "findings.md").read_text(encoding="utf-8") == catalogue()


@pytest.mark.parametrize("name", ["ours", "validated", "small", "python", "wrapped"])
def test_the_trees_that_are_changed_are_free_of_findings(name: str, trees: Trees, tmp_path: Path) -> None:
    assert find(trees.copy(name, tmp_path / "codex")) == []


# -- what is no finding, and what is not said twice --------------------------------------------------


def test_what_retention_leaves_of_a_version_is_enough(trees: Trees, tmp_path: Path) -> None:
    root = trees.copy("validated", tmp_path / "codex")
    for path in (f"snapshots/{OLD}", f"reports/{OLD}", DIFF, DIFF_PAGE, TRIALS):
        delete(path)(root)
    assert find(root) == []
    # What is newer than the last validated version is work in progress, which retention keeps.
    delete(f"snapshots/{NEW}")(root)
    delete(f"reports/{NEW}")(root)
    assert {(one.code, one.path.partition("/")[0]) for one in find(root)} == {
        ("UNION_MISSING", "snapshots"),
        ("REPORT_MISSING", "reports"),
    }


def test_hidden_files_and_what_stands_beside_the_artifacts_are_nobodys(trees: Trees, tmp_path: Path) -> None:
    root = trees.copy("small", tmp_path / "codex")
    for path in (f"snapshots/{OLD}/.union.json.x.part", "versions/.DS_Store", "NOTES.md", f"raw_help/{OLD}/x/help.txt"):
        put(path, "?")(root)
    assert find(root) == []


@pytest.mark.parametrize(
    "change", [delete, folder, lambda path: put(path, "{"), lambda path: alter(path, "/commands/1/path/0", "other")]
)
def test_while_a_union_is_wrong_no_waiver_is_said_to_be_unused(
    change: Callable[[str], Change], trees: Trees, tmp_path: Path
) -> None:
    root = trees.copy("small", tmp_path / "codex")
    delete(CURRENT)(root)
    change(f"snapshots/{OLD}/union.json")(root)
    assert [one.path for one in find(root)] == [CURRENT, f"snapshots/{OLD}/union.json"]


def test_a_row_that_is_wrong_does_not_hide_where_the_order_breaks(trees: Trees, tmp_path: Path) -> None:
    root = trees.copy("ours", tmp_path / "codex")
    alter(LOCK, "/rows/0/version", "none")(root)
    swap(LOCK, "/rows/5")(root)
    assert [(one.code, one.json_pointer) for one in find(root)] == [
        ("LOCK_ROW_INVALID", "/rows/0/version"),
        ("LOCK_NOT_SORTED", "/rows/6"),
    ]


def test_a_changed_snapshot_is_told_by_everything_that_was_derived_from_it(trees: Trees, tmp_path: Path) -> None:
    root = trees.copy("small", tmp_path / "codex")
    alter(f"snapshots/{OLD}/{LINUX}.json", "/commands/0/about", "Another.")(root)
    assert {(one.code, one.path) for one in find(root)} == {
        ("UNION_STALE", f"snapshots/{OLD}/union.json"),
        ("REPORT_STALE", f"reports/{OLD}/coverage.any.json"),
        ("REPORT_STALE", f"reports/{OLD}/coverage.{LINUX}.json"),
        ("VERSION_METADATA_STALE", f"versions/{OLD}.json"),
    }


@pytest.mark.parametrize("path", [RULES, "agent.toml"])
def test_without_rules_or_a_readable_description_nothing_can_be_judged(path: str, trees: Trees, tmp_path: Path) -> None:
    root = trees.copy("small", tmp_path / "codex")
    put(path, "{")(root)
    with pytest.raises(ArtifactError, match=path):
        find(root)
    delete(path)(root)
    if path == RULES:
        with pytest.raises(ArtifactMissing, match=path):
            find(root)
