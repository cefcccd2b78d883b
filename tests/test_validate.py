"""Validation: a good tree has no finding, and each code has a change that brings out exactly it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import pytest
from checkout import REPOSITORY, environment
from hypothesis import given
from hypothesis import strategies as st

from pipeline import canonical, stages
from pipeline.contract.folder import open_folder
from pipeline.errors import ArtifactInvalid, ArtifactMissing, RulesInvalid
from pipeline.surface.metadata import Status, Validation
from pipeline.validate import Finding, render_json, render_lines, validate
from pipeline.validate.checks import CHECKS
from pipeline.validate.tree import Tree

COMMITTED = REPOSITORY / "cli_manifests" / "codex"
LINUX, WINDOWS, OTHER = "x86_64-unknown-linux-musl", "x86_64-pc-windows-msvc", "riscv64-unknown-linux-gnu"
V = "0.125.0"
UNION, METADATA, COVERAGE = f"snapshots/{V}/union.json", f"versions/{V}.json", "wrapper_coverage.json"
FURTHER = [f"snapshots/{V}/{target}.json" for target in ("aarch64-unknown-linux-musl", "x86_64-pc-windows-msvc")]
SNAPSHOT, STRANGER = f"snapshots/{V}/{LINUX}.json", f"snapshots/{V}/{OTHER}.json"
ANY = f"reports/{V}/coverage.any.json"


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """An epoch in the environment is the one that everything would have to carry."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the committed folder."""
    return Path(shutil.copytree(COMMITTED, tmp_path / "codex", ignore=shutil.ignore_patterns("raw_help")))


def find(root: Path) -> list[Finding]:
    return validate(open_folder(root))


def codes(findings: Sequence[Finding]) -> set[str]:
    return {finding.code for finding in findings}


# -- changing a tree --------------------------------------------------------------------------------

Change = Callable[[Path], None]


def delete(path: str) -> Change:
    return lambda root: (root / path).unlink()


def put(path: str, text: str) -> Change:
    return lambda root: (root / path).write_bytes(text.encode("utf-8"))


def replace(path: str, old: str, new: str) -> Change:
    def change(root: Path) -> None:
        text = (root / path).read_bytes().decode("utf-8")
        assert old in text
        (root / path).write_bytes(text.replace(old, new, 1).encode("utf-8"))

    return change


def alter(path: str, pointer: str, value: object) -> Change:
    """Set what stands at a JSON pointer (a key that is not there is added at the end)."""

    def change(root: Path) -> None:
        document = inner = json.loads((root / path).read_bytes())
        *way, last = pointer.split("/")[1:]
        for part in way:
            inner = inner[int(part) if isinstance(inner, list) else part]
        inner[int(last) if isinstance(inner, list) else last] = value
        (root / path).write_bytes(canonical.encode(document))

    return change


def copy(source: str, path: str) -> Change:
    def change(root: Path) -> None:
        shutil.copyfile(root / source, root / path)

    return change


def rebuild(*stage_names: str) -> Change:
    """Run stages of every version again, so that a change further up is the only thing that is wrong."""

    def change(root: Path) -> None:
        folder = open_folder(root)
        for version in folder.root.versions():
            for name in stage_names:
                getattr(stages, name)(folder, version)

    return change


def stranger(root: Path) -> None:
    """A sound snapshot of a target that the rules do not expect: nothing is derived from it."""
    document = json.loads((root / SNAPSHOT).read_bytes())
    del document["generator"]
    document["binary"]["target_triple"] = OTHER
    (root / STRANGER).write_bytes(canonical.encode(document))


def promote(root: Path) -> None:
    """Rules that ask for less, and with them a validated version: pointers and current.json name it."""
    rules = json.loads((root / "RULES.json").read_bytes())
    requirement = rules["version_metadata"]["supported_policy"]["coverage_requirement"]
    requirement["allowed_levels"] += requirement["disallowed_levels"]
    requirement["disallowed_levels"] = []
    (root / "RULES.json").write_bytes(canonical.encode(rules))
    rebuild("union", "report", "version_metadata")(root)
    stages.version_metadata(open_folder(root), V, Status.VALIDATED, Validation(passed_targets=(LINUX,)))
    for pointer in ("latest_validated.txt", f"pointers/latest_validated/{LINUX}.txt"):
        (root / pointer).write_bytes(f"{V}\n".encode())
    copy(UNION, "current.json")(root)


# -- the table --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """``company`` are codes that cannot but come along, ``why`` says why; all else must not appear."""

    code: str
    path: str
    changes: tuple[Change, ...]
    pointer: str | None = None
    company: frozenset[str] = frozenset()
    why: str = ""

    def __str__(self) -> str:
        return self.code


def exactly(code: str, path: str, *changes: Change, pointer: str | None = None) -> Mutation:
    return Mutation(code, path, changes, pointer)


def among(code: str, path: str, *changes: Change, company: str, why: str, pointer: str | None = None) -> Mutation:
    return Mutation(code, path, changes, pointer, frozenset(company.split()), why)


DERIVED = "what is derived from it cannot be compared with it any more"
SAME_FILE = "the file differs from its derivation in the same place"
COPY_OF_UNION = "current.json is the union byte for byte, so any other content differs from it too"

MUTATIONS = (
    among("SNAPSHOT_MISSING", SNAPSHOT, delete(SNAPSHOT), company="UNION_STALE", why=DERIVED),
    exactly("SNAPSHOT_INVALID_JSON", STRANGER, put(STRANGER, "{")),
    exactly(
        "SNAPSHOT_SCHEMA_INVALID",
        STRANGER,
        stranger,
        alter(STRANGER, "/commands/0/about", 1),
        pointer="/commands/0/about",
    ),
    among("UNION_MISSING", UNION, delete(UNION), company="VERSION_METADATA_STALE", why=DERIVED),
    among("UNION_INVALID_JSON", UNION, put(UNION, "{"), company="VERSION_METADATA_STALE", why=DERIVED),
    among(
        "UNION_SCHEMA_INVALID",
        UNION,
        alter(UNION, "/surprise", 1),
        company="UNION_STALE REPORT_STALE VERSION_METADATA_STALE",
        why=DERIVED,
    ),
    exactly("REPORT_MISSING", ANY.replace(".json", ".md"), delete(ANY.replace(".json", ".md"))),
    among("REPORT_INVALID_JSON", ANY, put(ANY, "{"), company="REPORT_STALE", why=SAME_FILE),
    among("REPORT_SCHEMA_INVALID", ANY, alter(ANY, "/surprise", 1), company="REPORT_STALE", why=SAME_FILE),
    among(
        "WRAPPER_COVERAGE_MISSING",
        COVERAGE,
        delete(COVERAGE),
        company="REPORT_STALE VERSION_METADATA_STALE",
        why=DERIVED,
    ),
    among(
        "WRAPPER_COVERAGE_INVALID_JSON",
        COVERAGE,
        put(COVERAGE, "{"),
        company="REPORT_STALE VERSION_METADATA_STALE",
        why=DERIVED,
    ),
    among(
        "WRAPPER_COVERAGE_SCHEMA_INVALID",
        COVERAGE,
        alter(COVERAGE, "/surprise", 1),
        company="WRAPPER_COVERAGE_STALE REPORT_STALE VERSION_METADATA_STALE",
        why=DERIVED,
    ),
    exactly("VERSION_METADATA_MISSING", METADATA, delete(METADATA)),
    exactly("VERSION_METADATA_INVALID_JSON", METADATA, put(METADATA, "{")),
    exactly("VERSION_METADATA_SCHEMA_INVALID", METADATA, alter(METADATA, "/status", "promoted"), pointer="/status"),
    exactly("CURRENT_MISSING", "current.json", promote, delete("current.json")),
    exactly("CURRENT_UNEXPECTED", "current.json", copy(UNION, "current.json")),
    among(
        "CURRENT_INVALID_JSON",
        "current.json",
        promote,
        put("current.json", "{"),
        company="CURRENT_JSON_NOT_EQUAL_UNION",
        why=COPY_OF_UNION,
    ),
    among(
        "CURRENT_SCHEMA_INVALID",
        "current.json",
        promote,
        alter("current.json", "/surprise", 1),
        company="CURRENT_JSON_NOT_EQUAL_UNION",
        why=COPY_OF_UNION,
    ),
    exactly(
        "CURRENT_JSON_NOT_EQUAL_UNION", "current.json", promote, alter("current.json", "/commands/0/about", "Another.")
    ),
    among(
        "CURRENT_JSON_MISSING_REQUIRED_TARGET",
        "current.json",
        promote,
        alter("current.json", "/inputs", []),
        company="CURRENT_JSON_NOT_EQUAL_UNION",
        why=COPY_OF_UNION,
        pointer="/inputs",
    ),
    among(
        "CURRENT_JSON_SEMVER_MISMATCH",
        "current.json",
        promote,
        copy("snapshots/0.61.0/union.json", "current.json"),
        company="CURRENT_JSON_NOT_EQUAL_UNION",
        why=COPY_OF_UNION,
        pointer="/inputs/*/binary/semantic_version",
    ),
    exactly("NOT_CANONICAL", STRANGER, stranger, replace(STRANGER, "\n", "\r\n")),
    exactly(
        "NAME_MISMATCH",
        STRANGER,
        stranger,
        alter(STRANGER, "/binary/target_triple", WINDOWS),
        pointer="/binary/target_triple",
    ),
    exactly(
        "RULE_NOT_HONOURED",
        "RULES.json",
        alter("RULES.json", "/union/surprise", 1),
        rebuild("report"),
        pointer="/union/surprise",
    ),
    exactly("POINTER_MISSING_FILE", "min_supported.txt", delete("min_supported.txt")),
    exactly("POINTER_INVALID_FORMAT", "min_supported.txt", put("min_supported.txt", "none")),
    exactly(
        "POINTER_INVALID_VALUE",
        f"pointers/latest_supported/{WINDOWS}.txt",
        put(f"pointers/latest_supported/{WINDOWS}.txt", "v0.125.0\n"),
    ),
    exactly(
        "POINTER_LATEST_VALIDATED_MISMATCH",
        "latest_validated.txt",
        promote,
        put(f"pointers/latest_validated/{LINUX}.txt", "none\n"),
    ),
    exactly(
        "POINTER_INCONSISTENT_WITH_VERSION_METADATA",
        METADATA,
        put(f"pointers/latest_supported/{LINUX}.txt", f"{V}\n"),
        pointer="/coverage/supported_targets",
    ),
    exactly("SCHEMA_STALE", "SCHEMA.json", alter("SCHEMA.json", "/title", "Another")),
    exactly(
        "SNAPSHOT_NOT_LOCKED",
        SNAPSHOT,
        lambda root: alter("artifacts.lock.json", f"/rows/{row_of(root)}/sha256", "0" * 64)(root),
        pointer="/binary/sha256",
    ),
    exactly(
        "SNAPSHOT_PARSER_OLD",
        SNAPSHOT,
        *map(delete, FURTHER),  # what the union merges must have been read by one revision
        alter(SNAPSHOT, "/generator/revision", 0),
        rebuild("union", "report", "version_metadata"),
        pointer="/generator/revision",
    ),
    exactly(
        "UNION_STALE",
        UNION,
        alter(UNION, "/commands/0/about", "Another."),
        rebuild("report", "version_metadata"),
        pointer="/commands/0/about",
    ),
    exactly(
        "WRAPPER_COVERAGE_STALE",
        COVERAGE,
        alter(COVERAGE, "/wrapper_version", "9.9.9"),
        rebuild("report", "version_metadata"),
        pointer="/wrapper_version",
    ),
    exactly("REPORT_STALE", ANY, alter(ANY, "/deltas/missing_flags", []), pointer="/deltas/missing_flags/0"),
    exactly("REPORT_ORPHAN", f"reports/{V}/coverage.all.md", put(f"reports/{V}/coverage.all.md", "# All\n")),
    exactly(
        "VERSION_METADATA_STALE",
        METADATA,
        alter(METADATA, "/artifacts/union_complete", True),
        pointer="/artifacts/union_complete",
    ),
)


def row_of(root: Path) -> int:
    rows = json.loads((root / "artifacts.lock.json").read_bytes())["rows"]
    return next(i for i, row in enumerate(rows) if (row["version"], row["target"]) == (V, LINUX))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_each_code_has_a_change_that_brings_out_exactly_it(mutation: Mutation, root: Path) -> None:
    for change in mutation.changes:
        change(root)
    found = find(root)
    assert codes(found) == {mutation.code} | mutation.company, render_lines(found)
    places = {(one.path, one.json_pointer) for one in found if one.code == mutation.code}
    if mutation.company:
        assert (mutation.path, mutation.pointer) in places
    else:
        assert places == {(mutation.path, mutation.pointer)}
    for check in CHECKS:
        assert codes(list(check.run(Tree.open(open_folder(root))))) <= set(check.codes), check.summary
    assert render_lines(find(root)) == render_lines(found)


def test_every_code_has_its_change() -> None:
    assert {mutation.code for mutation in MUTATIONS} == {code for check in CHECKS for code in check.codes}


def test_the_two_trees_that_are_changed_are_free_of_findings(root: Path) -> None:
    assert find(root) == []
    promote(root)
    assert find(root) == []


# -- further changes that must not pass --------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        (put("min_supported.txt", "9.9.9\n"), "VERSION_METADATA_MISSING", "versions/9.9.9.json"),
        (put("min_supported.txt", "9.9.9\n"), "UNION_MISSING", "snapshots/9.9.9/union.json"),
        (put(f"pointers/latest_supported/{LINUX}.txt", "9.9.9\n"), "UNION_MISSING", "snapshots/9.9.9/union.json"),
        (put("min_supported.txt", "00.61.0\n"), "POINTER_INVALID_VALUE", "min_supported.txt"),
        (put("min_supported.txt", "\u0661.2.3\n"), "POINTER_INVALID_VALUE", "min_supported.txt"),
        (put("min_supported.txt", "0.61.0-rc.1\n"), "POINTER_INVALID_VALUE", "min_supported.txt"),
        (put("min_supported.txt", "\n"), "POINTER_INVALID_VALUE", "min_supported.txt"),
        (put("min_supported.txt", ""), "POINTER_INVALID_FORMAT", "min_supported.txt"),
        (put("min_supported.txt", "none\nnone\n"), "POINTER_INVALID_FORMAT", "min_supported.txt"),
        (put("min_supported.txt", "none\r\n"), "POINTER_INVALID_FORMAT", "min_supported.txt"),
        (put("min_supported.txt", " none\n"), "POINTER_INVALID_FORMAT", "min_supported.txt"),
        (
            lambda root: (root / "min_supported.txt").write_bytes(b"\xff\n"),
            "POINTER_INVALID_FORMAT",
            "min_supported.txt",
        ),
        (replace(METADATA, '"status"', '"status": "reported",\n  "status"'), "VERSION_METADATA_INVALID_JSON", METADATA),
        (replace(METADATA, '"schema_version": 1', '"schema_version": NaN'), "VERSION_METADATA_INVALID_JSON", METADATA),
        (alter(METADATA, "/notes", None), "VERSION_METADATA_SCHEMA_INVALID", METADATA),
        (alter(METADATA, "/schema_version", 2), "VERSION_METADATA_SCHEMA_INVALID", METADATA),
        (alter(METADATA, "/semantic_version", "0.61.0"), "NAME_MISMATCH", METADATA),
        (alter(METADATA, "/updated_at", "2020-01-01T00:00:00Z"), "VERSION_METADATA_STALE", METADATA),
        (alter(METADATA, "/status", "validated"), "VERSION_METADATA_STALE", METADATA),
        (alter(METADATA, "/status", "supported"), "VERSION_METADATA_STALE", METADATA),
        (alter(UNION, "/collected_at", "2020-01-01T00:00:00Z"), "UNION_STALE", UNION),
        (alter(ANY, "/generated_at", "2020-01-01T00:00:00Z"), "REPORT_STALE", ANY),
        (alter(ANY, "/platform_filter/mode", "all"), "NAME_MISMATCH", ANY),
        (alter(COVERAGE, "/generated_at", "2020-01-01T00:00:00Z"), "WRAPPER_COVERAGE_STALE", COVERAGE),
        (alter(SNAPSHOT, "/binary/sha256", "0" * 64), "SNAPSHOT_NOT_LOCKED", SNAPSHOT),
        (alter(SNAPSHOT, "/binary/semantic_version", "0.61.0"), "NAME_MISMATCH", SNAPSHOT),
        (alter("VERSION_METADATA_SCHEMA.json", "/title", "x"), "SCHEMA_STALE", "VERSION_METADATA_SCHEMA.json"),
        (replace(UNION, "{\n", "{\r\n"), "NOT_CANONICAL", UNION),
        (replace(UNION, "  ", "\t"), "NOT_CANONICAL", UNION),
        (lambda root: (root / UNION).write_bytes((root / UNION).read_bytes() + b"\n"), "NOT_CANONICAL", UNION),
        (copy(ANY, f"reports/{V}/coverage.all.json"), "REPORT_ORPHAN", f"reports/{V}/coverage.all.json"),
    ],
)
def test_what_must_not_pass(change: Change, code: str, path: str, root: Path) -> None:
    change(root)
    assert (code, path) in {(one.code, one.path) for one in find(root)}


def test_files_that_are_no_artifacts_do_not_disturb(root: Path) -> None:
    for name in (
        f"snapshots/{V}/no target.json",
        f"snapshots/{V}/.union.json.x.part",
        "versions/notes.json",
        "NOTES.md",
    ):
        (root / name).write_text("?", encoding="utf-8")
    (root / "snapshots" / "latest").mkdir()
    assert find(root) == []


WRONG: tuple[object, ...] = (None, -1, "x", [], {}, [1], {"a": [{}]})


@pytest.mark.parametrize("path", [SNAPSHOT, UNION, ANY, METADATA, COVERAGE, "current.json"])
def test_a_document_of_any_shape_is_a_finding_never_a_crash(path: str, root: Path) -> None:
    promote(root)
    good = (root / path).read_bytes()
    for pointer, value in shapes(json.loads(good)):
        if pointer:
            alter(path, pointer, value)(root)
        else:
            (root / path).write_bytes(canonical.encode(value))
        assert find(root), f"{pointer} = {value!r} passed"
        (root / path).write_bytes(good)


def shapes(document: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Each value of the first two levels, replaced by values of other types."""
    yield from (("", value) for value in WRONG)
    for key, child in document.items():
        places = {f"/{key}": child}
        if isinstance(child, dict):
            places |= {f"/{key}/{inner}": below for inner, below in child.items()}
        elif isinstance(child, list) and child:
            places[f"/{key}/0"] = child[0]
        for pointer, found in places.items():
            yield from ((pointer, value) for value in WRONG[:4] if value != found)


# -- what stops validation ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["SCHEMA.json", "VERSION_METADATA_SCHEMA.json", "RULES.json"])
def test_without_a_schema_or_rules_nothing_can_be_judged(path: str, root: Path) -> None:
    (root / path).write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactInvalid, match=re.escape(path)):
        find(root)
    (root / path).unlink()
    with pytest.raises(ArtifactMissing, match=re.escape(path)):
        find(root)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/union/expected_targets", []),
        ("/union/expected_targets", [LINUX, LINUX]),
        ("/union/expected_targets", [LINUX, "../../x"]),
        ("/union/required_target", OTHER),
        ("/versioning/pointers/stable_semver_pattern", "("),
        ("/parity_exclusions/schema_version", 2),
    ],
)
def test_rules_that_cannot_be_followed(pointer: str, value: object, root: Path) -> None:
    alter("RULES.json", pointer, value)(root)
    with pytest.raises(RulesInvalid) as caught:
        find(root)
    assert caught.value.problem.startswith("$" + pointer.replace("/", "."))


# -- output ------------------------------------------------------------------------------------------


def break_much(root: Path) -> None:
    for change in (
        put("min_supported.txt", "x"),
        alter(METADATA, "/artifacts", []),
        alter(ANY, "/deltas", {"a": 1, "b": 2}),
        put("versions/0.61.0.json", "{"),
        copy(ANY, f"reports/{V}/coverage.all.json"),
        alter("RULES.json", "/surprise", {"ü": 1}),
        alter(SNAPSHOT, "/generator", {"x": 1}),
    ):
        change(root)


def test_output_is_the_same_from_run_to_run_and_under_any_hash_seed(root: Path) -> None:
    break_much(root)
    for option in ((), ("--json",)):
        outputs = set()
        for seed in ("0", "1", "2"):
            done = subprocess.run(
                [sys.executable, "-m", "pipeline.cli", "validate", "--root", str(root), *option],
                cwd=REPOSITORY,
                env=environment(PYTHONHASHSEED=seed),
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 3, done.stderr
            outputs.add(done.stdout)
        assert len(outputs) == 1


def test_json_and_lines_say_the_same(root: Path) -> None:
    break_much(root)
    found = find(root)
    document = canonical.loads(render_json(found), "findings")
    assert document["ok"] is False
    listed = [canonical.convert(one, Finding, "findings") for one in document["findings"]]
    assert listed == found
    assert render_lines(listed) == render_lines(found)
    assert len(render_lines(found).splitlines()) == len(found) > 10
    assert found == sorted(found, key=Finding.order)


def test_no_finding_is_ok() -> None:
    assert render_lines([]) == ""
    assert render_json([]) == b'{\n  "ok": true,\n  "findings": []\n}\n'


@given(
    st.lists(st.builds(Finding, code=st.text(), path=st.text(), json_pointer=st.none() | st.text(), message=st.text()))
)
def test_findings_survive_json(findings: list[Finding]) -> None:
    document = canonical.loads(render_json(findings), "findings")
    assert [one["message"] for one in document["findings"]] == [one.message for one in findings]


# -- folders of another tool -------------------------------------------------------------------------

BASE = corpus.FOLDER / "_synthetic" / "validate_base"
needs_corpus = pytest.mark.skipif(not BASE.is_dir(), reason=corpus.ABSENT)


def explained(finding: Finding) -> bool:
    """What a folder that the earlier tool holds for good may still be told, and why."""
    if finding.code == "RULE_NOT_HONOURED":
        return finding.severity == "warning"
    if finding.code == "REPORT_STALE":  # its reports were not made again when the wrapper's version changed
        return finding.json_pointer == "/inputs/wrapper/wrapper_version"
    # Its metadata was made before it recorded where the artifacts are.
    return finding.code == "VERSION_METADATA_STALE" and finding.json_pointer == "/artifacts"


@needs_corpus
def test_a_folder_of_another_tool_is_judged_by_its_own_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    root = Path(shutil.copytree(BASE, tmp_path / "foreign"))
    found = find(root)
    assert [one for one in found if not explained(one)] == []
    # Once its derived files are made again, only the warnings are left.
    stages.report(open_folder(root), "0.61.0")
    stages.version_metadata(open_folder(root), "0.61.0")
    assert codes(find(root)) == {"RULE_NOT_HONOURED"}


@needs_corpus
@pytest.mark.parametrize("case", [case for case in corpus.cases("validate") if "mutations" not in case.id])
def test_real_folders_of_another_tool_do_not_stop_validation(case: dict[str, Any]) -> None:
    found = find(corpus.folder(case))
    assert {one.severity for one in found if one.code == "RULE_NOT_HONOURED"} <= {"warning"}
    expected = {(one["code"], one["path"]) for one in case["expected_violations"] if "NOTE" not in one["code"]}
    assert expected <= {(one.code, one.path) for one in found}
