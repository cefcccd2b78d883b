"""The `parity` command on folders of another tool: files written, exit codes, and what bad input is answered with."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import pytest
from checkout import REPOSITORY, environment
from fake_cli import fake, page

from pipeline import canonical
from pipeline.cli import main
from pipeline.layout import Root

EPOCH, TIME = "1700000000", "2023-11-14T22:13:20Z"
LINUX, MAC = "x86_64-unknown-linux-musl", "aarch64-apple-darwin"

needs_corpus = pytest.mark.skipif(not corpus.FOLDER.is_dir(), reason=corpus.ABSENT)


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


class Parity:
    """Calls the command in this process."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *words: object) -> Answer:
        self._capture.readouterr()
        code = main([str(word) for word in words])
        out, err = self._capture.readouterr()
        return Answer(code, out, err)

    def usage(self, *words: object) -> Answer:
        """For a line that the parser itself refuses."""
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        out, err = self._capture.readouterr()
        assert isinstance(caught.value.code, int)
        return Answer(caught.value.code, out, err)


@pytest.fixture
def parity(capsys: pytest.CaptureFixture[str]) -> Parity:
    return Parity(capsys)


def refused(answer: Answer, code: str, *parts: object, exit_code: int = 1) -> str:
    """The one line on standard error: its code, every part, and a remedy in brackets at the end."""
    assert answer.code == exit_code
    assert answer.out == ""
    [line] = answer.err.splitlines()
    assert line.startswith(f"error[{code}]: ")
    assert re.search(r" \(.+\)$", line), "no remedy"
    for part in parts:
        assert str(part) in line, line
    return line


# -- folders ----------------------------------------------------------------------------------------


def lay_out(case: str, version: str, to: Path) -> Root:
    """What the earlier tool had of one version before it derived anything."""
    folder, root = corpus.FOLDER / case, Root(to)
    root.snapshots(version).mkdir(parents=True)
    for name in ("RULES.json", "wrapper_coverage.json"):
        shutil.copyfile(folder / name, to / name)
    for path in (folder / "snapshots").glob("*.json"):
        if path.name != "union.json":
            shutil.copyfile(path, root.snapshots(version) / path.name)
    return root


def snapshot(target: str, *commands: dict[str, Any], version: str = "1.2.3", **changes: Any) -> dict[str, Any]:
    binary = {
        "sha256": "00",
        "size_bytes": 1,
        "platform": {"os": "linux", "arch": "x86_64"},
        "target_triple": target,
        "version_output": f"tool {version}",
        "semantic_version": version,
    }
    return {
        "snapshot_schema_version": 1,
        "tool": "tool",
        "collected_at": TIME,
        "binary": binary,
        "commands": list(commands)
        or [{"path": []}, {"path": ["run"], "flags": [{"long": "--fast", "takes_value": False}]}],
        **changes,
    }


RULES = {
    "union": {
        "required_target": LINUX,
        "expected_targets": [LINUX, MAC],
        "platform_mapping": {LINUX: "linux", MAC: "macos"},
        "require_same_tool": True,
        "require_same_semantic_version": True,
    }
}
COVERAGE = {"schema_version": 1, "generated_at": TIME, "coverage": [{"path": [], "level": "explicit"}]}


def put(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(value if isinstance(value, bytes) else canonical.encode(value))


@pytest.fixture
def small(tmp_path: Path) -> Root:
    """A small folder of one version with one target's snapshot."""
    root = Root(tmp_path / "small")
    put(root.rules, RULES)
    put(root.snapshot("1.2.3", LINUX), snapshot(LINUX))
    put(root.wrapper_coverage, COVERAGE)
    return root


@pytest.fixture
def reported(small: Root, parity: Parity) -> Root:
    """The small folder after union and report."""
    for stage in ("union", "report"):
        assert parity(stage, "--root", small.path, "--version", "1.2.3").code == 0
    return small


def files(root: Root) -> dict[str, bytes]:
    return {
        path.relative_to(root.path).as_posix(): path.read_bytes() for path in root.path.rglob("*") if path.is_file()
    }


# -- real folders of another tool, byte for byte -----------------------------------------------------


@needs_corpus
@pytest.mark.parametrize(
    ("case", "version"), [("claude_code/HEAD/2.1.29", "2.1.29"), ("codex/HEAD/0.125.0", "0.125.0")]
)
def test_the_stages_rebuild_what_the_earlier_tool_made(case: str, version: str, tmp_path: Path, parity: Parity) -> None:
    folder, root = corpus.FOLDER / case, lay_out(case, version, tmp_path / "root")
    common = ("--root", root.path, "--version", version)

    def same(written: Path, expected: Path, stamp: str) -> None:
        text = expected.read_bytes()
        then = json.loads(text)[stamp]
        assert written.read_bytes() == text.replace(then.encode(), TIME.encode(), 1)

    assert parity("union", *common) == Answer(0, f"{root.union(version)}\n", "")
    same(root.union(version), folder / "snapshots" / "union.json", "collected_at")

    answer = parity("report", *common)
    assert (answer.code, answer.err) == (0, "")
    expected = {path.name for path in (folder / "reports").iterdir()}
    listed = [Path(line) for line in answer.out.splitlines()]
    assert {path.name for path in listed if path.suffix == ".json"} == expected
    assert sorted(listed) == sorted(root.reports(version).iterdir())
    for name in expected:
        same(root.reports(version) / name, folder / "reports" / name, "generated_at")

    validation = json.loads((folder / "versions.json").read_bytes())["validation"]
    outcomes = [
        word
        for outcome in ("passed", "failed", "skipped")
        for target in validation[f"{outcome}_targets"]
        for word in (f"--{outcome}-target", target)
    ]
    answer = parity("version-metadata", *common, "--status", "validated", *outcomes)
    assert answer == Answer(0, f"{root.metadata(version)}\n", "")
    same(root.metadata(version), folder / "versions.json", "updated_at")
    # A second time without the outcomes: they are carried over.
    assert parity("version-metadata", *common, "--status", "validated").code == 0
    same(root.metadata(version), folder / "versions.json", "updated_at")


@pytest.mark.parametrize("case", corpus.cases("wrapper_coverage"))
def test_a_manifest_is_normalised(case: dict[str, Any], tmp_path: Path, parity: Parity) -> None:
    folder, out = corpus.folder(case), tmp_path / "wrapper_coverage.json"
    answer = parity(
        "wrapper-coverage",
        *("--from", folder / case["inputs"]["manifest_source"]),
        *("--rules", folder / case["inputs"]["rules"]),
        *("--wrapper-version", case["frozen"]["wrapper_version"]),
        *("--out", out),
    )
    assert answer == Answer(0, f"{out}\n", "")
    then = case["frozen"]["generated_at"].encode()
    assert out.read_bytes() == (folder / case["output"]).read_bytes().replace(then, TIME.encode(), 1)


# -- every command in its own process ----------------------------------------------------------------


def process(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *map(str, words)],
        cwd=REPOSITORY,
        env=environment(**variables),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def test_a_whole_run_in_processes(small: Root) -> None:
    common = ("--root", small.path, "--version", "1.2.3")
    for words in (("union",), ("report",), ("version-metadata", "--status", "reported")):
        done = process(*words, *common, SOURCE_DATE_EPOCH=EPOCH)
        assert (done.returncode, done.stderr) == (0, "")
        assert all(Path(line).is_file() for line in done.stdout.splitlines())
    done = process("union", *common)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[epoch-missing]: ")
    assert "SOURCE_DATE_EPOCH" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    done = process("union", *common, "--wat")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--wat" in done.stderr


def test_findings_have_an_exit_code_of_their_own(tmp_path: Path) -> None:
    root = Path(
        shutil.copytree(
            REPOSITORY / "cli_manifests" / "codex", tmp_path / "codex", ignore=shutil.ignore_patterns("raw_help")
        )
    )
    done = process("validate", "--root", root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no findings\n")
    done = process("validate", "--root", root, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"ok": True, "findings": []}

    (root / "min_supported.txt").write_bytes(b"new\n")
    done = process("validate", "--root", root)
    assert done.returncode == 3
    assert done.stdout == "min_supported.txt: POINTER_INVALID_VALUE error: 'new' is not a stable version\n"
    done = process("validate", "--root", root, "--json")
    assert done.returncode == 3
    assert [one["code"] for one in json.loads(done.stdout)["findings"]] == ["POINTER_INVALID_VALUE"]

    (root / "RULES.json").unlink()
    done = process("validate", "--root", root, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[artifact-missing]: ")


def test_help_and_version_need_no_folder(parity: Parity) -> None:
    for words in (("--help",), ("--version",), ("union", "--help"), ("validate", "--help")):
        answer = parity.usage(*words)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nothing",),
        ("union",),
        ("union", "--root", "x"),
        ("report", "--root", "x", "--version"),
        ("version-metadata", "--root", "x", "--version", "1.2.3"),
        ("version-metadata", "--root", "x", "--version", "1.2.3", "--status", "perfect"),
        ("wrapper-coverage",),
        ("wrapper-coverage", "--out", "x", "--from", "a", "--wrapper", "b"),
        ("validate", "--mode", "mend"),
        ("promote", "--root", "x"),
        ("retain",),
    ],
)
def test_a_wrong_line_is_wrong_usage(words: tuple[str, ...], parity: Parity) -> None:
    answer = parity.usage(*words)
    assert (answer.code, answer.out) == (2, "")
    assert "usage: parity" in answer.err


# -- bad input: union --------------------------------------------------------------------------------


def union(parity: Parity, root: Root, version: str = "1.2.3") -> Answer:
    return parity("union", "--root", root.path, "--version", version)


def test_a_folder_that_is_not_there(parity: Parity, tmp_path: Path) -> None:
    refused(
        parity("union", "--root", tmp_path / "nothing", "--version", "1.2.3"), "artifact-missing", tmp_path / "nothing"
    )


@pytest.mark.parametrize("version", ["latest", "v1.2.3", "../1.2.3", "1.2", "1.2.3/..", ""])
def test_what_is_no_version_is_wrong_usage(version: str, parity: Parity, small: Root) -> None:
    for words in (("union",), ("report",), ("version-metadata", "--status", "reported")):
        answer = parity(*words, "--root", small.path, "--version", version)
        refused(answer, "usage", repr(version), exit_code=2)


def test_the_required_target_is_missing(parity: Parity, small: Root) -> None:
    path = small.snapshot("1.2.3", LINUX)
    path.rename(small.snapshot("1.2.3", MAC))
    refused(union(parity, small), "required-target-missing", LINUX, path)
    refused(union(parity, small, "9.9.9"), "required-target-missing", LINUX, small.snapshot("9.9.9", LINUX))
    assert not small.union("1.2.3").exists()


def text(document: dict[str, Any]) -> str:
    return canonical.encode(document).decode("utf-8")


@pytest.mark.parametrize(
    ("content", "code", "place"),
    [
        (
            text(snapshot(LINUX)).replace('"tool"', '"tool": "x",\n  "tool"', 1),
            "artifact-invalid",
            "duplicate key 'tool'",
        ),
        (text(snapshot(LINUX)).replace('"path": []', '"path": [],\n      "path": []'), "artifact-invalid", "'path'"),
        (text(snapshot(LINUX)).replace('"size_bytes": 1', '"size_bytes": NaN'), "artifact-invalid", "NaN"),
        (text(snapshot(LINUX, surprise=1)), "artifact-invalid", "surprise"),
        (
            text(snapshot(LINUX, {"path": [], "flags": [{"takes_value": 1}]})),
            "artifact-invalid",
            "$.commands[0].flags[0]",
        ),
        (text(snapshot(LINUX, {"path": []}, {"path": [7]})), "artifact-invalid", "$.commands[1].path[0]"),
        (text(snapshot(LINUX, snapshot_schema_version=2)), "artifact-invalid", "$.snapshot_schema_version"),
        (text(snapshot(LINUX))[:-20], "artifact-invalid", "not valid JSON"),
        ("", "artifact-invalid", "not valid JSON"),
        ("[]", "artifact-invalid", "$: expected `object`"),
        (text(snapshot(LINUX, version="9.9.9")), "identity-mismatch", "'9.9.9', expected '1.2.3'"),
        (text(snapshot(MAC)), "identity-mismatch", f"'{MAC}', expected '{LINUX}'"),
    ],
)
def test_a_bad_snapshot(content: str, code: str, place: str, parity: Parity, small: Root) -> None:
    path = small.snapshot("1.2.3", LINUX)
    for encoded in (content, content.replace("\n", "\r\n")):
        path.write_bytes(encoded.encode("utf-8"))
        refused(union(parity, small), code, path, place)
    assert not small.union("1.2.3").exists()


def test_targets_of_two_tools_are_not_merged(parity: Parity, small: Root) -> None:
    put(small.snapshot("1.2.3", MAC), snapshot(MAC, tool="another"))
    refused(union(parity, small), "identity-mismatch", small.snapshot("1.2.3", MAC), "'another', expected 'tool'")


def test_snapshots_of_targets_that_nobody_expects_are_left_out(parity: Parity, small: Root) -> None:
    put(small.snapshot("1.2.3", "riscv64-x"), b"{")
    assert union(parity, small).code == 0
    assert b"riscv64" not in small.union("1.2.3").read_bytes()


@pytest.mark.parametrize(
    ("rules", "code", "place"),
    [
        (b"{", "artifact-invalid", "not valid JSON"),
        ({}, "artifact-invalid", "$: object missing required field `union`"),
        ({"union": {"required_target": LINUX, "expected_targets": []}}, "rules-invalid", "$.union.expected_targets"),
        ({"union": {"required_target": MAC, "expected_targets": [LINUX]}}, "rules-invalid", "$.union.required_target"),
        ({"union": {"required_target": LINUX, "expected_targets": [LINUX, "../x"]}}, "rules-invalid", "'../x'"),
        ({**RULES, "sorting": {"commands": "random"}}, "rules-invalid", "$.sorting.commands"),
        (
            text(RULES).replace('"union"', '"union": 1,\n  "union"', 1).encode(),
            "artifact-invalid",
            "duplicate key 'union'",
        ),
        (
            {**RULES, "versioning": {"pointers": {"stable_semver_pattern": "["}}},
            "rules-invalid",
            "stable_semver_pattern",
        ),
    ],
)
def test_bad_rules_stop_every_stage(rules: object, code: str, place: str, parity: Parity, reported: Root) -> None:
    put(reported.rules, rules)
    before = files(reported)
    for words in (("union",), ("report",), ("version-metadata", "--status", "reported")):
        refused(parity(*words, "--root", reported.path, "--version", "1.2.3"), code, reported.rules, place)
    refused(parity("validate", "--root", reported.path), code, reported.rules, place)
    assert files(reported) == before


def test_rules_from_elsewhere(parity: Parity, small: Root, tmp_path: Path) -> None:
    elsewhere = tmp_path / "mine.json"
    put(elsewhere, {"union": {"required_target": MAC, "expected_targets": [MAC]}})
    small.rules.unlink()
    refused(union(parity, small), "artifact-missing", small.rules)
    answer = parity("union", "--root", small.path, "--version", "1.2.3", "--rules", elsewhere)
    refused(answer, "required-target-missing", MAC)


# -- bad input: report -------------------------------------------------------------------------------


def test_a_report_needs_a_union_and_a_coverage(parity: Parity, small: Root) -> None:
    words = ("report", "--root", small.path, "--version", "1.2.3")
    refused(parity(*words), "artifact-missing", small.union("1.2.3"))
    union(parity, small)
    small.wrapper_coverage.unlink()
    refused(parity(*words), "artifact-missing", small.wrapper_coverage)
    assert not small.reports("1.2.3").exists()


def test_a_union_of_another_version(parity: Parity, small: Root) -> None:
    union(parity, small)
    shutil.copytree(small.snapshots("1.2.3"), small.snapshots("9.9.9"))
    answer = parity("report", "--root", small.path, "--version", "9.9.9")
    refused(answer, "identity-mismatch", small.union("9.9.9"), "1.2.3", "9.9.9")


def covered(*entries: dict[str, Any]) -> dict[str, Any]:
    return {**COVERAGE, "coverage": list(entries)}


@pytest.mark.parametrize(
    ("coverage", "code"),
    [
        (
            covered(
                {"path": ["run"], "level": "explicit"},
                {"path": ["run"], "level": "passthrough", "note": "n"},
            ),
            "levels-mixed",
        ),
        (covered({"path": ["run"], "level": "intentionally_unsupported"}), "note-missing"),
        (covered({"path": ["run"], "level": "explicit", "surprise": 1}), "artifact-invalid"),
        ({**COVERAGE, "schema_version": 2}, "artifact-invalid"),
    ],
)
def test_a_coverage_that_cannot_be_resolved(coverage: object, code: str, parity: Parity, reported: Root) -> None:
    before = files(reported)
    put(reported.wrapper_coverage, coverage)
    answer = parity("report", "--root", reported.path, "--version", "1.2.3")
    refused(answer, code)
    assert {**files(reported), "wrapper_coverage.json": b""} == {**before, "wrapper_coverage.json": b""}


# -- bad input: wrapper coverage ---------------------------------------------------------------------


def test_the_wrapper_of_this_project(parity: Parity, small: Root) -> None:
    answer = parity(
        "wrapper-coverage", "--wrapper", "codex", "--wrapper-version", "7.8.9", "--out", small.wrapper_coverage
    )
    assert answer == Answer(0, f"{small.wrapper_coverage}\n", "")
    document = json.loads(small.wrapper_coverage.read_bytes())
    assert (document["wrapper_version"], document["generated_at"]) == ("7.8.9", TIME)
    committed = json.loads(Root(REPOSITORY / "cli_manifests" / "codex").wrapper_coverage.read_bytes())
    assert document["coverage"] == committed["coverage"]


def test_an_agents_own_folder_names_its_wrapper(parity: Parity, tmp_path: Path) -> None:
    for name in ("agent.toml", "RULES.json"):
        shutil.copyfile(REPOSITORY / "cli_manifests" / "codex" / name, tmp_path / name)
    out = tmp_path / "wrapper_coverage.json"
    assert parity("wrapper-coverage", "--out", out).code == 0
    committed = json.loads((REPOSITORY / "cli_manifests" / "codex" / "wrapper_coverage.json").read_bytes())
    assert json.loads(out.read_bytes()) == {**committed, "generated_at": TIME}


def test_an_unknown_wrapper(parity: Parity, small: Root) -> None:
    answer = parity("wrapper-coverage", "--wrapper", "nobody", "--out", small.path / "out.json")
    refused(answer, "usage", "'nobody'", "codex", exit_code=2)
    assert not (small.path / "out.json").exists()


def test_no_wrapper_is_named(parity: Parity, small: Root) -> None:
    answer = parity("wrapper-coverage", "--out", small.path / "out.json")
    refused(answer, "usage", "--wrapper", "--from", exit_code=2)


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        ({"target_triples": ["riscv64-x"]}, "$.coverage[0].scope.target_triples[0]"),
        ({"platforms": ["plan9"]}, "$.coverage[0].scope.platforms[0]"),
        ({"platform": []}, "$.coverage[0].scope: object contains unknown field `platform`"),
    ],
)
def test_a_manifest_with_a_scope_that_is_nowhere(
    scope: object, place: str, parity: Parity, small: Root, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    put(manifest, {"schema_version": 1, "coverage": [{"path": [], "level": "explicit", "scope": scope}]})
    answer = parity("wrapper-coverage", "--from", manifest, "--out", small.wrapper_coverage)
    refused(answer, "artifact-invalid", manifest, place)
    assert json.loads(small.wrapper_coverage.read_bytes()) == COVERAGE


def test_rules_without_a_platform_for_a_target(parity: Parity, small: Root, tmp_path: Path) -> None:
    put(small.rules, {"union": {"required_target": LINUX, "expected_targets": [LINUX]}})
    manifest = tmp_path / "manifest.json"
    put(manifest, {"schema_version": 1, "coverage": []})
    answer = parity("wrapper-coverage", "--from", manifest, "--out", small.wrapper_coverage)
    refused(answer, "rules-invalid", "$.union.platform_mapping", LINUX)


# -- version metadata --------------------------------------------------------------------------------


def metadata(parity: Parity, root: Root, status: str, *words: object) -> Answer:
    return parity("version-metadata", "--root", root.path, "--version", "1.2.3", "--status", status, *words)


def test_a_status_that_is_not_earned(parity: Parity, reported: Root) -> None:
    answer = metadata(parity, reported, "validated", "--passed-target", LINUX)
    refused(answer, "gate-failed", "versions/1.2.3.json", f"{LINUX} is not supported")
    refused(metadata(parity, reported, "supported"), "gate-failed", "supported")
    assert not reported.metadata("1.2.3").exists()


def cover_all(parity: Parity, root: Root) -> None:
    run = {"path": ["run"], "level": "explicit", "flags": [{"key": "--fast", "level": "explicit"}]}
    put(root.wrapper_coverage, covered({"path": [], "level": "explicit"}, run))
    assert parity("report", "--root", root.path, "--version", "1.2.3").code == 0


def test_gates_one_after_the_other(parity: Parity, reported: Root) -> None:
    cover_all(parity, reported)
    refused(metadata(parity, reported, "validated"), "gate-failed", f"--passed-target {LINUX}")
    refused(metadata(parity, reported, "validated", "--failed-target", LINUX), "gate-failed", LINUX)
    assert metadata(parity, reported, "validated", "--passed-target", LINUX).code == 0
    assert json.loads(reported.metadata("1.2.3").read_bytes())["validation"]["passed_targets"] == [LINUX]
    before = files(reported)
    refused(metadata(parity, reported, "supported"), "gate-failed", MAC)
    assert files(reported) == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--passed-target", "riscv64-x"), "riscv64-x is not an expected target"),
        (("--passed-target", LINUX, "--failed-target", LINUX), f"{LINUX} is named twice"),
        (("--skipped-target", LINUX, "--skipped-target", LINUX), f"{LINUX} is named twice"),
    ],
)
def test_outcomes_that_cannot_be(words: tuple[str, ...], part: str, parity: Parity, reported: Root) -> None:
    refused(metadata(parity, reported, "reported", *words), "usage", part, exit_code=2)
    assert not reported.metadata("1.2.3").exists()


def test_a_snapshotted_version_has_no_outcomes(parity: Parity, reported: Root) -> None:
    refused(metadata(parity, reported, "snapshotted", "--passed-target", LINUX), "usage", exit_code=2)


def test_reported_needs_a_report(parity: Parity, small: Root) -> None:
    refused(metadata(parity, small, "reported"), "artifact-missing", small.union("1.2.3"))
    union(parity, small)
    refused(metadata(parity, small, "reported"), "artifact-missing", small.report("1.2.3", "any"))
    assert metadata(parity, small, "snapshotted").code == 0
    small.wrapper_coverage.unlink()
    assert metadata(parity, small, "snapshotted").code == 0


# -- the disk ----------------------------------------------------------------------------------------


def full(*_arguments: object, **_keywords: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


STAGES: list[tuple[tuple[str, ...], Callable[[Root], Path]]] = [
    (("union",), lambda root: root.union("1.2.3")),
    (("report",), lambda root: root.report("1.2.3", "any")),
    (("version-metadata", "--status", "reported"), lambda root: root.metadata("1.2.3")),
]


@pytest.mark.parametrize("call", ["os.fsync", "os.fdopen", "pathlib.Path.replace"])
@pytest.mark.parametrize(("words", "place"), STAGES)
def test_a_full_disk_leaves_the_old_files(
    words: tuple[str, ...],
    place: Callable[[Root], Path],
    call: str,
    parity: Parity,
    reported: Root,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert metadata(parity, reported, "reported").code == 0
    before = files(reported)
    with monkeypatch.context() as patched:
        patched.setenv("SOURCE_DATE_EPOCH", "1")  # so that there is something new to write
        patched.setattr(call, full)
        answer = parity(*words, "--root", reported.path, "--version", "1.2.3")
    refused(answer, "write-failed", place(reported), os.strerror(errno.ENOSPC))
    assert files(reported) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root and Windows write anywhere")
def test_a_read_only_folder(parity: Parity, small: Root) -> None:
    small.snapshots("1.2.3").chmod(0o555)
    try:
        refused(union(parity, small), "write-failed", small.union("1.2.3"), "permissions")
    finally:
        small.snapshots("1.2.3").chmod(0o755)


def test_nobody_reads_the_answer(small: Root, parity: Parity) -> None:
    """`parity … | head`: the reader goes away, and no traceback is left behind."""
    assert union(parity, small).code == 0
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "union", "--root", str(small.path), "--version", "1.2.3"],
            cwd=REPOSITORY,
            env=environment(SOURCE_DATE_EPOCH=EPOCH),
            stdout=writing,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
    finally:
        os.close(writing)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 1


# -- a new agent --------------------------------------------------------------------------------------


def test_a_folder_is_drafted_from_a_binary_and_is_valid(parity: Parity, tmp_path: Path) -> None:
    binary = fake(
        tmp_path / "bin", {"--help": {"out": page(commands=("run", "help"))}, "--version": {"out": "tool 1.2.3"}}
    )
    root = Root(tmp_path / "tool")
    answer = parity("onboard", "--root", root.path, "--binary", binary, "--target", LINUX)
    assert answer.code == 0
    assert {Path(line) for line in answer.out.splitlines()} == {path for path in root.path.rglob("*") if path.is_file()}
    text = root.agent.read_text(encoding="utf-8")
    drafted = tomllib.loads(text)
    assert (drafted["tool"], drafted["program"]) == ("tool-cli", "tool")
    assert drafted["help"] == {"dialect": "clap", "style": "listed", "pseudo_commands": ["help"]}
    assert list(drafted["packages"]) == [LINUX]
    assert "tool 1.2.3" in text
    assert parity("validate", "--root", root.path) == Answer(0, "", "no findings\n")
    refused(
        parity("onboard", "--root", root.path, "--binary", binary, "--target", LINUX),
        "usage",
        root.agent,
        exit_code=2,
    )
    assert root.agent.read_text(encoding="utf-8") == text
