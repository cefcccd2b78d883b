"""Validation of folders that another tool made: what that tool finds is found, and the rest is accounted for.

Expected are the places that the earlier tool's port names (code, path, JSON pointer); what is found besides is of codes
that the earlier tool does not have.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import corpus
import pytest
from mutating import alter, drop, find, put

from pipeline import stages
from pipeline.contract.folder import open_folder
from pipeline.errors import RulesInvalid
from pipeline.validate import Finding, render_lines
from pipeline.validate.checks import CHECKS

BASE = corpus.FOLDER / "_synthetic" / "validate_base"
REAL = corpus.FOLDER / "_validate"
MUTATIONS = corpus.FOLDER / "_synthetic" / "validate_mutations.json"
pytestmark = pytest.mark.skipif(not BASE.is_dir(), reason=corpus.ABSENT)

Place = tuple[str, str, str | None]
LINUX, V = "x86_64-unknown-linux-musl", "0.61.0"
OF_ANY, OF_LINUX = (f"reports/{V}/coverage.{mode}.json" for mode in ("any", LINUX))
SNAPSHOT, UNION, METADATA = f"snapshots/{V}/{LINUX}.json", f"snapshots/{V}/union.json", f"versions/{V}.json"

# The codes of the earlier tool, but those of the support matrix.
_EARLIER = """
CURRENT_INVALID_JSON CURRENT_JSON_MISSING_REQUIRED_TARGET CURRENT_JSON_NOT_EQUAL_UNION CURRENT_JSON_SEMVER_MISMATCH
CURRENT_MISSING CURRENT_SCHEMA_INVALID CURRENT_WRONG_KIND FILE_UNREADABLE IU_NOTE_MISSING PARITY_EXCLUSIONS_DUPLICATE
PARITY_EXCLUSIONS_INVALID_ENTRY PARITY_EXCLUSIONS_MISSING_UNITS PARITY_EXCLUSIONS_NOTE_MISSING
PARITY_EXCLUSIONS_NOT_SORTED PARITY_EXCLUSIONS_SCHEMA_VERSION PASSTHROUGH_NOTE_MISSING
POINTER_INCONSISTENT_WITH_VERSION_METADATA POINTER_INVALID_FORMAT POINTER_INVALID_VALUE
POINTER_LATEST_VALIDATED_MISMATCH POINTER_MISSING_FILE POINTER_UNREADABLE REPORT_INVALID_JSON REPORT_IU_NOTE_MISSING
REPORT_IU_NOT_SORTED REPORT_MISSING REPORT_MISSING_INCLUDES_EXCLUDED REPORT_MISSING_INCLUDES_INTENTIONALLY_UNSUPPORTED
REPORT_SCHEMA_INVALID SNAPSHOT_INVALID_JSON SNAPSHOT_MISSING SNAPSHOT_SCHEMA_INVALID SNAPSHOT_WRONG_KIND
UNION_INVALID_JSON UNION_MISSING UNION_SCHEMA_INVALID UNION_WRONG_KIND VALIDATION_REQUIRED_TARGET_NOT_EXPLICIT
VALIDATION_TARGET_NOT_EXPECTED VALIDATION_TARGET_SETS_OVERLAP VERSIONS_DIR_UNREADABLE VERSION_FILE_INVALID_NAME
VERSION_METADATA_INVALID_JSON VERSION_METADATA_MISSING VERSION_METADATA_SCHEMA_INVALID
WRAPPER_COVERAGE_INCLUDES_EXCLUDED WRAPPER_COVERAGE_INVALID_JSON WRAPPER_COVERAGE_MISSING
WRAPPER_COVERAGE_PARSE_FAILED WRAPPER_COVERAGE_SCHEMA_INVALID WRAPPER_COVERAGE_SCHEMA_VERSION WRAPPER_SCOPE_OVERLAP
"""
EARLIER = frozenset(_EARLIER.split())
# Its schema errors have no place where the document as a whole fits none of the kinds; ours say where.
MORE_PRECISE = {"WRAPPER_COVERAGE_SCHEMA_INVALID", "SNAPSHOT_SCHEMA_INVALID"}
# What it passes, and what is found there: of each, whatever else comes along.
QUIRKS: dict[str, Place] = {
    "metadata semantic_version differs from filename": ("NAME_MISMATCH", METADATA, "/semantic_version"),
    "any-report has mode exact_target of another target": ("NAME_MISMATCH", OF_ANY, "/platform_filter/mode"),
    "report for another version": ("NAME_MISMATCH", OF_ANY, "/inputs/upstream/semantic_version"),
    "union expected_targets differ from RULES": ("UNION_STALE", UNION, "/expected_targets/1"),
    "duplicate command path in union": ("SURFACE_COMMAND_DUPLICATE", UNION, "/commands/1"),
    "min_supported above latest_validated": (
        "POINTER_MIN_SUPPORTED_ABOVE_LATEST_VALIDATED",
        "min_supported.txt",
        None,
    ),
}


def mutations() -> list[Any]:
    found = json.loads(MUTATIONS.read_bytes()) if MUTATIONS.exists() else []
    return [pytest.param(one, id=one["name"]) for one in found]


def place(one: Finding) -> Place:
    return one.code, one.path, one.json_pointer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "codex"))


def changed(root: Path, operations: list[dict[str, Any]]) -> Path:
    for operation in operations:
        path = root / operation["path"]
        if "copy" in operation:
            shutil.copyfile(root / operation["copy"], path)
        elif "text" in operation:
            put(operation["path"], operation["text"])(root)
        else:
            path.unlink()
    return root


# -- the made folder, and the changes of it ----------------------------------------------------------


def test_the_made_folder_was_never_derived_and_nothing_else_is_wrong_with_it(root: Path) -> None:
    wrapper = "/inputs/wrapper/wrapper_version"
    assert [place(one) for one in find(root)] == [
        ("REPORT_STALE", OF_ANY, wrapper),
        ("REPORT_STALE", OF_LINUX, wrapper),
        ("VERSION_METADATA_STALE", METADATA, "/artifacts"),
    ]


def test_once_its_files_are_made_again_nothing_is_wrong_with_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    stages.report(open_folder(root), V)
    stages.version_metadata(open_folder(root), V)
    assert find(root) == []
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert find(root) == []


@pytest.mark.parametrize("mutation", mutations())
def test_what_the_earlier_tool_finds_is_found(mutation: dict[str, Any], root: Path) -> None:
    changed(root, mutation["ops"])
    if mutation["expected_exit"] == 3:
        with pytest.raises(RulesInvalid):
            find(root)
        return
    findings = find(root)
    left = [place(one) for one in findings]
    for expected in mutation["expected_violations"]:
        code, path, pointer = expected["code"], expected["path"], expected["json_pointer"]
        same = [one for one in left if one[:2] == (code, path) and (one[2] == pointer or code in MORE_PRECISE)]
        assert same, f"{code} {path} {pointer} is not among\n{render_lines(findings)}"
        left.remove(same[0])
    assert {code for code, *_ in left}.isdisjoint(EARLIER), render_lines(findings)
    quirk = mutation["name"].partition("undetected: ")[2]
    assert not quirk or QUIRKS[quirk] in left, render_lines(findings)


def test_the_corpus_has_all_its_changes() -> None:
    found = json.loads(MUTATIONS.read_bytes())
    assert len(found) == 60
    assert sum(one["name"].startswith("undetected: ") for one in found) == len(QUIRKS)
    assert len(EARLIER) == 52
    assert {check.code for check in CHECKS} > EARLIER


# -- real folders ------------------------------------------------------------------------------------

NOTES = [("PASSTHROUGH_NOTE_MISSING", "wrapper_coverage.json", f"/coverage/0/flags/{at}/note") for at in (3, 5, 6)]
# Each version's union was made before its rules expected four targets, and the reports before the wrapper's version
# was recorded.
MADE_EARLIER = [
    place
    for version in ("0.129.0", "0.61.0", "0.91.0", "0.92.0", "0.97.0")
    for place in (
        ("UNION_STALE", f"snapshots/{version}/union.json", "/expected_targets/1"),
        ("REPORT_STALE", f"reports/{version}/coverage.any.json", "/inputs/wrapper/wrapper_version"),
        ("REPORT_STALE", f"reports/{version}/coverage.{LINUX}.json", "/inputs/wrapper/wrapper_version"),
    )
]
FOLDERS: dict[str, list[Place]] = {
    "claude_code/HEAD": [],
    "opencode/HEAD": [],
    "codex/HEAD": MADE_EARLIER,
    "codex/7f564e3d50c8": [
        ("CURRENT_JSON_NOT_EQUAL_UNION", "current.json", None),
        ("CURRENT_JSON_SEMVER_MISMATCH", "current.json", "/inputs/*/binary/semantic_version"),
        ("POINTER_LATEST_VALIDATED_MISMATCH", "latest_validated.txt", None),
        *NOTES,
        # It repeats the root's flags on a command, which the rules say a union does not.
        ("UNION_STALE", "snapshots/0.91.0/union.json", "/commands/1/flags/1"),
        ("POINTER_STATUS_TOO_LOW", "versions/0.92.0.json", "/status"),
    ],
}


@pytest.mark.parametrize("name", FOLDERS)
def test_real_folders_have_the_findings_that_they_deserve_and_no_other(name: str) -> None:
    assert sorted(map(place, find(REAL / name)), key=str) == sorted(FOLDERS[name], key=str)


@pytest.mark.parametrize("case", [case for case in corpus.cases("validate") if "mutations" not in case.id])
def test_real_folders_have_what_the_earlier_tool_found_in_them(case: dict[str, Any]) -> None:
    assert corpus.folder(case).relative_to(REAL).as_posix() in FOLDERS
    expected = {(one["code"], one["path"], one["json_pointer"]) for one in case["expected_violations"]}
    assert expected <= set(map(place, find(corpus.folder(case))))


# -- what only such folders are let off --------------------------------------------------------------


def test_markdown_is_not_asked_of_another_tool(root: Path) -> None:
    assert not list(root.rglob("*.md"))
    assert "REPORT_MISSING" not in {one.code for one in find(root)}


def test_line_ends_of_another_tools_snapshots_are_its_own(root: Path) -> None:
    before = find(root)
    for path in (SNAPSHOT, UNION):
        put(path, (root / path).read_bytes().replace(b"\n", b"\r\n"))(root)
    differing = {place(one) for one in find(root)} - {place(one) for one in before}
    assert differing == {("NOT_CANONICAL", UNION, None), ("CURRENT_JSON_NOT_EQUAL_UNION", "current.json", None)}


def test_a_folder_that_people_keep_by_hand_is_not_held_to_what_a_derivation_would_give(root: Path) -> None:
    drop("RULES.json", "/sorting")(root)
    alter("RULES.json", "/parity_exclusions/units", [])(root)
    for path in ("snapshots/notes.txt", "reports/notes.txt", f"reports/{V}/coverage.more.md", "pointers/newest.txt"):
        put(path, "?")(root)
    alter(UNION, "/commands", [{"path": [name], "available_on": [LINUX]} for name in "baa"])(root)
    shutil.copyfile(root / UNION, root / "current.json")
    assert find(root) == []


@pytest.mark.parametrize("raw", ["1", "null", "[]", '"x"', "{}"])
def test_a_snapshot_of_any_shape_is_a_finding_whatever_its_line_ends(raw: str, root: Path) -> None:
    put(SNAPSHOT, raw)(root)
    assert ("SNAPSHOT_SCHEMA_INVALID", SNAPSHOT) in {place(one)[:2] for one in find(root)}
