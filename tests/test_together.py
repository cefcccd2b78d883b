"""Two processes at once on one tree: one waits for the other and says so, and the tree is as if they had taken turns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest
from changing import State, state
from checkout import REPOSITORY, Checkout, environment, fresh_checkout
from mutating import alter, delete, find, put
from small_tree import LINUX, PASSED, build, loosen, make, make_workspace, unvalidate

from pipeline import cli, stages, upkeep
from pipeline.cache import cache_folder
from pipeline.check import check
from pipeline.contract.folder import open_folder
from pipeline.transaction.hold import exclusive

OLDEST, V, NEWER = VERSIONS = ("0.9.0", "1.0.0", "1.1.0")
PROMOTE = ("promote", "--passed-target", LINUX, "--version")
RETAIN, FIX, VALIDATE = ("retain", "--apply"), ("validate", "--mode", "fix"), ("validate",)
SECONDS = 300


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions; the oldest is validated, and retention keeps one validated version."""
    root = make(tmp_path_factory.mktemp("together") / "tool", *VERSIONS)
    alter("RULES.json", "/storage/retention/keep_last_validated", 1)(root)
    build(root)
    upkeep.promote(open_folder(root), OLDEST, PASSED)
    return root


@contextmanager
def started(*commands: Sequence[str], cwd: Path = REPOSITORY) -> Iterator[list[subprocess.Popen[str]]]:
    """``python -m command…`` of each, at once; what has not ended after a while is killed."""
    env = environment(CLI_PARITY_CACHE=str(cache_folder()))
    running = [
        subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for command in commands
    ]
    limits = [threading.Timer(SECONDS, process.kill) for process in running]
    for limit in limits:
        limit.start()
    try:
        yield running
    finally:
        for process, limit in zip(running, limits, strict=True):
            process.kill()
            process.communicate()
            limit.cancel()


def finished(running: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """The exit code and all text of each."""
    texts = ["".join(process.communicate()) for process in running]
    return [(process.returncode, text) for process, text in zip(running, texts, strict=True)]


PAIRS = {
    "promote, promote": ((*PROMOTE, V), (*PROMOTE, V)),
    "promote, promote a later one": ((*PROMOTE, V), (*PROMOTE, NEWER)),
    "promote, retain": ((*PROMOTE, NEWER), RETAIN),
    "promote, fix": ((*PROMOTE, V), FIX),
    "promote, rebuild": ((*PROMOTE, V), ("union", "--version", V), ("report", "--version", V)),
    "promote, validate": ((*PROMOTE, V), VALIDATE),
    "retain, validate": (RETAIN, VALIDATE),
    "retain, retain": (RETAIN, RETAIN),
    "fix, fix": (FIX, FIX),
}


@dataclass(frozen=True)
class Pair:
    """Commands on one tree, and how the tree may be once all have had their turn."""

    root: Path
    commands: Sequence[Sequence[str]]
    turns: Sequence[State]

    def started(self) -> AbstractContextManager[list[subprocess.Popen[str]]]:
        return started(*(["pipeline.cli", *words, "--root", str(self.root)] for words in self.commands))

    def check(self, running: Sequence[subprocess.Popen[str]]) -> None:
        """Wait for all: each did what it was asked for, or said why it cannot be any more."""
        ends = finished(running)
        assert state(self.root) in self.turns
        assert [path.name for path in self.root.parent.iterdir()] == [self.root.name]
        assert find(self.root) == []
        for words, (code, text) in zip(self.commands, ends, strict=True):
            assert "Traceback" not in text
            assert code == 0 or (words[0] == "promote" and "is validated already" in text), text


@pytest.fixture(params=PAIRS.values(), ids=PAIRS)
def pair(request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> Pair:
    """With something to do for each command, which leaves the tree valid for the others."""
    root = Path(shutil.copytree(made, tmp_path / "work" / "tool"))
    if RETAIN in request.param:
        upkeep.promote(open_folder(root), V, PASSED)
    if FIX in request.param:
        delete(f"pointers/latest_supported/{LINUX}.txt")(root)
    turns = [in_turn(root, order, tmp_path / "turn") for order in permutations(request.param)]
    return Pair(root, request.param, turns)


def in_turn(root: Path, commands: Sequence[Sequence[str]], place: Path) -> State:
    """The tree after one command after the other."""
    copy = Path(shutil.copytree(root, place / "tool"))
    for words in commands:
        cli.main([*words, "--root", str(copy)])
    found = state(copy)
    shutil.rmtree(place)
    return found


def test_who_finds_the_tree_held_says_so_and_takes_its_turn(pair: Pair) -> None:
    with ExitStack() as holding:
        holding.enter_context(exclusive(pair.root))
        before = state(pair.root)
        with pair.started() as running:
            for process in running:
                assert process.stderr
                assert process.stderr.readline() == f"{pair.root}: waiting for another run that holds it\n"
            assert state(pair.root) == before
            assert [process.poll() for process in running] == [None for _ in running]
            holding.close()
            pair.check(running)


def test_started_at_once_they_leave_what_they_leave_one_after_the_other(pair: Pair) -> None:
    with exclusive(pair.root):
        pass  # from now on whoever reads asks who writes
    with pair.started() as running:
        pair.check(running)


def test_two_agents_of_a_workspace_are_promoted_at_once(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "work" / "cli_manifests", "first", "second")
    words = [["pipeline.cli", *PROMOTE, V, "--root", str(workspace / agent)] for agent in ("first", "second")]
    with started(*words, ["pipeline.cli", "support-matrix", "--root", str(workspace)]) as running:
        ends = finished(running)
    assert [code for code, _ in ends] == [0, 0, 0], ends
    assert check(workspace).findings == []
    assert {(workspace / agent / "latest_validated.txt").read_text() for agent in ("first", "second")} == {f"{V}\n"}
    assert [path.name for path in workspace.parent.iterdir()] == [workspace.name]


# -- builds -----------------------------------------------------------------------------------------

CODEX = "0.125.0"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose rules allow every level, with a version that can be promoted; `doit` has nothing to do."""
    checkout = fresh_checkout(tmp_path_factory.mktemp("together") / "checkout")
    unvalidate(checkout.root)
    loosen(checkout.root)
    for _ in range(2):
        run = checkout.doit()
        assert run.code == 0, run.text
        stages.version_metadata(open_folder(checkout.root), CODEX, validation=PASSED)
    run = checkout.doit()
    assert run.code == 0, run.text
    return checkout


@contextmanager
def doits(checkout: Checkout, *words: Sequence[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Some `doit` at once, each of which waits for the agent's folder until the block is entered."""
    with ExitStack() as holding:
        holding.enter_context(exclusive(checkout.root))
        with started(*(["doit", *one] for one in words), cwd=checkout.path) as running:
            for process in running:
                assert process.stderr
                line = process.stderr.readline()
                assert line.endswith(": waiting for another run that holds it\n")
            holding.close()
            yield running


@pytest.mark.flow
def test_two_builds_at_once_leave_what_one_leaves(built: Checkout, tmp_path: Path) -> None:
    checkout = built.copy(tmp_path / "checkout")
    good = checkout.digests()
    for change in (
        put("wrapper_coverage.json", "{"),
        delete(f"snapshots/{CODEX}/union.json"),
        delete(f"reports/{CODEX}"),
        put(f"reports/{CODEX}/coverage.older.json", "{}"),
        delete("versions/0.61.0.json"),
        delete("../support_matrix/README.md"),
    ):
        change(checkout.root)
    with doits(checkout, (), ()) as running:
        ends = finished(running)
    assert [code for code, _ in ends] == [0, 0], ends
    settled(checkout, good)


@pytest.mark.flow
def test_a_promotion_during_a_build_is_as_if_it_came_before_or_after(built: Checkout, tmp_path: Path) -> None:
    one_by_one = built.copy(tmp_path / "one by one")
    for words in ([f"promote:codex:{CODEX}"], []):
        run = one_by_one.doit(*words)
        assert run.code == 0, run.text
    checkout = built.copy(tmp_path / "checkout")
    stat = (checkout.path / "pipeline" / "canonical.py").stat()
    os.utime(checkout.path / "pipeline" / "canonical.py", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000_000))
    with doits(checkout, [f"promote:codex:{CODEX}"], ()) as running:
        ends = finished(running)
    assert [code for code, _ in ends] == [0, 0], ends
    settled(checkout, one_by_one.digests())


def settled(checkout: Checkout, expected: dict[str, str]) -> None:
    """Every file is as it has to be, the next build changes nothing, and the one after it does nothing."""
    assert checkout.digests() == expected
    run = checkout.doit()
    assert run.code == 0, run.text
    assert checkout.digests() == expected
    assert checkout.doit().executed == []
