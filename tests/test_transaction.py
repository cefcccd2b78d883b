"""Folders held alone and replaced at once: whatever fails and whenever it is killed, the old files or the new ones."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from changing import change, make, state
from checkout import REPOSITORY, environment
from killing import failures, kills

from pipeline import canonical
from pipeline.cache import cache_folder
from pipeline.errors import ArtifactMissing, GateFailed, TreeBusy, WriteFailed
from pipeline.transaction import hold, locks, replace, tree
from pipeline.transaction.hold import exclusive
from pipeline.transaction.reading import undisturbed
from pipeline.transaction.replace import replacing

WAYS = ("exchange", "journal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that is changed, with nothing beside it."""
    path = tmp_path / "work" / "agent"
    make(path)
    return path


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of committing."""
    if request.param == "journal":
        monkeypatch.setattr(replace, "_exchange", lambda one, other: False)
    return str(request.param)


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The changed folder, made without a transaction."""
    path = tmp_path_factory.mktemp("expected") / "agent"
    make(path)
    change(path)
    return state(path)


def command(folder: Path, step: str) -> list[str]:
    return ["changing", str(folder), step]


def surroundings(folder: Path) -> dict[str, Any]:
    """How the other process is run: from this checkout, with this process's cache."""
    env = environment(PYTHONPATH=str(REPOSITORY / "tests"), CLI_PARITY_CACHE=str(cache_folder()))
    return {"cwd": REPOSITORY, "env": env}


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[Path]:
    """The transaction, made before the block is entered and committed after it."""
    with exclusive(folder), replacing(folder) as copy:
        change(copy)
        yield copy


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir() if path != folder)


def made_again(folder: Path) -> None:
    shutil.rmtree(folder.parent)
    make(folder)


# -- what a transaction does ------------------------------------------------------------------------


def test_what_the_block_did_is_there_afterwards_and_nothing_else(folder: Path, way: str, expected: Any) -> None:
    same = folder / "kept" / "same.txt"
    os.utime(same, ns=(1, 1_000_000_007))
    same.parent.chmod(0o750)
    inode = same.stat().st_ino
    with exclusive(folder), replacing(folder) as copy:
        assert state(copy) == state(folder)
        change(copy)
        assert state(folder) != state(copy)
    assert state(folder) == expected | {"kept": (oct(stat.S_IFDIR | 0o750), None)}
    assert (same.stat().st_ino, same.stat().st_mtime_ns) == (inode, 1_000_000_007)
    assert beside(folder) == []


def test_a_loop_of_links_is_an_entry_like_any_other(folder: Path, way: str) -> None:
    (folder / "loop").symlink_to("loop")
    with exclusive(folder), replacing(folder) as copy:
        canonical.write(copy / "one.txt", b"new")
    assert (folder / "loop").readlink() == Path("loop")


def test_folders_keep_their_times(folder: Path, way: str) -> None:
    for path in (folder / "kept" / "empty", folder / "gone"):
        os.utime(path, ns=(1, 1_000_000_000))
    with exclusive(folder), replacing(folder) as copy:
        canonical.write(copy / "one.txt", b"new")
    assert [(folder / name).stat().st_mtime_ns for name in ("kept/empty", "gone")] == [1_000_000_000] * 2


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the system has no such step")
def test_two_folders_swap_names_in_one_step(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not replace._exchange(tmp_path / "one", tmp_path / "other"):
        pytest.skip("this file system has no such step")
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["other"]
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["one"]


def test_a_swap_with_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    if sys.platform != "win32":
        with pytest.raises(FileNotFoundError):
            replace._exchange(tmp_path / "one", tmp_path / "other")


@pytest.mark.parametrize(
    "nothing",
    [
        lambda copy: None,
        lambda copy: canonical.write(copy / "one.txt", b"old one.txt\n"),
        lambda copy: (copy / "kept" / "empty").rmdir() or (copy / "kept" / "empty").mkdir(),
    ],
)
def test_where_nothing_changed_the_folder_is_left_alone(nothing: Callable[[Path], object], folder: Path) -> None:
    before = (folder.stat().st_ino, folder.stat().st_mtime_ns, state(folder))
    with exclusive(folder), replacing(folder) as copy:
        nothing(copy)
    assert (folder.stat().st_ino, folder.stat().st_mtime_ns, state(folder)) == before
    assert beside(folder) == []


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_where_links_fail_files_are_copied(
    error: int, folder: Path, way: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "link", refuse)
    inode, time = folder.stat().st_ino, (folder / "kept" / "same.txt").stat().st_mtime_ns
    with exclusive(folder), replacing(folder):
        pass
    assert folder.stat().st_ino == inode
    with exclusive(folder), replacing(folder) as copy:
        change(copy)
    assert state(folder) == expected
    assert (folder / "kept" / "same.txt").stat().st_mtime_ns == time
    assert beside(folder) == []


def test_a_folder_that_is_not_there_yet_comes_whole(folder: Path, way: str) -> None:
    new = folder / "reports" / "1.2.3"
    with exclusive(new), replacing(new) as copy:
        canonical.write(copy / "any.json", b"{}\n")
        assert not new.exists()
    assert state(new) == {"any.json": (oct(stat.S_IFREG | 0o644), b"{}\n")}
    assert beside(new) == []


@pytest.mark.parametrize("error", [None, ValueError])
def test_a_folder_that_is_not_there_yet_stays_away_with_all_above_it(
    error: type[Exception] | None, folder: Path
) -> None:
    before = state(folder)
    with contextlib.suppress(ValueError), exclusive(folder), replacing(folder / "reports" / "1.2.3") as copy:
        if error:
            canonical.write(copy / "any.json", b"{}\n")
            raise error
    assert state(folder) == before


# -- whatever path leads to the folder --------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["agent", "./agent/", "agent/kept/..", "link"])
def test_a_relative_path_or_a_link_means_the_folder_itself(
    spelling: str, folder: Path, way: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = folder.parent / "link"
    link.symlink_to("agent", target_is_directory=True)
    monkeypatch.chdir(folder.parent)
    with exclusive(Path(spelling)), replacing(Path(spelling)) as copy:
        assert copy.is_absolute()
        change(copy)
    assert state(folder) == expected
    assert link.readlink() == Path("agent")
    assert beside(folder) == ["link"]


def test_the_current_directory_is_the_new_one_of_that_name(
    folder: Path, way: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with exclusive(Path()), replacing(Path()) as copy:
        change(copy)
    assert Path.cwd() == folder
    assert state(Path()) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="such a folder cannot be removed")
def test_a_current_directory_that_goes_is_left_for_the_one_above(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "gone")
    with exclusive(folder), replacing(folder) as copy:
        change(copy)
    assert Path.cwd() == folder


# -- what goes wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), GateFailed("not yet"), BrokenPipeError()])
def test_after_an_exception_the_folder_is_as_it_was(error: BaseException, folder: Path) -> None:
    before, inode = state(folder), folder.stat().st_ino
    with pytest.raises(type(error)), changing(folder):
        raise error
    assert (state(folder), folder.stat().st_ino) == (before, inode)
    assert beside(folder) == []


def test_an_oserror_of_the_block_is_a_write_that_failed(folder: Path) -> None:
    before = state(folder)
    with pytest.raises(WriteFailed, match=r"one\.txt\); it is as it was"), changing(folder) as copy:
        (copy / "one.txt").rmdir()
    assert state(folder) == before
    assert beside(folder) == []


@pytest.mark.parametrize("step", WAYS)
def test_a_full_disk_at_any_change_leaves_the_old_files_or_says_that_the_rest_follows(
    step: str, folder: Path, expected: Any
) -> None:
    before, ends = state(folder), set()
    for outcome in failures(command(folder, step), watch=folder, **surroundings(folder)):
        assert "Traceback" not in outcome.err
        if "not all in place yet" in outcome.err:
            assert (step, outcome.code) == ("journal", 1)
            with exclusive(folder):
                pass
            after = expected
        else:
            after = before if outcome.code else expected
        assert state(folder) == after
        ends.add((outcome.code, "in place" in outcome.err))
        with exclusive(folder):
            assert state(folder) == after
        assert beside(folder) == []
        made_again(folder)
    assert ends == {(1, False), (0, False)} | ({(1, True)} if step == "journal" else set())


def test_what_something_else_wrote_meanwhile_is_kept(folder: Path) -> None:
    def write(folder: Path) -> None:
        canonical.write(folder / "kept" / "by hand.txt", b"precious")
        (folder / "kept" / "three.txt").write_bytes(b"precious too")

    with pytest.raises(TreeBusy, match="something else wrote in it"), changing(folder):
        write(folder)
    assert (folder / "kept" / "by hand.txt").read_bytes() == b"precious"
    assert (folder / "kept" / "three.txt").read_bytes() == b"precious too"
    assert (folder / "one.txt").read_bytes() == b"old one.txt\n"
    assert beside(folder) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_whose_parent_cannot_be_written_is_refused() -> None:
    with pytest.raises(WriteFailed, match="fix the permissions of /proc/"), replacing(Path("/proc/self/task")):
        pytest.fail("the block must not be entered")


def test_a_mount_point_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(folder)
    monkeypatch.setattr(os.path, "ismount", lambda path: path == folder)
    with pytest.raises(WriteFailed, match="mount point"), exclusive(folder), replacing(folder):
        pytest.fail("the block must not be entered")
    assert state(folder) == before


def test_another_file_system_inside_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    before = state(folder)
    monkeypatch.setattr(os, "link", elsewhere)
    with pytest.raises(WriteFailed, match="mounted in the folder"), exclusive(folder), replacing(folder):
        pytest.fail("the block must not be entered")
    assert state(folder) == before
    assert beside(folder) == []


def test_a_file_or_a_loop_is_no_folder(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    for name in ("one.txt", "loop"):
        with pytest.raises(WriteFailed), exclusive(folder / name), replacing(folder / name):
            pytest.fail("the block must not be entered")


def test_folders_that_nobody_may_write_are_removed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "agent")
    (tmp_path / "agent" / "kept").chmod(0o500)
    whole = shutil.rmtree

    def refused_once(path: Path) -> None:
        monkeypatch.setattr(shutil, "rmtree", whole)
        raise PermissionError

    monkeypatch.setattr(shutil, "rmtree", refused_once)
    tree.remove(tmp_path / "agent")
    assert list(tmp_path.iterdir()) == []


# -- kills ------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the system has no such step")
def test_a_kill_at_any_change_leaves_the_old_files_or_the_new_ones(folder: Path, expected: Any) -> None:
    before, seen = state(folder), []
    for _ in kills(command(folder, "exchange"), watch=folder, **surroundings(folder)):
        after = state(folder)
        assert after in (before, expected)
        seen.append(after == expected)
        with exclusive(folder):
            assert state(folder) == after
            assert beside(folder) == []
        made_again(folder)
    assert seen == sorted(seen), "old up to one step, new from there on"
    assert set(seen) == {False, True}
    assert state(folder) == expected


def test_after_a_kill_without_that_step_the_next_run_goes_through_with_it(folder: Path, expected: Any) -> None:
    before, seen, mixed = state(folder), [], 0
    for _ in kills(command(folder, "journal"), watch=folder, **surroundings(folder)):
        committed = ".agent.commit" in beside(folder)
        mixed += state(folder) not in (before, expected)
        assert committed or state(folder) in (before, expected)
        with exclusive(folder):
            assert beside(folder) == []
            seen.append(state(folder) == expected)
            assert seen[-1] or state(folder) == before
            assert seen[-1] or not committed
        made_again(folder)
    assert mixed
    assert seen == sorted(seen)
    assert set(seen) == {False, True}


def test_going_through_with_it_may_be_killed_too(folder: Path, expected: Any) -> None:
    for _ in kills(command(folder, "journal"), watch=folder, **surroundings(folder)):
        if ".agent.commit" in beside(folder):
            break
        made_again(folder)
    committed = folder.parent.with_name("committed")
    shutil.copytree(folder.parent, committed, symlinks=True)
    for _ in kills(command(folder, "recover"), watch=folder, **surroundings(folder)):
        with exclusive(folder):
            assert state(folder) == expected
            assert beside(folder) == []
        shutil.rmtree(folder.parent)
        shutil.copytree(committed, folder.parent, symlinks=True)
    assert state(folder) == expected


def test_kills_one_after_the_other_end_in_the_new_files(folder: Path, expected: Any) -> None:
    """Nothing is put back: what one run left, the next one meets."""
    for _ in kills(command(folder, "journal"), watch=folder, step=5, **surroundings(folder)):
        assert folder.is_dir()
    assert state(folder) == expected
    assert beside(folder) == []


def test_a_new_folder_that_is_killed_is_whole_or_not_there(folder: Path) -> None:
    new = folder / "reports" / "1.2.3"
    (folder / "reports").mkdir()
    code = (
        "from pathlib import Path; from pipeline import canonical; from pipeline.transaction.hold import exclusive; from pipeline.transaction.replace import replacing\n"
        f"new = Path({str(new)!r})\n"
        "with exclusive(new), replacing(new) as copy: canonical.write(copy / 'a', b'a'), canonical.write(copy / 'b', b'b')"
    )
    (folder.parent / "newly.py").write_text(code, encoding="utf-8")
    around = surroundings(folder) | {"cwd": folder.parent}
    around["env"] |= {"PYTHONPATH": str(REPOSITORY)}
    for _ in kills(["newly"], watch=new, **around):
        there = sorted(path.name for path in new.iterdir()) if new.exists() else None
        assert there in (None, ["a", "b"])
        shutil.rmtree(new, ignore_errors=True)
        with exclusive(new):
            assert beside(new) == []


# -- one at a time ----------------------------------------------------------------------------------


@contextlib.contextmanager
def counting(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that adds one to a number in ``folder``: says that it holds it, and waits for a line."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command(folder, "count")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **surroundings(folder),
    )
    limit = threading.Timer(300, process.kill)
    limit.start()
    try:
        with process:
            yield process
    finally:
        limit.cancel()


def test_the_second_process_waits_says_so_and_loses_nothing(folder: Path) -> None:
    (folder / "number").write_text("0")
    with counting(folder) as first:
        assert first.stdout.readline() == "holds\n"
        with counting(folder) as second:
            assert second.stderr.readline() == f"{folder}: waiting for another run that holds it\n"
            assert first.communicate("\n") == ("", "")
            assert second.stdout.readline() == "holds\n"
            assert second.communicate("\n") == ("", "")
    assert (first.returncode, second.returncode) == (0, 0)
    assert (folder / "number").read_text() == "2"


def test_a_killed_process_holds_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "number").write_text("0")
    with counting(folder) as first:
        assert first.stdout.readline() == "holds\n"
        assert beside(folder) == [".agent.next"]
        first.kill()
    with exclusive(folder):
        assert beside(folder) == []
    assert capfd.readouterr().err == ""


def in_a_thread(folder: Path, held: Callable[[Path], AbstractContextManager[None]] = exclusive) -> list[BaseException]:
    """What holding ``folder`` raises where another thread holds it already."""
    caught: list[BaseException] = []

    def attempt() -> None:
        try:
            with held(folder):
                pass
        except BaseException as error:  # noqa: BLE001
            caught.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join(300)
    return caught


def test_waiting_ends(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(hold, "WAIT", 0.2)
    with exclusive(folder):
        [error] = in_a_thread(folder)
    assert isinstance(error, TreeBusy)
    assert str(error).startswith(f"error[tree-busy]: {folder}: another run has held it for ")
    assert "stop it" in error.remedy
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert in_a_thread(folder) == []


def test_a_reader_waits_for_a_writer_and_makes_no_lock_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "WAIT", 0.1)
    assert undisturbed(folder, lambda: "read") == "read"
    assert not any(path.exists() for path in locks.lock_files(folder))

    def read_by_another() -> Any:
        return in_a_thread(folder, lambda folder: contextlib.nullcontext(undisturbed(folder, lambda: None)))

    with exclusive(folder):
        assert isinstance(read_by_another()[0], TreeBusy)
    assert read_by_another() == []


def test_what_is_read_while_a_first_writer_comes_is_read_again(folder: Path) -> None:
    seen: list[str] = []

    def read() -> str:
        seen.append((folder / "one").read_text() if (folder / "one").exists() else "")
        if len(seen) == 1:
            with exclusive(folder), replacing(folder) as copy:
                canonical.write(copy / "one", b"new")
            raise ArtifactMissing("half of it is gone")
        return seen[-1]

    assert undisturbed(folder, read) == "new"
    assert len(seen) == 2


def test_who_holds_a_folder_may_hold_it_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "WAIT", 0.1)
    with exclusive(folder), replacing(folder) as copy:
        with exclusive(folder / "kept" / "..", folder):
            assert copy.is_dir(), "what is under way is nothing to recover from"
        assert isinstance(in_a_thread(folder)[0], TreeBusy), "still held"
    assert in_a_thread(folder) == []


def test_two_folders_are_taken_in_one_order(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"

    def both(first: Path, then: Path) -> None:
        for _ in range(20):
            with exclusive(first, then):
                pass

    threads = [threading.Thread(target=both, args=pair) for pair in ((folder, other), (other, folder))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not any(thread.is_alive() for thread in threads)


def test_where_the_cache_cannot_be_written_the_lock_is_elsewhere(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLI_PARITY_CACHE", str(folder / "one.txt"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(hold, "WAIT", 0.1)
    with exclusive(folder):
        assert isinstance(in_a_thread(folder)[0], TreeBusy)
    [lock] = (tmp_path / "temporary").rglob("*.lock")
    assert lock.parent.name.startswith("cli-parity-locks")
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "one.txt"))
    with pytest.raises(WriteFailed, match="CLI_PARITY_CACHE"), exclusive(folder):
        pytest.fail("the block must not be entered")


def test_the_cut_off_commit_of_a_folder_around_is_gone_through_first(tmp_path: Path) -> None:
    inner = tmp_path / "around" / "inner"
    make(inner)
    shutil.copytree(tmp_path / "around", tmp_path / ".around.commit", symlinks=True)
    (tmp_path / ".around.commit" / "inner" / "new").write_text("new")
    with exclusive(inner):
        assert (inner / "new").read_text() == "new"
    assert beside(tmp_path / "around") == []
    assert undisturbed(inner, (inner / "new").read_text) == "new"
