"""Runners killed with SIGKILL, or out of disk, at every step: what had succeeded ran once, and nothing is lost.

``RUNS=all`` tries every change that a runner makes; else some of them are tried, which differ with each number.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time

import psutil
import pytest
from killing import run_until_full, run_until_killed
from running import check, ended, eventually, living, note, token

from pipeline.errors import RunRefused
from pipeline.runs import begin, metrics, runner
from pipeline.runs import manifest as shapes
from pipeline.runs.poll import poll

# More than a runner of three commands makes.
_CHANGES = 110
POINTS = range(1, _CHANGES) if os.environ.get("RUNS") == "all" else range(1, _CHANGES, 9)
TIMES = 50


def recorded(folder):
    return [each.id for each in shapes.read(folder.manifest).commands if each.status == "succeeded"]


def responses(folder):
    return sorted(path.name for path in (folder.path / "commands").glob("[0-9]*.json"))


def queued(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(begin, "_spawn", lambda *_arguments: 0)
        return place.start(note("one"), note("two"), note("three")).folder


def gone_through(place, folder, monkeypatch):
    """Resume here, and hold all that must be so afterwards."""
    known = responses(folder)
    with monkeypatch.context() as patch:
        patch.setattr(begin, "_spawn", lambda *_arguments: 0)
        begin.resume(folder, token(folder))
    check(folder)
    assert runner.main([str(folder.path)]) == 0
    manifest = check(folder)
    assert manifest.status == "succeeded"
    # A command whose response lay there is not run again; one that was cut off before it may have run twice.
    for number, word in enumerate(("one", "two", "three"), 1):
        assert place.ran.count(word) >= 1
        if any(name.startswith(f"0{number}-") for name in known):
            assert place.ran.count(word) == 1
    lines, problems = metrics.read(folder.task_folder / metrics.NAME)
    assert problems == []
    assert [line.attempt for line in lines] == [each.number for each in manifest.attempts]


@pytest.mark.parametrize("at", POINTS)
@pytest.mark.parametrize("how", ["kill", "fail"])
def test_a_run_survives_the_death_of_its_runner_or_a_full_disk_at_any_step(place, monkeypatch, how, at):
    folder = queued(place, monkeypatch)
    words = ["pipeline.runs.runner", str(folder.path)]
    broken = run_until_killed if how == "kill" else run_until_full
    outcome = broken(words, at, watch=folder.task_folder, cwd=place.path)
    manifest = check(folder)
    if not outcome.reached:
        assert manifest.status == "succeeded"
        return
    if manifest.status == "succeeded":
        assert {each.status for each in manifest.commands} == {"succeeded"}
        metrics.catch_up(folder.task_folder)
        assert len(metrics.read(folder.task_folder / metrics.NAME)[0]) == 1
        return
    gone_through(place, folder, monkeypatch)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
def test_runners_that_are_killed_at_random_times_get_to_the_end(place):
    times, killed = random.Random(TIMES), 0
    while killed < TIMES:
        folder = place.start(*(note(f"n{number}") for number in range(8))).folder
        killed += killed_at_random(folder, times)
        manifest = ended(folder).manifest
        assert manifest.status == "succeeded"
        metrics.catch_up(folder.task_folder)
        lines = [line for line in metrics.read(folder.task_folder / metrics.NAME)[0] if line.run_id == folder.run_id]
        assert [line.attempt for line in lines] == [each.number for each in manifest.attempts]
        assert set(place.ran) == {f"n{number}" for number in range(8)}
        assert len(place.ran) <= 8 + len(manifest.attempts), "at most the command that was cut off ran again"
        (place.path / "ran.txt").unlink()


def killed_at_random(folder, times):
    """Kill and resume until the run has ended; how often that was."""
    killed = 0
    while True:
        time.sleep(times.uniform(0.0, 0.4))
        manifest = check(folder)
        if manifest.status == "succeeded":
            return killed
        last = manifest.attempts[-1:]
        if last and last[0].outcome == "running" and living(folder, manifest):
            with contextlib.suppress(psutil.Error):
                psutil.Process(last[0].pid).kill()
                killed += 1
            eventually(lambda: not living(folder, shapes.read(folder.manifest)), "it is gone")
            check(folder)
        if poll(folder).cut_off:
            # Whoever was killed while it started a command may hold the lock until that has started.
            with contextlib.suppress(RunRefused):
                begin.resume(folder, token(folder))
