"""Contract of the door to other programs, on both ways of draining pipes."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import fake_cli
import pytest
from running import LONG, assert_gone, eventually

from pipeline import process
from pipeline.errors import BinaryError, BinaryMissing, BinaryOutputTooLarge, BinaryTimeout
from pipeline.process import call as door

OUTPUTS = [door._ThreadedOutput] if sys.platform == "win32" else [door._Output, door._ThreadedOutput]


@pytest.fixture(autouse=True, params=OUTPUTS, ids=lambda output: output.__name__)
def _drained_by(request, monkeypatch):
    monkeypatch.setattr(door, "_output", request.param)


def call(source, folder, *, seconds=LONG, max_bytes=1_000_000, cancel=None, env=None):
    binary = fake_cli.script(folder, "program", source)
    environment = process.clean_environment(folder, {}) if env is None else env
    return process.run((binary,), env=environment, cwd=folder, seconds=seconds, max_bytes=max_bytes, cancel=cancel)


# What it writes is there as a whole or not at all.
SPAWNS_CHILD = """
import os, subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-IS", "-c", "import time; time.sleep(3600)"])
pathlib.Path("pids.part").write_text(f"{os.getpid()} {child.pid}")
os.replace("pids.part", "pids")
"""


@pytest.fixture
def late(tmp_path, monkeypatch):
    """An hour has passed for the call once the program and its child are there."""
    up = tmp_path / "pids"
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + (3600 if up.exists() else 0))
    monkeypatch.setattr(door, "time", clock)


def pids(folder):
    return [int(pid) for pid in (folder / "pids").read_text(encoding="utf-8").split()]


def test_pipes_and_exit_code_are_kept_apart(tmp_path):
    done = call("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path)
    assert (done.returncode, done.stdout.split(), done.stderr.split()) == (3, [b"out"], [b"err"])


def test_both_pipes_are_drained_at_the_same_time(tmp_path):
    source = "import sys\nfor n in range(40): sys.stderr.write('e' * 10000); sys.stdout.write('o' * 10000)"
    done = call(source, tmp_path)
    assert (len(done.stdout), len(done.stderr)) == (400_000, 400_000)


def test_input_is_empty_and_nothing_is_a_terminal(tmp_path):
    done = call("import sys; print(sys.stdin.read() == '', sys.stdout.isatty())", tmp_path)
    assert done.stdout.split() == [b"True", b"False"]


def test_environment_is_exactly_the_one_given(tmp_path, monkeypatch):
    monkeypatch.setenv("LEAKED", "1")
    done = call("import os; print('LEAKED' in os.environ, os.environ['COLUMNS'])", tmp_path)
    assert done.stdout.split() == [b"False", b"1000"]


def test_time_limit_kills_the_child_and_its_child(tmp_path, late):
    with pytest.raises(BinaryTimeout) as caught:
        call(SPAWNS_CHILD + "time.sleep(3600)", tmp_path, seconds=1000.0)
    assert "did not end within 1000 s" in str(caught.value)
    assert_gone(*pids(tmp_path))


def test_time_limit_holds_when_the_pipes_are_closed(tmp_path):
    with pytest.raises(BinaryTimeout):
        call("import os, time; os.close(1); os.close(2); time.sleep(3600)", tmp_path, seconds=0.5)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_cap_kills_the_child_and_its_child(tmp_path, stream):
    source = SPAWNS_CHILD + f"while True: sys.{stream}.write('x' * 100000)"
    with pytest.raises(BinaryOutputTooLarge) as caught:
        call(source, tmp_path, max_bytes=200_000)
    assert "more than 200000 bytes" in str(caught.value)
    assert_gone(*pids(tmp_path))


def test_background_process_that_holds_the_pipes_ends_with_the_call(tmp_path):
    done = call(SPAWNS_CHILD + "print('done')", tmp_path)
    assert done.stdout.split() == [b"done"]
    assert_gone(pids(tmp_path)[1])


def test_cancel_stops_a_running_call(tmp_path):
    cancel = threading.Event()

    def cancels():
        eventually((tmp_path / "pids").exists, "the program runs")
        cancel.set()

    other = threading.Thread(target=cancels)
    other.start()
    with pytest.raises(BinaryError, match="was cancelled"):
        call(SPAWNS_CHILD + "time.sleep(3600)", tmp_path, cancel=cancel)
    other.join()
    assert_gone(*pids(tmp_path))


def run_file(binary, cwd):
    process.run((binary, "--help"), env={}, cwd=cwd, seconds=5, max_bytes=1000)


def test_missing_binary_is_named_without_its_folder(tmp_path):
    with pytest.raises(BinaryMissing) as caught:
        run_file(tmp_path / "nowhere", tmp_path)
    assert "`nowhere --help` cannot be started" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_file_without_permission_to_run_is_refused(tmp_path):
    binary = tmp_path / "plain"
    binary.write_bytes(b"#!/bin/sh\n")
    binary.chmod(0o644)
    with pytest.raises(BinaryMissing):
        run_file(binary, tmp_path)


def test_file_of_another_format_is_refused(tmp_path):
    binary = tmp_path / "foreign.exe"
    binary.write_bytes(b"\x00\x01\x02 not a program")
    binary.chmod(0o755)
    with pytest.raises(BinaryMissing):
        run_file(binary, tmp_path)


@pytest.mark.parametrize(("word", "env"), [("a\0b", {}), ("a", {"A=B": "x"}), ("a", {"A": "x\0"})])
def test_what_no_system_takes_is_refused(tmp_path, word, env):
    with pytest.raises(BinaryMissing, match="cannot be started"):
        process.run((sys.executable, word), env=env, cwd=tmp_path, seconds=5, max_bytes=1000)


def test_missing_folder_is_not_blamed_on_the_binary(tmp_path):
    with pytest.raises(OSError, match="absent"):
        run_file(Path(sys.executable), tmp_path / "absent")


def test_recording_counts_calls_of_its_block_only(tmp_path):
    with process.recording() as calls:
        call("", tmp_path)
    call("", tmp_path)
    assert [Path(argv[0]).stem for argv in calls] == ["program"]


def test_long_command_lines_are_cut_in_messages(tmp_path):
    with pytest.raises(BinaryMissing) as caught:
        process.run(
            (tmp_path / "nowhere", *["--enable", "feature"] * 200), env={}, cwd=tmp_path, seconds=1, max_bytes=1
        )
    assert len(caught.value.problem) < 300


def test_clean_environment_fills_in_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    environment = process.clean_environment(tmp_path, {"TOOL_HOME": "{home}/.tool", "LANG": "C"})
    assert environment["TOOL_HOME"] == f"{tmp_path}/.tool"
    assert environment["TMPDIR"] == str(tmp_path / "tmp")
    assert (environment["HOME"], environment["LANG"], environment["TZ"]) == (str(tmp_path), "C", "UTC")
