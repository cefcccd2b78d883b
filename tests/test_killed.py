"""Killed at every change, or with a full disk: the old files or the new ones, and the next run puts all in order."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from changing import State, state
from checkout import REPOSITORY, environment, fresh_checkout
from killing import failures, kills, run_until_killed
from mutating import Change, alter, delete, put
from small_tree import LINUX, PASSED, build, make, make_workspace

from pipeline import cli, upkeep
from pipeline.cache import cache_folder
from pipeline.contract.folder import open_folder

V, OLDER = "1.0.0", "0.9.0"
ONE = {"targets": (LINUX,), "expected": (LINUX,)}
PROMOTE = ["promote", "--version", V, "--passed-target", LINUX]
swaps = pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="folders cannot swap names in one step")


def surroundings(**variables: str) -> dict[str, Any]:
    """How the process that is killed is run: from this checkout, with this process's cache."""
    return {"cwd": REPOSITORY, "env": environment(CLI_PARITY_CACHE=str(cache_folder()), **variables)}


def shown(folder: Path) -> State:
    """All that is in the folder and is not hidden."""
    return {path: one for path, one in state(folder).items() if not any(map(hidden, path.split("/")))}


def hidden(name: str) -> bool:
    return name.startswith(".")


@dataclass(frozen=True)
class Case:
    """A command on a folder, the folder as it is before, and as the command leaves it.

    ``place`` holds nothing but the folder. ``agent`` is where the command works, if that is not the folder itself.
    """

    folder: Path
    words: Sequence[str]
    agent: str = ""

    @property
    def arguments(self) -> list[str]:
        return [*self.words, "--root", str(self.folder / self.agent)]

    def again(self) -> None:
        """Make the folder as it was before."""
        shutil.rmtree(self.folder.parent)
        shutil.copytree(self._before, self.folder.parent, symlinks=True)

    @property
    def _before(self) -> Path:
        return self.folder.parents[1] / "before"

    def ends(self) -> tuple[State, State]:
        """The folder before and after; it is as before again."""
        shutil.copytree(self.folder.parent, self._before, symlinks=True)
        before = state(self.folder)
        assert cli.main(self.arguments) == 0
        after = state(self.folder)
        self.again()
        assert before != after
        return before, after

    def finish(self, after: State) -> None:
        """Run the command to its end: the folder is as it has to be, nothing is left over, and all is valid."""
        assert cli.main(self.arguments) == 0
        assert state(self.folder) == after
        assert [path.name for path in self.folder.parent.iterdir()] == [self.folder.name]
        assert cli.main(["validate", "--root", str(self.folder)]) == 0


# -- what is done -----------------------------------------------------------------------------------


def promoting(place: Path) -> Case:
    return Case(make(place / "tool", V, **ONE), PROMOTE)


def promoting_in_a_workspace(place: Path) -> Case:
    return Case(make_workspace(place / "cli_manifests", "tool", **ONE), PROMOTE, agent="tool")


def retaining(place: Path) -> Case:
    root = make(place / "tool", OLDER, V, **ONE)
    alter("RULES.json", "/storage/retention/keep_last_validated", 1)(root)
    build(root)
    for version in (OLDER, V):
        upkeep.promote(open_folder(root), version, PASSED)
    return Case(root, ["retain", "--apply"])


def fixing(place: Path) -> Case:
    root = make(place / "tool", V, **ONE)
    upkeep.promote(open_folder(root), V, PASSED)
    for change in (delete("current.json"), put("min_supported.txt", "none"), put("latest_validated.txt", f"\n{V}\r\n")):
        change(root)
    return Case(root, ["validate", "--mode", "fix"])


def damaged(*words: str, agent: str = "tool", **changes: Change) -> Callable[[Path], Case]:
    """A valid workspace in which the outputs of one stage, and nothing else, are not as the stage ``words`` leaves them."""

    def make_case(place: Path) -> Case:
        workspace = make_workspace(place / "cli_manifests", "tool", **ONE)
        for change in changes.values():
            change(workspace)
        return Case(workspace, words, agent)

    return make_case


UNION, REPORTS, METADATA = f"tool/snapshots/{V}/union.json", f"tool/reports/{V}", f"tool/versions/{V}.json"
MATRIX, PAGE = "support_matrix/current.json", "support_matrix/README.md"
REPORT = ("report", "--version", V)
CASES = {
    "promote": (promoting, 1),
    "promote in a workspace": (promoting_in_a_workspace, 1),
    "retain": (retaining, 1),
    "fix": (fixing, 1),
    "union": (damaged("union", "--version", V, union=put(UNION, "{")), 1),
    "report": (
        damaged(
            *REPORT,
            lost=delete(f"{REPORTS}/coverage.any.json"),
            other=put(f"{REPORTS}/coverage.all.json", "{}"),
            surplus=put(f"{REPORTS}/coverage.older.json", "{}"),
        ),
        1,
    ),
    "first report": (damaged(*REPORT, lost=delete(REPORTS)), 3),
    "version-metadata": (
        damaged("version-metadata", "--version", V, "--status", "reported", other=put(METADATA, "{")),
        1,
    ),
    "support-matrix": (damaged("support-matrix", agent="", rows=alter(MATRIX, "/rows", []), page=delete(PAGE)), 1),
    "first support-matrix": (damaged("support-matrix", agent="", lost=delete("support_matrix")), 1),
}


# -- killed -----------------------------------------------------------------------------------------


@swaps
@pytest.mark.parametrize(("make_case", "step"), CASES.values(), ids=CASES)
def test_what_is_killed_is_done_or_not_begun(make_case: Callable[[Path], Case], step: int, tmp_path: Path) -> None:
    case = make_case(tmp_path / "work")
    before, after = case.ends()
    seen = []
    for _ in kills(["pipeline.cli", *case.arguments], watch=case.folder, step=step, **surroundings()):
        found = shown(case.folder)
        assert found in (before, after)
        seen.append(found == after)
        case.finish(after)
        case.again()
    assert seen == sorted(seen), "old up to one step, new from there on"
    assert False in seen
    assert state(case.folder) == after


WITHOUT_SWAP = """
import sys
from pipeline import cli
from pipeline.transaction import replace

replace._exchange = lambda one, other: False
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("make_case", [promoting, retaining])
def test_where_folders_cannot_swap_names_the_next_run_goes_through_with_it(
    make_case: Callable[[Path], Case], tmp_path: Path
) -> None:
    case = make_case(tmp_path / "work")
    before, after = case.ends()
    (tmp_path / "without_swap.py").write_text(WITHOUT_SWAP, encoding="utf-8")
    mixed = 0
    around = surroundings(PYTHONPATH=str(tmp_path))
    for _ in kills(["without_swap", *case.arguments], watch=case.folder, step=6, **around):
        if shown(case.folder) not in (before, after):
            mixed += 1
            assert (case.folder.parent / f".{case.folder.name}.commit").is_dir()
        case.finish(after)
        case.again()
    assert mixed, "which is why folders swap names where they can"
    assert state(case.folder) == after


@swaps
@pytest.mark.parametrize("make_case", [promoting, retaining])
def test_killed_again_and_again_it_is_done_all_the_same(make_case: Callable[[Path], Case], tmp_path: Path) -> None:
    """Nothing is put back: what one run left, the next one meets."""
    case = make_case(tmp_path / "work")
    before, after = case.ends()
    for at in range(1, 1000, 12):
        outcome = run_until_killed(["pipeline.cli", *case.arguments], at, watch=case.folder, **surroundings())
        assert shown(case.folder) in (before, after)
        if not outcome.killed:
            break
    assert outcome.code == 0
    case.finish(after)


# -- a full disk ------------------------------------------------------------------------------------

FULL = ("promote", "union", "report", "version-metadata", "support-matrix")


@swaps
@pytest.mark.parametrize("make_case", [CASES[name][0] for name in FULL], ids=FULL)
def test_a_full_disk_leaves_the_old_files_and_is_told_in_one_line(
    make_case: Callable[[Path], Case], tmp_path: Path
) -> None:
    case = make_case(tmp_path / "work")
    before, after = case.ends()
    codes = set()
    for outcome in failures(["pipeline.cli", *case.arguments], watch=case.folder, **surroundings()):
        codes.add(outcome.code)
        assert shown(case.folder) == (before if outcome.code else after)
        told = [line for line in outcome.err.splitlines() if not line.startswith("killing.py: ")]
        if outcome.code:
            assert [line.partition(": ")[0] for line in told] == ["error[write-failed]"]
            assert "No space left on device" in told[0]
        case.finish(after)
        case.again()
    assert 1 in codes
    assert codes <= {0, 1}


# -- a build ----------------------------------------------------------------------------------------


@swaps
@pytest.mark.flow
def test_a_build_that_is_killed_leaves_each_stage_done_or_not_begun(tmp_path: Path) -> None:
    checkout = fresh_checkout(tmp_path / "checkout")
    assert checkout.doit(PYTHONDONTWRITEBYTECODE="").code == 0
    version = "0.61.0"
    stages = {
        row["task"]: row["outputs"]
        for row in json.loads(checkout.doit("plan", "--json").out)
        if row["outputs"] and row["task"].partition(":")[0] != "findings"
    }
    damage: dict[str, Change] = {
        "SCHEMA.json": put("SCHEMA.json", "{}"),
        "wrapper_coverage.json": put("wrapper_coverage.json", "{"),
        f"snapshots/{version}/union.json": delete(f"snapshots/{version}/union.json"),
        f"reports/{version}/coverage.any.json": put(f"reports/{version}/coverage.any.json", "{"),
        f"reports/{version}/coverage.any.md": delete(f"reports/{version}/coverage.any.md"),
        f"reports/{version}/coverage.{LINUX}.json": put(f"reports/{version}/coverage.{LINUX}.json", "{}"),
        f"versions/{version}.json": put(f"versions/{version}.json", "{"),
        "../support_matrix/current.json": put("../support_matrix/current.json", "{}"),
        "../support_matrix/README.md": delete("../support_matrix/README.md"),
    }

    def outputs() -> dict[str, list[bytes | None]]:
        found = {task: [checkout.path / path for path in paths] for task, paths in stages.items()}
        return {task: [path.read_bytes() if path.exists() else None for path in paths] for task, paths in found.items()}

    built, good = checkout.digests(), outputs()
    for change in damage.values():
        change(checkout.root)
    bad = outputs()
    # Compiled once, not in each of its many runs.
    variables = {"CLI_PARITY_CACHE": str(cache_folder()), "PYTHONDONTWRITEBYTECODE": ""}
    around = {"cwd": checkout.path, "env": environment(**variables)}
    steps = 0
    for _ in kills(["doit"], watch=checkout.root.parent, step=6, **around):
        steps += 1
        for task, found in outputs().items():
            assert found in (bad[task], good[task]), task
        run = checkout.doit(**variables)
        assert run.code == 0, run.text
        assert checkout.digests() == built
        for change in damage.values():
            change(checkout.root)
    assert steps > 5
    assert checkout.digests() == built
