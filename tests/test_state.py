"""doit's record of what ran: whole at any time, and nothing to stumble over when it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPOSITORY, Checkout, environment, fresh_checkout
from doit.dependency import JSONCodec
from doit.exceptions import InvalidCommand
from killing import failures, kills

from pipeline.layout import Root
from tasks.state import State

RECORD = ".doit.db.json"
TASK = "schema:codex"


def record(path: Path) -> State:
    return State(str(path), codec=JSONCodec(), module_name=None)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone in which `doit` ran once; tests look at it or copy it, and change nothing in it."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout, which is what says which files a clone has")
    checkout = fresh_checkout(tmp_path_factory.mktemp("state") / "built")
    run = checkout.doit()
    assert run.code == 0, run.text
    return checkout


@pytest.fixture
def copy(built: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the built checkout: everything is fresh there."""
    return built.copy(tmp_path / "copy")


def touch(checkout: Checkout, seconds: int) -> None:
    """Give an input of the build another time."""
    snapshot = Root(checkout.root).snapshot("0.125.0", "x86_64-unknown-linux-musl")
    os.utime(snapshot, ns=(0, seconds * 1_000_000_000))


# -- the backend alone ------------------------------------------------------------------------------


def test_what_is_recorded_is_read_back(tmp_path: Path) -> None:
    state = record(tmp_path / RECORD)
    state.set("ü", "deps:", ("b", "a"))
    state.set("ü", "result:", {"x": 1})
    state.set("gone", "checker:", "T")
    state.remove("gone")
    state.dump()
    again = record(tmp_path / RECORD)
    assert (again.get("ü", "deps:"), again.get("ü", "result:"), again.in_("gone")) == (["b", "a"], {"x": 1}, False)
    again.remove_all()
    again.dump()
    assert (tmp_path / RECORD).read_bytes() == b"{}"


def test_what_was_recorded_before_is_not_written_again(tmp_path: Path) -> None:
    state = record(tmp_path / RECORD)
    state.dump()
    assert not (tmp_path / RECORD).exists()
    state.set("a", "deps:", ("b",))
    state.dump()
    inode = (tmp_path / RECORD).stat().st_ino
    again = record(tmp_path / RECORD)
    again.set("a", "deps:", ("b",))
    again.dump()
    assert (tmp_path / RECORD).stat().st_ino == inode
    again.set("a", "deps:", ("c",))
    again.dump()
    assert (tmp_path / RECORD).stat().st_ino != inode


@pytest.mark.parametrize(
    "damaged",
    [b"", b'{"a": {"deps:": ["b"', b"\xff\xfe{}", b"\0" * 64, b"[]", b'{"a": 1}', b"null", b'{"a":' * 100_000],
)
def test_a_damaged_record_is_an_empty_one(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / RECORD).write_bytes(damaged)
    state = record(tmp_path / RECORD)
    assert not state.in_("a")
    state.set("a", "checker:", "T")
    state.dump()
    assert json.loads((tmp_path / RECORD).read_bytes()) == {"a": {"checker:": "T"}}


def test_a_record_that_cannot_be_written_is_one_line_of_doit(tmp_path: Path) -> None:
    (tmp_path / RECORD).mkdir()
    state = record(tmp_path / RECORD)
    state.set("a", "checker:", "T")
    with pytest.raises(InvalidCommand, match=r"error\[write-failed\]: .*\.doit\.db\.json: cannot write"):
        state.dump()


# -- the real doit ----------------------------------------------------------------------------------


@pytest.mark.flow
@pytest.mark.parametrize("keep", [0, 1000, -1])
def test_doit_looks_at_everything_again_where_its_record_is_cut_off(keep: int, copy: Checkout) -> None:
    before, path = copy.digests(), copy.path / RECORD
    path.write_bytes(path.read_bytes()[:keep])
    run = copy.doit()
    assert run.code == 0, run.text
    assert TASK in run.executed
    assert copy.digests() == before
    assert copy.doit().executed == []


@pytest.mark.flow
def test_a_run_that_does_nothing_writes_nothing(copy: Checkout) -> None:
    before = (copy.path / RECORD).stat()
    assert copy.doit().executed == []
    after = (copy.path / RECORD).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.flow
def test_a_run_that_does_nothing_stays_without_the_library(copy: Checkout) -> None:
    code = (
        "import runpy, sys; sys.argv = ['doit']\n"
        "try: runpy.run_module('doit', run_name='__main__')\n"
        "except SystemExit as end: print(end.code, 'msgspec' in sys.modules, 'tasks.state' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=copy.path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "0 False True", done.stdout + done.stderr


@pytest.mark.flow
def test_a_kill_while_the_record_is_written_leaves_the_old_one_or_the_new_one(copy: Checkout) -> None:
    before, path = copy.digests(), copy.path / RECORD
    old = path.read_bytes()
    touch(copy, 1)
    for at in kills(["doit"], watch=path, cwd=copy.path, env=environment()):
        assert path.read_bytes() == old, "the last step of the write is the one that counts"
        run = copy.doit()
        assert run.code == 0, run.text
        assert copy.doit().executed == []
        old = path.read_bytes()
        touch(copy, at + 1)
    assert path.read_bytes() != old
    for leftover in copy.path.glob(f".{RECORD}.*.part"):
        leftover.unlink()
    assert copy.digests() == before


@pytest.mark.flow
def test_a_full_disk_is_one_line_and_the_old_record(copy: Checkout) -> None:
    path = copy.path / RECORD
    old = path.read_bytes()
    touch(copy, 1)
    for outcome in failures(["doit"], watch=path, cwd=copy.path, env=environment()):
        assert outcome.code == 3
        assert "ERROR: error[write-failed]: .doit.db.json: cannot write: No space left" in outcome.err
        assert "Traceback" not in outcome.err
        assert path.read_bytes() == old
    assert copy.doit().executed == []


@pytest.mark.flow
def test_two_at_once_leave_a_whole_record(copy: Checkout) -> None:
    (copy.path / RECORD).unlink()
    words = [sys.executable, "-m", "doit"]
    both = [
        subprocess.Popen(words, cwd=copy.path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0
        assert all(line.endswith(b": waiting for another run that holds it") for line in err.splitlines())
    assert json.loads((copy.path / RECORD).read_bytes())
    assert copy.doit().executed == []
