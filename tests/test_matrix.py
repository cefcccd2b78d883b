"""The support matrix: derived as the earlier tool derived it, published in two files, and every staleness found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import corpus
import pytest
from checkout import REPOSITORY, environment

from pipeline import canonical
from pipeline.errors import ArtifactError, ArtifactInvalid, ArtifactMissing
from pipeline.lifecycle.matrix import block, derive, matrix_bytes, splice, write_matrix
from pipeline.lifecycle.matrix_evidence import OMITTED, WAIVED, WRAPPER_ONLY
from pipeline.lifecycle.matrix_text import END, START
from pipeline.surface.matrix import SupportMatrix
from pipeline.validate.checks import CHECKS, Scope
from pipeline.validate.finding import Finding, render_lines
from pipeline.validate.matrix import findings
from tasks.support_matrix import MATRIX_FILES, task_support_matrix

LINUX, WINDOWS = "linux-x64", "win32-x64"
PUBLISHED, PAGE = "support_matrix/current.json", "support_matrix/README.md"

# -- making a workspace ------------------------------------------------------------------------------


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else canonical.encode(content))


def make_current(root: Path, version: str, *targets: str, expected: tuple[str, ...] = (LINUX, WINDOWS)) -> None:
    inputs = [{"target_triple": target, "binary": {"semantic_version": version}} for target in targets]
    put(root / "current.json", {"expected_targets": expected, "inputs": inputs})


def make_version(root: Path, version: str, *supported: str, status: str = "validated") -> None:
    coverage = {"coverage": {"supported_targets": supported}} if supported else {}
    put(root / "versions" / f"{version}.json", {"semantic_version": version, "status": status, **coverage})


def make_report(root: Path, version: str, mode: str, *, about: tuple[str, ...] = (), **deltas: object) -> None:
    missing = {"missing_commands": [], "missing_flags": [], "missing_args": []}
    document = {"inputs": {"upstream": {"targets": about}}, "deltas": {**missing, **deltas}}
    put(root / "reports" / version / f"coverage.{mode}.json", document)


def make_pointer(root: Path, kind: str, target: str, value: str) -> None:
    put(root / "pointers" / kind / f"{target}.txt", f"{value}\n")


ENTRY = [{"path": ["run"], "upstream_available_on": [LINUX]}]
ONLY = {"wrapper_only_commands": ENTRY}
WAIVER = {"intentionally_unsupported": ENTRY}


def make_agent(workspace: Path, name: str = "first") -> Path:
    """An agent with two versions on two targets; the newer was looked at on one of them only."""
    root = workspace / name
    make_current(root, "1.0.0", LINUX)
    make_version(root, "0.9.0", LINUX, status="reported")
    make_version(root, "1.0.0", LINUX)
    make_report(root, "0.9.0", LINUX, about=(LINUX,))
    make_report(root, "1.0.0", LINUX, about=(LINUX,), **ONLY)
    make_report(root, "1.0.0", WINDOWS, about=(WINDOWS,), **ONLY)
    for kind, version in (("latest_supported", "0.9.0"), ("latest_validated", "1.0.0")):
        make_pointer(root, kind, LINUX, version)
        make_pointer(root, kind, WINDOWS, "none")
    return root


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two agents and the matrix of them."""
    folder = tmp_path / "manifests"
    make_agent(folder)
    second = folder / "second"
    make_current(second, "2.0.0", LINUX, expected=(LINUX,))
    make_version(second, "2.0.0", LINUX)
    make_report(second, "2.0.0", "any", about=(LINUX,))
    for kind in ("latest_supported", "latest_validated"):
        make_pointer(second, kind, LINUX, "2.0.0")
    write_matrix(folder)
    return folder


def rows(workspace: Path) -> dict[tuple[str, str, str], tuple[str, str, str, str, tuple[str, ...]]]:
    return {
        tuple(row.key): (
            row.manifest_support,
            row.backend_support,
            row.uaa_support,
            row.pointer_promotion,
            row.evidence_notes,
        )
        for row in derive(workspace).rows
    }


def only_row(workspace: Path) -> tuple[str, str, str, str, tuple[str, ...]]:
    [row] = rows(workspace).values()
    return row


def found(workspace: Path) -> list[Finding]:
    return sorted(findings(workspace), key=Finding.order)


def codes(workspace: Path) -> list[str]:
    return [one.code for one in found(workspace)]


# -- what other tools wrote --------------------------------------------------------------------------


@pytest.mark.parametrize("case", corpus.cases("support_matrix"))
def test_real_matrices_come_out_byte_for_byte(case: dict[str, Any], tmp_path: Path) -> None:
    folder = corpus.folder(case)
    matrix = derive(folder / "roots")
    assert matrix_bytes(matrix) == (folder / case["output"]).read_bytes()
    assert block(matrix).encode() == (folder / case["markdown"]).read_bytes()
    assert len(matrix.rows) == case["rows"]
    copy = Path(shutil.copytree(folder / "roots", tmp_path / "roots"))
    write_matrix(copy)
    assert render_lines(found(copy)) == ""


# -- derivation --------------------------------------------------------------------------------------


def test_rows_are_per_target_and_say_what_keeps_them_from_being_whole(tmp_path: Path) -> None:
    make_agent(tmp_path)
    assert rows(tmp_path) == {
        ("first", "0.9.0", LINUX): ("supported", "supported", "supported", "latest_supported", ()),
        ("first", "0.9.0", WINDOWS): ("unsupported", "unsupported", "unsupported", "none", ()),
        ("first", "1.0.0", LINUX): ("supported", "partial", "partial", "latest_validated", (WRAPPER_ONLY,)),
        ("first", "1.0.0", WINDOWS): ("unsupported", "partial", "unsupported", "none", (WRAPPER_ONLY, OMITTED)),
    }


def test_rows_are_by_agent_and_target_with_the_newest_version_first(tmp_path: Path) -> None:
    versions = ("0.10.0", "0.9.0", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.0+b")
    for name in ("b", "a"):
        make_current(tmp_path / name, "1.0.0")
        for version in versions:
            make_version(tmp_path / name, version)
    ordered = ["1.0.0+b", "1.0.0", "1.0.0-rc.10", "1.0.0-rc.2", "0.10.0", "0.9.0"]
    assert [tuple(row.key) for row in derive(tmp_path).rows] == [
        (agent, version, target) for agent in ("a", "b") for target in (LINUX, WINDOWS) for version in ordered
    ]


def test_any_folder_of_an_agent_is_derived_alike(tmp_path: Path) -> None:
    for name in ("codex", "claude_code", "one_of_next_year"):
        make_agent(tmp_path, name)
    make_report(tmp_path / "one_of_next_year", "1.0.0", LINUX, about=(LINUX,), **WAIVER)
    found = rows(tmp_path)
    assert found["one_of_next_year", "1.0.0", LINUX] == (
        "supported",
        "partial",
        "partial",
        "latest_validated",
        (WAIVED,),
    )
    assert {agent for agent, _, _ in found} == {"codex", "claude_code", "one_of_next_year"}
    assert found["codex", "1.0.0", LINUX] == found["claude_code", "1.0.0", LINUX]


def test_a_version_without_coverage_supports_nothing(tmp_path: Path) -> None:
    make_current(tmp_path / "a", "1.0.0", LINUX, expected=(LINUX,))
    make_version(tmp_path / "a", "1.0.0")
    make_report(tmp_path / "a", "1.0.0", LINUX)
    assert only_row(tmp_path) == ("unsupported", "supported", "unsupported", "none", ())


def test_without_a_report_the_backend_supports_nothing(tmp_path: Path) -> None:
    make_current(tmp_path / "a", "1.0.0", LINUX, expected=(LINUX,))
    make_version(tmp_path / "a", "1.0.0", LINUX)
    assert only_row(tmp_path) == ("supported", "unsupported", "unsupported", "none", ())


def test_a_promotion_is_what_pointers_say_and_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "a"
    make_current(root, "1.0.0", LINUX, WINDOWS)
    for version in ("1.0.0", "2.0.0"):
        make_version(root, version, LINUX, WINDOWS, status="supported")
    make_pointer(root, "latest_validated", LINUX, "1.0.0")
    make_pointer(root, "latest_validated", WINDOWS, "none")
    put(root / "latest_validated.txt", "2.0.0\n")
    assert {(version, target): row[3] for (_, version, target), row in rows(tmp_path).items()} == {
        ("1.0.0", LINUX): "latest_validated",
        ("1.0.0", WINDOWS): "none",
        ("2.0.0", LINUX): "none",
        ("2.0.0", WINDOWS): "none",
    }
    make_pointer(root, "latest_supported", LINUX, "1.0.0")
    assert rows(tmp_path)["a", "1.0.0", LINUX][3] == "latest_supported_and_validated"
    put(root / "pointers" / "latest_supported" / f"{LINUX}.txt", "1.0.0\n2.0.0\n")
    assert rows(tmp_path)["a", "1.0.0", LINUX][3] == "latest_validated", "a pointer that is broken promotes nothing"


@pytest.mark.parametrize(
    ("deltas", "support", "notes"),
    [
        ({}, "supported", ()),
        ({"missing_args": ENTRY}, "unsupported", ()),
        ({"missing_flags": ENTRY, **WAIVER}, "unsupported", (WAIVED,)),
        ({"wrapper_only_args": ENTRY}, "partial", (WRAPPER_ONLY,)),
        ({**ONLY, **WAIVER}, "partial", (WAIVED, WRAPPER_ONLY)),
        ({"excluded_flags": ENTRY, "unsupported": ENTRY, "passthrough_candidates": ENTRY}, "supported", ()),
    ],
)
def test_a_report_comes_to_a_support_and_notes(
    deltas: dict[str, Any], support: str, notes: tuple[str, ...], tmp_path: Path
) -> None:
    make_current(tmp_path / "a", "1.0.0", LINUX, expected=(LINUX,))
    make_version(tmp_path / "a", "1.0.0", LINUX)
    make_report(tmp_path / "a", "1.0.0", LINUX, **deltas)
    assert only_row(tmp_path) == ("supported", support, support, "none", notes)


def test_a_targets_own_report_comes_before_the_general_ones(tmp_path: Path) -> None:
    root = tmp_path / "a"
    make_current(root, "1.0.0", LINUX, expected=(LINUX,))
    make_version(root, "1.0.0", LINUX)
    make_report(root, "1.0.0", "all", about=(LINUX,))
    assert only_row(tmp_path)[1] == "supported"
    make_report(root, "1.0.0", "any", about=(WINDOWS,), **ONLY)
    assert only_row(tmp_path)[1] == "supported", "a report on other targets says nothing of this one"
    make_report(root, "1.0.0", "any", **ONLY)
    assert only_row(tmp_path)[1] == "partial", "a report that names no target is about all"
    make_report(root, "1.0.0", LINUX, about=(LINUX,), missing_flags=ENTRY)
    assert only_row(tmp_path)[1] == "unsupported"


def test_a_target_that_current_leaves_out_may_still_be_supported(tmp_path: Path) -> None:
    root = tmp_path / "a"
    make_current(root, "1.0.0", LINUX)
    make_version(root, "1.0.0", LINUX, WINDOWS)
    make_report(root, "1.0.0", WINDOWS)
    assert rows(tmp_path)["a", "1.0.0", WINDOWS] == ("supported", "supported", "partial", "none", (OMITTED,))
    write_matrix(tmp_path)
    assert codes(tmp_path) == []


def test_while_nothing_is_validated_the_rules_say_which_targets_are_expected(tmp_path: Path) -> None:
    put(tmp_path / "a" / "RULES.json", {"union": {"required_target": LINUX, "expected_targets": [LINUX, WINDOWS]}})
    make_version(tmp_path / "a", "1.0.0", LINUX, status="reported")
    make_report(tmp_path / "a", "1.0.0", "any", about=(LINUX,))
    assert rows(tmp_path) == {
        ("a", "1.0.0", LINUX): ("supported", "supported", "supported", "none", ()),
        ("a", "1.0.0", WINDOWS): ("unsupported", "unsupported", "unsupported", "none", ()),
    }


def test_a_pruned_version_keeps_its_rows(workspace: Path) -> None:
    shutil.rmtree(workspace / "first" / "reports" / "0.9.0")
    assert rows(workspace)["first", "0.9.0", LINUX] == (
        "supported",
        "unsupported",
        "unsupported",
        "latest_supported",
        (),
    )


def test_only_folders_of_agents_are_read(workspace: Path) -> None:
    before = derive(workspace)
    for name in (".hidden/versions/1.0.0.json", "notes/plan.json", "first/versions/draft.json", "first/versions/a.txt"):
        put(workspace / name, "{")
    put(workspace / "agent.toml", "")
    assert derive(workspace) == before


def broken_agent(workspace: Path) -> None:
    put(workspace / "zeta" / "agent.toml", "")


def two_versions(workspace: Path) -> None:
    inputs = [
        {"target_triple": target, "binary": {"semantic_version": version}}
        for target, version in ((LINUX, "1.0.0"), (WINDOWS, "0.9.0"))
    ]
    put(workspace / "first" / "current.json", {"expected_targets": [LINUX, WINDOWS], "inputs": inputs})


def file_for_folder(workspace: Path) -> None:
    shutil.rmtree(workspace / "first" / "versions")
    put(workspace / "first" / "versions", "")


UNREADABLE = {
    "an agent without rules": (broken_agent, "zeta/RULES.json", "no such file"),
    "several versions": (two_versions, "first/current.json", "$.inputs: are of several versions (0.9.0, 1.0.0)"),
    "no JSON": (lambda ws: put(ws / "first/current.json", "{"), "first/current.json", "not valid JSON"),
    "a list": (lambda ws: put(ws / "first/current.json", []), "first/current.json", "$: expected `object`"),
    "a target twice": (
        lambda ws: make_current(ws / "first", "1.0.0", expected=(LINUX, LINUX)),
        "first/current.json",
        "$.expected_targets: 'linux-x64' stands there twice",
    ),
    "a target that leads out": (
        lambda ws: make_current(ws / "first", "1.0.0", expected=("../../x",)),
        "first/current.json",
        "$.expected_targets: '../../x'",
    ),
    "broken metadata": (
        lambda ws: put(ws / "first/versions/1.0.0.json", "{"),
        "first/versions/1.0.0.json",
        "not valid",
    ),
    "metadata with a key twice": (
        lambda ws: put(ws / "first/versions/1.0.0.json", '{"status": "a", "status": "b"}'),
        "first/versions/1.0.0.json",
        "duplicate key",
    ),
    "a folder for metadata": (
        lambda ws: (ws / "first" / "versions" / "3.0.0.json").mkdir(),
        "first/versions/3.0.0.json",
        "",
    ),
    "a file for a folder": (file_for_folder, "first/versions", "cannot be listed"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_agent_that_cannot_be_read_stops_all_and_is_one_finding(name: str, workspace: Path) -> None:
    change, path, problem = UNREADABLE[name]
    before = contents(workspace)
    change(workspace)
    changed = contents(workspace)
    with pytest.raises(ArtifactError) as caught:
        write_matrix(workspace)
    assert caught.value.where == str(workspace / path)
    assert problem in caught.value.problem
    assert contents(workspace) == changed, "nothing is written"
    [finding] = found(workspace)
    assert (finding.code, finding.path) == ("SUPPORT_MATRIX_ROOT_READ_ERROR", f"manifests/{path}")
    assert problem in finding.message
    assert before != changed or "folder" in name


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"inputs": {"upstream": {"targets": 1}}, "deltas": {}}'])
def test_a_report_that_cannot_be_read_stops_all_and_is_one_finding(text: str, workspace: Path) -> None:
    report = workspace / "second/reports/2.0.0/coverage.any.json"
    make_current(workspace / "second", "2.0.0", LINUX)  # a second target that rests on the same report
    write_matrix(workspace)
    put(report, text)
    with pytest.raises(ArtifactInvalid, match=r"coverage\.any\.json"):
        write_matrix(workspace)
    [finding] = found(workspace)
    assert (finding.code, finding.path) == (
        "SUPPORT_MATRIX_REPORT_READ_ERROR",
        "manifests/second/reports/2.0.0/coverage.any.json",
    )


def test_a_workspace_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    for ask in (derive, write_matrix, lambda workspace: list(findings(workspace))):
        with pytest.raises(ArtifactMissing, match="no such folder"):
            ask(tmp_path / "nowhere")
    put(tmp_path / "file", "")
    with pytest.raises(ArtifactInvalid, match="cannot be listed"):
        derive(tmp_path / "file")


# -- publication -------------------------------------------------------------------------------------


def contents(workspace: Path) -> dict[str, bytes]:
    return {str(path.relative_to(workspace)): path.read_bytes() for path in workspace.rglob("*") if path.is_file()}


def test_both_files_are_written_and_text_of_people_is_kept(workspace: Path) -> None:
    page = workspace / PAGE
    before, after = "# Ours\r\n\r\nManual contract — with a |.\r\n", "\r\n## Footer\nno newline at the end"
    page.write_bytes(f"{before}{START}\r\nold\r\n{END}{after}".encode())
    assert write_matrix(workspace) == [workspace / PUBLISHED, page]
    shown = block(derive(workspace))
    assert page.read_bytes().decode() == f"{before}{START}\n{shown}{END}{after}"
    assert "| `second` | `2.0.0` | `linux-x64` | `supported` |" in shown
    assert len(json.loads((workspace / PUBLISHED).read_bytes())["rows"]) == 5
    once = contents(workspace)
    write_matrix(workspace)
    assert contents(workspace) == once
    assert codes(workspace) == []


def test_a_page_that_is_not_there_is_begun_and_says_what_each_column_means(workspace: Path) -> None:
    text = (workspace / PAGE).read_text(encoding="utf-8")
    for column in json.loads((workspace / PUBLISHED).read_bytes())["rows"][0]:
        assert f"| `{column}` |" in text or column in ("agent", "version", "target")
    assert text.endswith(f"{END}\n")
    assert not text.endswith("\n\n")


def test_rows_and_page_hold_the_same(tmp_path: Path) -> None:
    make_agent(tmp_path, "a")
    make_current(tmp_path / "b", "1.0.0", LINUX, expected=(LINUX,))
    make_version(tmp_path / "b", "1.0.0", LINUX)
    assert block(derive(tmp_path)) == (
        "### `a`\n"
        "\n"
        "| agent | version | target | manifest_support | backend_support | uaa_support | pointer_promotion | evidence_notes |\n"
        "|---|---|---|---|---|---|---|---|\n"
        f"| `a` | `1.0.0` | `linux-x64` | `supported` | `partial` | `partial` | `latest_validated` | {WRAPPER_ONLY} |\n"
        "| `a` | `0.9.0` | `linux-x64` | `supported` | `supported` | `supported` | `latest_supported` | — |\n"
        f"| `a` | `1.0.0` | `win32-x64` | `unsupported` | `partial` | `unsupported` | `none` | {WRAPPER_ONLY}; {OMITTED} |\n"
        "| `a` | `0.9.0` | `win32-x64` | `unsupported` | `unsupported` | `unsupported` | `none` | — |\n"
        "\n"
        "### `b`\n"
        "\n"
        "| agent | version | target | manifest_support | backend_support | uaa_support | pointer_promotion | evidence_notes |\n"
        "|---|---|---|---|---|---|---|---|\n"
        "| `b` | `1.0.0` | `linux-x64` | `supported` | `unsupported` | `unsupported` | `none` | — |\n"
    )


def test_a_matrix_without_rows_is_an_empty_block(tmp_path: Path) -> None:
    tmp_path.joinpath("none").mkdir()
    write_matrix(tmp_path)
    assert (tmp_path / PUBLISHED).read_bytes() == b'{\n  "schema_version": 1,\n  "rows": []\n}\n'
    assert f"{START}\n{END}\n" in (tmp_path / PAGE).read_text(encoding="utf-8")
    assert codes(tmp_path) == []


def test_splicing_keeps_all_other_text_and_can_be_repeated() -> None:
    text = f"before\r\n{START}{END}\tafter"
    once = splice(text, "a\n")
    assert once == f"before\r\n{START}\na\n{END}\tafter"
    assert splice(once, "a\n") == once
    assert splice(once, "") == f"before\r\n{START}\n{END}\tafter"


MARKERS = {
    "none": ("text", f"lacks the marker {START}"),
    "no end": (f"{START} text", f"lacks the marker {END}"),
    "no start": (f"text {END}", f"lacks the marker {START}"),
    "two starts": (f"{START}{START}{END}", f"holds the marker {START} 2 times"),
    "two blocks": (f"{START}{END}{START}{END}", f"holds the marker {START} 2 times"),
    "two ends": (f"{START}{END}{END}", f"holds the marker {END} 2 times"),
    "turned round": (f"{END} {START}", f"the marker {END} stands before {START}"),
}


@pytest.mark.parametrize("name", MARKERS)
def test_a_page_without_its_markers_is_refused_and_nothing_is_written(name: str, workspace: Path) -> None:
    text, problem = MARKERS[name]
    with pytest.raises(ArtifactInvalid, match="once each"):
        splice(text, "a\n")
    make_version(workspace / "second", "3.0.0")  # the rows would change too
    put(workspace / PAGE, text)
    before = contents(workspace)
    with pytest.raises(ArtifactInvalid) as caught:
        write_matrix(workspace)
    assert (caught.value.problem, caught.value.where) == (problem, str(workspace / PAGE))
    assert contents(workspace) == before


def test_a_page_of_other_bytes_is_refused(workspace: Path) -> None:
    (workspace / PAGE).write_bytes(b"\xff")
    with pytest.raises(ArtifactInvalid, match="is not UTF-8"):
        write_matrix(workspace)
    assert codes(workspace) == ["SUPPORT_MATRIX_MARKDOWN_STALE"]


# -- each code has a change that brings out exactly it -------------------------------------------------

Change = Callable[[Path], None]


def alter(*edits: Callable[[list[dict[str, Any]]], object]) -> Change:
    """Change the published rows, and write them as canonically as before."""

    def change(workspace: Path) -> None:
        document = json.loads((workspace / PUBLISHED).read_bytes())
        for edit in edits:
            edit(document["rows"])
        put(workspace / PUBLISHED, document)

    return change


def column(index: int, name: str, value: object) -> Change:
    return alter(lambda rows: rows[index].__setitem__(name, value))


def text(path: str, old: str, new: str) -> Change:
    def change(workspace: Path) -> None:
        content = (workspace / path).read_bytes().decode()
        assert old in content
        put(workspace / path, content.replace(old, new, 1))

    return change


def demote(workspace: Path) -> None:
    make_version(workspace / "second", "2.0.0", LINUX, status="reported")


STRANGER = {"agent": "stranger"}

# In the fixture's matrix: 0 and 1 are first on linux (1.0.0, 0.9.0), 2 and 3 first on windows, 4 is second's.
MUTATIONS: dict[str, tuple[Change, str, str | None]] = {
    "ROOT_READ_ERROR": (broken_agent, "zeta/RULES.json", None),
    "REPORT_READ_ERROR": (
        lambda ws: put(ws / "first/reports/0.9.0/coverage.linux-x64.json", "{"),
        "first/reports/0.9.0/coverage.linux-x64.json",
        None,
    ),
    "ARTIFACT_MISSING": (lambda ws: (ws / PUBLISHED).unlink(), PUBLISHED, None),
    "INVALID_JSON": (lambda ws: put(ws / PUBLISHED, "{"), PUBLISHED, None),
    "SCHEMA_INVALID": (text(PUBLISHED, '"schema_version": 1', '"schema_version": 2'), PUBLISHED, "/schema_version"),
    "UNKNOWN_AGENT": (alter(lambda rows: rows.append(rows[4] | STRANGER)), PUBLISHED, "/rows/5"),
    "ROW_DUPLICATE": (alter(lambda rows: rows.insert(1, rows[0])), PUBLISHED, "/rows/1"),
    "ROW_UNEXPECTED": (
        alter(lambda rows: rows.append(rows[4] | {"version": "1.9.0"})),
        PUBLISHED,
        "/rows/5",
    ),
    "ROW_MISSING": (alter(lambda rows: rows.pop(1)), PUBLISHED, "/rows"),
    "ROW_ORDER_MISMATCH": (alter(lambda rows: rows.insert(0, rows.pop(1))), PUBLISHED, "/rows/0"),
    "MANIFEST_SUPPORT_MISMATCH": (column(0, "manifest_support", "partial"), PUBLISHED, "/rows/0"),
    "BACKEND_SUPPORT_MISMATCH": (column(1, "backend_support", "partial"), PUBLISHED, "/rows/1"),
    "UAA_SUPPORT_MISMATCH": (column(2, "uaa_support", "supported"), PUBLISHED, "/rows/2"),
    "POINTER_PROMOTION_MISMATCH": (column(4, "pointer_promotion", "none"), PUBLISHED, "/rows/4"),
    "EVIDENCE_NOTES_MISMATCH": (column(3, "evidence_notes", [OMITTED]), PUBLISHED, "/rows/3"),
    "VERSION_STATUS_MISMATCH": (demote, PUBLISHED, "/rows/4"),
    "NOT_CANONICAL": (text(PUBLISHED, "  ", "\t"), PUBLISHED, None),
    "MARKDOWN_STALE": (text(PAGE, "`latest_supported`", "`none`"), PAGE, None),
}


@pytest.mark.parametrize("code", MUTATIONS)
def test_each_code_has_a_change_that_brings_out_exactly_it(code: str, workspace: Path) -> None:
    change, path, pointer = MUTATIONS[code]
    assert found(workspace) == []
    change(workspace)
    assert [(one.code, one.path, one.json_pointer) for one in found(workspace)] == [
        (f"SUPPORT_MATRIX_{code}", f"manifests/{path}", pointer)
    ]


def test_the_table_of_checks_names_every_code() -> None:
    listed = {check.code for check in CHECKS if check.scope is Scope.WORKSPACE}
    assert listed == {f"SUPPORT_MATRIX_{code}" for code in MUTATIONS}


def test_an_omitted_target_that_is_claimed_has_three_findings(workspace: Path) -> None:
    alter(
        lambda rows: rows[2].update(
            manifest_support="supported", pointer_promotion="latest_validated", evidence_notes=[WRAPPER_ONLY]
        )
    )(workspace)
    assert [(one.code.removeprefix("SUPPORT_MATRIX_"), one.json_pointer) for one in found(workspace)] == [
        ("EVIDENCE_NOTES_MISMATCH", "/rows/2"),
        ("MANIFEST_SUPPORT_MISMATCH", "/rows/2"),
        ("POINTER_PROMOTION_MISMATCH", "/rows/2"),
    ]


STALE = {
    "a page without its markers": (text(PAGE, END, ""), ["MARKDOWN_STALE"]),
    "a page that is gone": (lambda ws: (ws / PAGE).unlink(), ["MARKDOWN_STALE"]),
    "nothing published": (lambda ws: shutil.rmtree(ws / "support_matrix"), ["ARTIFACT_MISSING"]),
    "a row twice": (alter(lambda rows: rows.append(rows[0])), ["ROW_DUPLICATE"]),
    "keys in another order": (
        alter(lambda rows: rows[0].update(agent=rows[0].pop("agent"))),
        ["NOT_CANONICAL"],
    ),
    "no final newline": (lambda ws: put(ws / PUBLISHED, (ws / PUBLISHED).read_text().rstrip()), ["NOT_CANONICAL"]),
    "another line ending": (
        lambda ws: put(ws / PUBLISHED, (ws / PUBLISHED).read_text().replace("\n", "\r\n")),
        ["NOT_CANONICAL"],
    ),
    "a key twice": (
        text(PUBLISHED, '"schema_version": 1,', '"schema_version": 1, "schema_version": 1,'),
        ["INVALID_JSON"],
    ),
    "not a number": (text(PUBLISHED, '"schema_version": 1', '"schema_version": NaN'), ["INVALID_JSON"]),
    "a folder": (lambda ws: ((ws / PUBLISHED).unlink(), (ws / PUBLISHED).mkdir()), ["INVALID_JSON"]),
    "a pointer that moved on": (
        lambda ws: make_pointer(ws / "first", "latest_supported", LINUX, "none"),
        ["MARKDOWN_STALE", "POINTER_PROMOTION_MISMATCH"],
    ),
    "a new version": (lambda ws: make_version(ws / "second", "3.0.0"), ["MARKDOWN_STALE", "ROW_MISSING"]),
    "a report that is gone": (
        lambda ws: shutil.rmtree(ws / "second" / "reports"),
        ["MARKDOWN_STALE", "BACKEND_SUPPORT_MISMATCH", "UAA_SUPPORT_MISMATCH"],
    ),
    "an agent that is gone": (lambda ws: shutil.rmtree(ws / "second"), ["MARKDOWN_STALE", "UNKNOWN_AGENT"]),
    "an unearned promotion": (
        column(1, "pointer_promotion", "latest_supported_and_validated"),
        ["POINTER_PROMOTION_MISMATCH", "VERSION_STATUS_MISMATCH"],
    ),
    "rows of an unreadable agent are left alone": (
        lambda ws: (alter(lambda rows: rows.pop(0))(ws), put(ws / "first/versions/1.0.0.json", "")),
        ["ROOT_READ_ERROR"],
    ),
    "other agents are judged beside an unreadable one": (
        lambda ws: (alter(lambda rows: rows.pop(4))(ws), put(ws / "first/versions/1.0.0.json", "")),
        ["ROOT_READ_ERROR", "ROW_MISSING"],
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_what_is_stale_is_found_and_made_anew_by_writing(name: str, workspace: Path) -> None:
    change, expected = STALE[name]
    change(workspace)
    assert [code.removeprefix("SUPPORT_MATRIX_") for code in codes(workspace)] == expected
    if "ROOT_READ_ERROR" in expected:
        return
    if name in ("a page without its markers", "a folder"):
        shutil.rmtree(workspace / "support_matrix")
    write_matrix(workspace)
    assert codes(workspace) == []


# -- documents of any shape --------------------------------------------------------------------------

WRONG: tuple[object, ...] = (None, -1, True, 1.5, 10**30, "x", [], {}, [1], ["x"], [[]], {"a": [{}]})


def shapes(document: dict[str, Any]) -> Iterator[object]:
    """The document with each of its values replaced, left out or joined by one more."""
    yield from WRONG
    for key, good in document.items():
        yield {name: value for name, value in document.items() if name != key}
        yield from ({**document, key: value} for value in WRONG if value != good)
    yield {**document, "surprise": 1}
    first, *rest = document["rows"]
    rebuilt = [
        *({name: value for name, value in first.items() if name != key} for key in first),
        *(
            {**first, key: value}
            for key in first
            for value in WRONG
            if not (key == "evidence_notes" and value == ["x"])
        ),
        {**first, "surprise": 1},
        {**first, "a/b~c": 1},
        *WRONG,
    ]
    yield from ({**document, "rows": [row, *rest]} for row in rebuilt)
    yield {**document, "rows": dict(enumerate(document["rows"]))}


def test_a_document_of_any_shape_is_a_finding_never_a_crash(workspace: Path) -> None:
    good = json.loads((workspace / PUBLISHED).read_bytes())
    for document in shapes(good):
        put(workspace / PUBLISHED, json.dumps(document))
        seen = found(workspace)
        assert seen, document
        assert {one.path for one in seen} == {f"manifests/{PUBLISHED}"}
        for one in seen:
            if one.code == "SUPPORT_MATRIX_SCHEMA_INVALID":
                assert len(seen) == 1
                assert one.json_pointer is None or value_at(document, one.json_pointer)
    for raw in (
        "",
        "nul",
        "[" * 100_000,
        '"\\ud800"',
        "\ufeff{}",
        '{"schema_version": 1, "rows": [{"agent": "\\u0000"}]}',
    ):
        put(workspace / PUBLISHED, raw)
        assert len(found(workspace)) == 1, raw[:40]


def value_at(document: Any, pointer: str) -> bool:
    for part in pointer.split("/")[1:]:
        document = document[int(part) if isinstance(document, list) else part]
    return True


@pytest.mark.parametrize(
    ("edit", "pointer"),
    [
        (lambda rows: rows.__setitem__(3, "row"), "/rows/3"),
        (lambda rows: rows[3].pop("target"), "/rows/3"),
        (lambda rows: rows[3].__setitem__("surprise", 1), "/rows/3"),
        (lambda rows: rows[3].__setitem__("agent", None), "/rows/3/agent"),
        (lambda rows: rows[3].__setitem__("uaa_support", "some"), "/rows/3/uaa_support"),
        (lambda rows: rows[3].__setitem__("evidence_notes", ["a", 1]), "/rows/3/evidence_notes/1"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(edit: Any, pointer: str, workspace: Path) -> None:
    alter(edit)(workspace)
    assert [(one.code, one.json_pointer) for one in found(workspace)] == [("SUPPORT_MATRIX_SCHEMA_INVALID", pointer)]


# -- this repository ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the matrix of this repository rests on."""
    folder = tmp_path_factory.mktemp("committed") / "cli_manifests"
    source = REPOSITORY / "cli_manifests"
    return Path(
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("raw_help", "snapshots", "support_matrix"))
    )


def test_every_version_of_this_repository_has_its_rows(committed: Path) -> None:
    matrix = derive(committed)
    agents = {path.parent.name for path in committed.glob("*/agent.toml")}
    assert {row.agent for row in matrix.rows} == agents
    assert {(row.agent, row.version) for row in matrix.rows} == {
        (path.parents[1].name, path.stem) for path in committed.glob("*/versions/*.json")
    }
    named = {path.read_bytes() for path in committed.glob("*/pointers/*/*.txt")} - {b"none\n"}
    promoted = {row.version for row in matrix.rows if row.pointer_promotion != "none"}
    assert promoted == {value.decode().strip() for value in named}
    assert canonical.convert(canonical.loads(matrix_bytes(matrix), "matrix"), SupportMatrix, "matrix") == matrix
    write_matrix(committed)
    assert render_lines(found(committed)) == ""


def test_the_files_are_the_same_from_run_to_run_wherever_they_are_made(committed: Path, tmp_path: Path) -> None:
    written = set()
    for seed in ("0", "1"):
        workspace = Path(shutil.copytree(committed, tmp_path / seed / "cli_manifests"))
        code = "import sys; from pathlib import Path; from pipeline.lifecycle.matrix import write_matrix; write_matrix(Path(sys.argv[1]))"
        subprocess.run(
            [sys.executable, "-c", code, str(workspace)],
            cwd=REPOSITORY,
            env=environment(PYTHONHASHSEED=seed, TZ=f"UTC+{seed}", LC_ALL="C", COLUMNS="20"),
            check=True,
            timeout=300,
        )
        written.add(tuple((workspace / name).read_bytes() for name in (PUBLISHED, PAGE)))
    assert len(written) == 1


def test_a_workspace_may_be_named_by_a_relative_path(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / PUBLISHED).unlink()
    monkeypatch.chdir(workspace.parent)
    assert [one.path for one in findings(Path(workspace.name))] == [f"manifests/{PUBLISHED}"]
    monkeypatch.chdir(workspace)
    assert [one.path for one in findings(Path())] == [PUBLISHED]


# -- the task ----------------------------------------------------------------------------------------


def test_the_task_rests_on_all_evidence_and_writes_both_files(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "second" / "agent.toml").write_text("[wrapper]\n", encoding="utf-8")
    put(workspace / "second" / "RULES.json", {"union": {"required_target": LINUX, "expected_targets": [LINUX]}})
    put(workspace / f"second/snapshots/2.1.0/{LINUX}.json", {})
    make_report(workspace / "second", "2.1.0", "all")
    make_report(workspace / "second", "2.1.0", "gone")
    monkeypatch.chdir(REPOSITORY)
    for module in ("tasks.agents", "tasks.support_matrix"):
        monkeypatch.setattr(f"{module}.MANIFESTS", str(workspace))
    [task] = task_support_matrix()
    assert (task_support_matrix.basename, task["name"]) == ("support-matrix", "all")  # type: ignore[attr-defined]
    assert task["targets"] == [str(path) for path in MATRIX_FILES]
    below = workspace / "second"
    second = {Path(path).relative_to(below).as_posix() for path in task["file_dep"] if Path(path).is_relative_to(below)}
    assert second == {
        "agent.toml",
        "RULES.json",
        "current.json",
        f"pointers/latest_supported/{LINUX}.txt",
        f"pointers/latest_validated/{LINUX}.txt",
        "versions/2.0.0.json",
        "versions/2.1.0.json",
        "reports/2.0.0/coverage.any.json",
        "reports/2.1.0/coverage.all.json",
        "reports/2.1.0/coverage.any.json",
        f"reports/2.1.0/coverage.{LINUX}.json",
    }
    (workspace / PUBLISHED).unlink()
    [(_, [call, _outputs])] = task["actions"]
    call()
    assert (workspace / PUBLISHED).exists()
