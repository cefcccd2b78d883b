"""Repositories in which runs are begun, and waiting for what they do: for a state, never for a time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import jsonschema_rs
import psutil
import pytest

from pipeline import canonical
from pipeline.process import detached
from pipeline.runs import begin, queue
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import RunFolder
from pipeline.runs.manifest import Manifest
from pipeline.runs.poll import Polled, poll
from pipeline.runs.runner import MARK

SCHEMA = jsonschema_rs.validator_for(
    canonical.read_json(Path(__file__).resolve().parents[1] / "pipeline" / "runs" / "manifest.schema.json")
)
# A limit that no test waits for, unless something hangs.
LONG = 300.0
_IDENTITY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid")

T = TypeVar("T")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *_IDENTITY, *words], cwd=folder, check=True, capture_output=True, encoding="utf-8")
    return done.stdout


def eventually(look: Callable[[], T | None], what: str) -> T:
    """The first thing that ``look`` finds."""
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


def assert_gone(*pids: int) -> None:
    """Wait until these processes have ended; one that nobody has reaped has."""
    for pid in pids:
        eventually(lambda pid=pid: detached.started(pid) is None, f"process {pid} ends")


@dataclass(frozen=True)
class Place:
    """A repository of one commit."""

    path: Path

    @property
    def ran(self) -> list[str]:
        """What the commands of ``note`` have written, in order."""
        path = self.path / "ran.txt"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def commands(self, *lines: str) -> tuple[shapes.Command, ...]:
        return queue.commands(queue.typed(lines), self.path)

    def start(self, *lines: str, **wish: Any) -> begin.Started:
        return begin.start(self.path, self.commands(*lines), begin.Wish(task="demo", kind="commands", **wish))

    def finish(self, *lines: str, **wish: Any) -> Polled:
        return ended(self.start(*lines, **wish).folder)


def new_place(path: Path) -> Place:
    path.mkdir(parents=True)
    git(path, "init", "-q")
    (path / "greeting.txt").write_text("hello\n", encoding="utf-8")
    git(path, "add", ".")
    git(path, "commit", "-qm", "begin")
    return Place(path)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return new_place(tmp_path / "work")


def on_terminal(folder: Path, *words: str, env: Mapping[str, str]) -> tuple[int, bytes]:
    """The command with a terminal of 100 columns: its exit code and what was shown there."""
    import pty

    read, write = pty.openpty()
    argv = [sys.executable, "-P", "-m", "pipeline.cli", *words]
    with subprocess.Popen(
        argv, cwd=folder, env={**env, "TERM": "xterm", "COLUMNS": "100"}, stdout=write, stderr=write
    ) as one:
        os.close(write)
        shown = b""
        # The end is an error on Linux, and nothing elsewhere.
        with contextlib.suppress(OSError):
            while part := os.read(read, 4096):
                shown += part
        os.close(read)
        return one.wait(LONG), shown


def note(word: str) -> str:
    """A command that leaves a word in ``ran.txt``."""
    return f"sh -c 'echo {word} >> ran.txt'"


def ended(folder: RunFolder) -> Polled:
    """A run that has ended, its runner too."""

    def look() -> Polled | None:
        found = poll(folder)
        return found if found.over and not living(folder, found.manifest) else None

    return eventually(look, f"{folder.path} ends")


def living(folder: RunFolder, manifest: Manifest) -> bool:
    return any(detached.alive(each.pid, each.pid_started) for each in manifest.attempts)


def marked(folder: RunFolder) -> list[psutil.Process]:
    """What a run has started and still runs."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == folder.run_id and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def token(folder: RunFolder) -> str:
    return folder.token.read_text(encoding="ascii")


def check(folder: RunFolder) -> Manifest:
    """The manifest, valid by the schema and by the type, and canonical."""
    raw = folder.manifest.read_bytes()
    document = canonical.loads(raw, folder.manifest)
    assert [str(error.message) for error in SCHEMA.iter_errors(document)] == []
    manifest = canonical.convert(document, Manifest, folder.manifest)
    assert shapes.encode(manifest) == raw
    return manifest
