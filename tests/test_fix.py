"""`parity validate --mode fix`: what is mechanical is put right, told and nothing else touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from changing import State, state
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutating import Change, alter, delete, find, folder, put
from small_tree import LINUX, PASSED, WINDOWS, build, make, make_workspace, pointed

from pipeline import cli, upkeep
from pipeline.contract.folder import open_folder

V = "1.0.0"
SUPPORTED, VALIDATED = (f"pointers/{kind}/{LINUX}.txt" for kind in ("latest_supported", "latest_validated"))
OTHER = f"pointers/latest_validated/{WINDOWS}.txt"
MINIMUM, LATEST = "min_supported.txt", "latest_validated.txt"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version that is validated, and the minimum too."""
    root = make(tmp_path_factory.mktemp("fix") / "tool", V)
    upkeep.promote(open_folder(root), V, PASSED)
    put(MINIMUM, f"{V}\n")(root)
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "work" / "tool"))


class Fixing:
    """Runs of ``parity validate --mode fix``."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capsys = capsys

    def run(self) -> tuple[int, list[str]]:
        """The exit code and the lines of standard output. What is said to be fixed is what changed, and all of it."""
        before = state(self.root)
        self._capsys.readouterr()
        code = cli.main(["validate", "--mode", "fix", "--root", str(self.root)])
        lines = self._capsys.readouterr().out.splitlines()
        fixed = [line.removeprefix("fixed: ").partition(": ")[0] for line in lines if line.startswith("fixed: ")]
        assert sorted(fixed) == changed(before, state(self.root))
        assert lines[len(fixed) :] == [line for line in lines if not line.startswith("fixed: ")], (
            "what it did comes first"
        )
        return code, lines


def changed(before: State, after: State) -> list[str]:
    """The files that are not as they were; folders come and go with them."""
    return sorted(path for path in before.keys() | after.keys() if differs(before.get(path), after.get(path)))


def differs(one: tuple[object, ...] | None, other: tuple[object, ...] | None) -> bool:
    return one != other and any(found and found[1] is not None for found in (one, other))


@pytest.fixture
def fixing(root: Path, capsys: pytest.CaptureFixture[str]) -> Fixing:
    return Fixing(root, capsys)


def test_in_a_sound_tree_nothing_changes(fixing: Fixing) -> None:
    assert fixing.run() == (0, [])


# -- pointers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        V,
        f"{V}\n\n",
        f"\n{V}\n",
        f"\n\n{V}",
        f" {V} \n",
        f"\t{V}",
        f"{V}\r\n",
        f"{V}\r\n\r\n",
        f"{V}\r",
        f"{V}\n{V}\n",
        f"{V}\u2028",
    ],
)
@pytest.mark.parametrize("pointer", [MINIMUM, LATEST, VALIDATED])
def test_one_line_is_what_a_pointer_says_however_it_is_written(pointer: str, content: str, fixing: Fixing) -> None:
    put(pointer, content)(fixing.root)
    code, [line] = fixing.run()
    assert code == 0
    assert line.startswith(f"fixed: {pointer}: ")
    assert line.endswith("is one line and a newline now")
    assert (fixing.root / pointer).read_bytes() == f"{V}\n".encode()
    assert fixing.run() == (0, [])


@pytest.mark.parametrize("content", ["none", "none\r\n", "\n none \n"])
def test_none_is_such_a_line(content: str, fixing: Fixing) -> None:
    put(OTHER, content)(fixing.root)
    assert fixing.run()[0] == 0
    assert (fixing.root / OTHER).read_bytes() == b"none\n"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (f"{V}\n1.1.0\n", "POINTER_INVALID_FORMAT"),
        (f"none\n{V}\n", "POINTER_INVALID_FORMAT"),
        ("", "POINTER_INVALID_FORMAT"),
        ("\n", "POINTER_INVALID_VALUE"),
        (" \n\n", "POINTER_INVALID_FORMAT"),
        (b"\xff\n", "POINTER_UNREADABLE"),
        (f"{V}\n" * 500, "POINTER_UNREADABLE"),
        (f"v{V}\n", "POINTER_INVALID_VALUE"),
        ("1.0.0-rc.1\n", "POINTER_INVALID_VALUE"),
    ],
)
def test_what_somebody_has_to_decide_stays_and_is_told(content: str | bytes, code: str, fixing: Fixing) -> None:
    put(MINIMUM, content)(fixing.root)
    exit_code, lines = fixing.run()
    assert exit_code == 3
    assert [line for line in lines if code in line and line.startswith(f"{MINIMUM}: ")] == lines != []


def test_a_folder_in_a_pointers_place_stays(fixing: Fixing) -> None:
    folder(OTHER)(fixing.root)
    code, [line] = fixing.run()
    assert (code, "POINTER_UNREADABLE" in line) == (3, True)


def test_a_wrong_value_gets_its_form_and_is_told(fixing: Fixing) -> None:
    put(OTHER, f"v{V}")(fixing.root)
    code, [fixed, found] = fixing.run()
    assert code == 3
    assert fixed.startswith(f"fixed: {OTHER}: ")
    assert found.startswith(f"{OTHER}: POINTER_INVALID_VALUE ")
    assert (fixing.root / OTHER).read_bytes() == f"v{V}\n".encode()


def test_missing_pointers_of_targets_say_none(fixing: Fixing) -> None:
    shutil.rmtree(fixing.root / "pointers" / "latest_supported")
    delete(OTHER)(fixing.root)
    code, lines = fixing.run()
    assert code == 0
    created = [f"pointers/latest_supported/{target}.txt" for target in (LINUX, WINDOWS)] + [OTHER]
    assert lines == [f"fixed: {pointer}: was missing, says none now" for pointer in created]
    assert {(fixing.root / pointer).read_bytes() for pointer in created} == {b"none\n"}


def test_a_pointer_that_is_made_up_does_not_hide_that_it_was_lost(fixing: Fixing) -> None:
    delete(VALIDATED)(fixing.root)
    code, [_, found] = fixing.run()
    assert code == 3
    assert found.startswith(f"{LATEST}: POINTER_LATEST_VALIDATED_MISMATCH ")


@pytest.mark.parametrize("allowed", [True, False])
def test_missing_root_pointers_are_made_only_where_the_rules_allow_none(allowed: bool, fixing: Fixing) -> None:
    alter("RULES.json", "/versioning/pointers/root_pointers_allow_none", allowed)(fixing.root)
    build(fixing.root)
    delete(MINIMUM)(fixing.root)
    code, [line] = fixing.run()
    if allowed:
        assert (code, line) == (0, f"fixed: {MINIMUM}: was missing, says none now")
    else:
        assert (code, line.split()[1]) == (3, "POINTER_MISSING_FILE")
        assert not (fixing.root / MINIMUM).exists()


# -- current.json -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (delete("current.json"), f"was missing, is a copy of the union of {V} now"),
        (alter("current.json", "/complete", False), f"differed from the union of {V}, is a copy of it now"),
        (put("current.json", "{"), f"differed from the union of {V}, is a copy of it now"),
    ],
)
def test_current_json_becomes_a_copy_of_the_latest_validated_union(change: Change, what: str, fixing: Fixing) -> None:
    change(fixing.root)
    assert fixing.run() == (0, [f"fixed: current.json: {what}"])
    assert (fixing.root / "current.json").read_bytes() == (fixing.root / f"snapshots/{V}/union.json").read_bytes()


def test_a_fixed_pointer_counts_for_current_json_already(fixing: Fixing) -> None:
    put(LATEST, V)(fixing.root)
    delete("current.json")(fixing.root)
    code, lines = fixing.run()
    assert (code, [line.split(": ")[1] for line in lines]) == (0, [LATEST, "current.json"])
    assert fixing.run() == (0, [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([put(LATEST, "none\n"), put(VALIDATED, "none\n")], "CURRENT_UNEXPECTED"),
        ([put(LATEST, f"{V}\n1.1.0\n"), put("current.json", "{")], "CURRENT_INVALID_JSON"),
        ([delete(f"snapshots/{V}/union.json"), delete("current.json")], "CURRENT_MISSING"),
        ([folder("current.json")], "FILE_UNREADABLE"),
    ],
)
def test_where_nothing_says_what_it_should_be_it_stays(changes: Sequence[Change], code: str, fixing: Fixing) -> None:
    for change in changes:
        change(fixing.root)
    exit_code, lines = fixing.run()
    assert exit_code == 3
    assert any(line.startswith("current.json") and code in line for line in lines)
    assert not any(line.startswith("fixed: ") for line in lines)


# -- what it says, and what it leaves alone ---------------------------------------------------------


def break_much(root: Path) -> None:
    for change in (
        put(MINIMUM, f"{V}\r\n"),
        put(LATEST, V),
        delete(OTHER),
        put(SUPPORTED, f"\n{V}"),
        delete("current.json"),
        put(f"versions/{V}.json", "{"),
        put(f"snapshots/{V}/notes.txt", "precious"),
    ):
        change(root)


def test_text_and_json_say_the_same(root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    break_much(root)
    twin = Path(shutil.copytree(root, tmp_path / "twin"))
    assert cli.main(["validate", "--mode", "fix", "--root", str(root)]) == 3
    text = capsys.readouterr()
    assert cli.main(["validate", "--mode", "fix", "--json", "--root", str(twin)]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    fixed = [line for line in text.out.splitlines() if line.startswith("fixed: ")]
    assert document["fixed"] == fixed
    assert [line.split(": ")[1] for line in fixed] == [MINIMUM, LATEST, SUPPORTED, OTHER, "current.json"]
    assert len(text.out.splitlines()) == len(fixed) + len(document["findings"])
    assert text.err == f"{len(document['findings'])} findings\n"
    assert {one["code"] for one in document["findings"]} >= {"VERSION_METADATA_INVALID_JSON", "ORPHAN"}
    assert state(root) == state(twin)


def test_json_has_an_empty_list_where_nothing_was_to_be_done(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", "--mode", "fix", "--json", "--root", str(root)]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "fixed": [], "findings": []}
    assert cli.main(["validate", "--json", "--root", str(root)]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "findings": []}


def test_checking_alone_changes_nothing(root: Path) -> None:
    break_much(root)
    before = state(root.parent)
    assert cli.main(["validate", "--root", str(root)]) == 3
    assert state(root.parent) == before


def test_the_second_time_nothing_is_written(fixing: Fixing) -> None:
    break_much(fixing.root)
    _, lines = fixing.run()
    times = {path: path.stat().st_mtime_ns for path in fixing.root.rglob("*")}
    _, again = fixing.run()
    assert again == [line for line in lines if not line.startswith("fixed: ")]
    assert times == {path: path.stat().st_mtime_ns for path in fixing.root.rglob("*")}


def test_each_agent_of_a_workspace_is_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace(tmp_path / "cli_manifests", "first", "second")
    delete(f"first/{OTHER}")(workspace)
    put(f"second/{MINIMUM}", "none")(workspace)
    before = state(workspace)
    assert cli.main(["validate", "--mode", "fix", "--root", str(workspace)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in lines] == [f"first/{OTHER}", f"second/{MINIMUM}"]
    assert changed(before, state(workspace)) == [f"first/{OTHER}", f"second/{MINIMUM}"]


def test_nothing_is_written_through_a_link_that_leads_out(root: Path) -> None:
    (root / "pointers").rename(root.parent / "outside")
    (root / "pointers").symlink_to("../outside", target_is_directory=True)
    delete(OTHER)(root)
    before = state(root.parent)
    assert cli.main(["validate", "--mode", "fix", "--root", str(root)]) == 1
    assert state(root.parent) == before


LINES = st.lists(st.sampled_from(["", " ", "none", V, "1.1.0", f" {V}", "x", "\r", "ü"]), max_size=4)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(lines=LINES, end=st.sampled_from(["", "\n", "\r\n"]), pointer=st.sampled_from([MINIMUM, LATEST, OTHER]))
def test_a_pointer_keeps_what_it_says_or_stays_as_it_is(
    lines: list[str], end: str, pointer: str, made: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(made, tmp_path / "again" / "tool"))
    try:
        content = "\n".join(lines) + end
        put(pointer, content)(root)
        before = state(root)
        cli.main(["validate", "--mode", "fix", "--root", str(root)])
        found = {word for line in content.splitlines() if (word := line.strip())}
        fixed = (root / pointer).read_bytes().decode()
        assert fixed in (content, "".join(f"{line}\n" for line in found) if len(found) == 1 else content)
        assert set(changed(before, state(root))) <= {pointer}
        format_problem = {one.path for one in find(root) if one.code == "POINTER_INVALID_FORMAT"}
        assert (pointer in format_problem) <= (len(found) != 1)
        after = state(root)
        cli.main(["validate", "--mode", "fix", "--root", str(root)])
        assert state(root) == after
    finally:
        shutil.rmtree(root.parent)


def test_pointers_may_be_lost_one_and_all(fixing: Fixing) -> None:
    before = pointed(fixing.root)
    shutil.rmtree(fixing.root / "pointers")
    for pointer in (MINIMUM, LATEST):
        delete(pointer)(fixing.root)
    code, lines = fixing.run()
    assert len([line for line in lines if line.startswith("fixed: ")]) == 6
    assert (code, pointed(fixing.root)) == (3, {})
    assert before
    assert any(line.startswith("current.json: CURRENT_UNEXPECTED ") for line in lines), "of which it is the last trace"
