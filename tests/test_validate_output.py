"""What validation says and does besides: the same in any environment, one line a finding, and nothing changed."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import REPOSITORY, environment
from hypothesis import given
from hypothesis import strategies as st
from mutating import LINUX, NEW, OLD, Trees, V, alter, copy, find, put

from pipeline import canonical
from pipeline.check import check
from pipeline.validate import Finding, render_json, render_lines
from pipeline.validate.checks import CHECKS

METADATA, ANY = f"versions/{V}.json", f"reports/{V}/coverage.any.json"
CHANGES = (
    put("min_supported.txt", "x"),
    put("supplement/zwei\nZeilen ü \u2028.txt", "?"),
    put(f"versions/{OLD}.json", "{"),
    copy(ANY, f"reports/{V}/coverage.all.json"),
    alter(METADATA, "/artifacts", []),
    alter(METADATA, "/a\nb: SCHEMA_STALE error: ü~0~1", 1),
    alter(ANY, "/deltas", {"a": 1, "b": 2}),
    alter(f"snapshots/{V}/{LINUX}.json", "/generator", {"x\r": 1}),
    alter("wrapper_coverage.json", "/coverage/0/flags/0/scope", {"target_triples": ["b", "a", "\u202e"]}),
    alter("wrapper_coverage.json", "/coverage/2/note", " "),
    alter("artifacts.lock.json", "/rows/0/version", "1\n2"),
    alter(f"snapshots/{NEW}/union.json", "/commands/0/about", "Another."),
    put(f"reports/{NEW}/coverage.any.md", ""),
)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return Trees(tmp_path_factory.mktemp("trees"))


@pytest.fixture(scope="module")
def broken(trees: Trees, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with findings of many kinds, in an order and with characters that invite mistakes; not to be changed."""
    root = trees.copy("validated", tmp_path_factory.mktemp("broken") / "codex")
    for change in CHANGES:
        change(root)
    return root


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    """Path → kind, times and content of all that is in a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            (seen := path.lstat()).st_mode,
            seen.st_mtime_ns,
            seen.st_ctime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("option", ["lines", "json"])
def test_output_is_the_same_from_run_to_run_and_in_any_environment(option: str, broken: Path) -> None:
    environments: tuple[dict[str, str], ...] = (
        {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
        {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu", "COLUMNS": "20"},
        {"PYTHONHASHSEED": "4711", "LC_ALL": "tr_TR.ISO-8859-9", "TZ": "America/St_Johns", "NO_COLOR": "1"},
    )
    outputs = set()
    for variables in environments:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", "validate", "--root", broken, *(["--json"] * (option == "json"))],
            cwd=REPOSITORY,
            env=environment(PYTHONIOENCODING="utf-8", **variables),
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 3, done.stderr
        outputs.add(done.stdout)
    found = find(broken)
    [output] = outputs
    assert output.replace(b"\r\n", b"\n") == (render_json(found) if option == "json" else render_lines(found).encode())


def test_json_and_lines_say_the_same_in_the_same_order(broken: Path) -> None:
    found = find(broken)
    document = canonical.loads(render_json(found), "findings")
    assert (list(document), document["ok"]) == (["ok", "findings"], False)
    listed = [canonical.convert(one, Finding, "findings") for one in document["findings"]]
    assert listed == found == sorted(set(found), key=Finding.order)
    assert len(found) > len(CHANGES)


def test_no_name_and_no_key_breaks_a_line(broken: Path) -> None:
    found = find(broken)
    lines = render_lines(found).split("\n")
    assert (len(lines), lines.pop()) == (len(found) + 1, "")
    for one, line in zip(found, lines, strict=True):
        assert len(line.splitlines()) == 1
        assert line.isprintable()
        assert f": {one.code} {one.severity}: " in line
        # A key of a file can look like the end of the place; the first code is the finding's own all the same.
        assert line.startswith(one.path.partition("\n")[0])
    assert {one.code for one in found} >= {"ORPHAN", "VERSION_METADATA_SCHEMA_INVALID", "LOCK_ROW_INVALID"}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_a_name_that_is_no_text_is_told_all_the_same(trees: Trees, tmp_path: Path) -> None:
    root = trees.copy("small", tmp_path / "codex")
    Path(os.fsdecode(os.fsencode(root / "snapshots" / OLD) + b"/\xff.json")).write_bytes(b"{}")
    [finding] = find(root)
    assert (finding.code, finding.path) == ("ORPHAN", f"snapshots/{OLD}/\ufffd.json")
    assert render_lines([finding]).encode()
    assert canonical.loads(render_json([finding]), "findings")["findings"][0]["path"] == finding.path


def test_no_finding_is_ok() -> None:
    assert render_lines([]) == ""
    assert render_json([]) == b'{\n  "ok": true,\n  "findings": []\n}\n'


CODES = st.sampled_from([check.code for check in CHECKS])
TEXT = st.text()


@given(st.lists(st.builds(Finding, code=CODES, path=TEXT, json_pointer=st.none() | TEXT, message=TEXT)))
def test_any_text_of_a_finding_survives_json_and_stays_on_its_line(findings: list[Finding]) -> None:
    document = canonical.loads(render_json(findings), "findings")
    assert [one["message"] for one in document["findings"]] == [one.message for one in findings]
    assert len(render_lines(findings).splitlines()) == len(findings)


# -- validation only looks ---------------------------------------------------------------------------


def no_socket(*_arguments: object, **_named: object) -> Any:
    raise AssertionError("validation opened a socket")


@pytest.mark.parametrize("recompute", [True, False])
def test_nothing_is_written_and_nobody_is_asked(
    recompute: bool, broken: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(socket, "socket", no_socket)
    monkeypatch.setattr(socket, "getaddrinfo", no_socket)
    monkeypatch.setenv("CLI_PARITY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    before = state(broken.parent)
    found = check(broken, recompute=recompute).findings
    assert state(broken.parent) == before
    assert (found == find(broken)) is recompute
    outside = {path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*")}
    assert outside <= {("cache",), ("cache", "locks")}


def test_a_schema_that_refers_to_another_place_is_not_fetched(
    trees: Trees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", no_socket)
    root = trees.copy("small", tmp_path / "codex")
    alter("SCHEMA.json", "/$defs/Snapshot/properties/tool", {"$ref": "https://example.com/schema.json"})(root)
    [finding] = find(root)
    assert (finding.code, finding.path) == ("SCHEMA_VALIDATION_FAILED", "SCHEMA.json")


def test_what_is_not_derived_again_is_all_that_a_fast_look_leaves_out(broken: Path) -> None:
    slow = {one.code for one in CHECKS if one.recomputes}
    whole, fast = find(broken), check(broken, recompute=False).findings
    assert fast == [one for one in whole if one.code not in slow]
    assert {one.code for one in whole} & slow
