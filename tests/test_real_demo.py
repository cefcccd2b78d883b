"""The whole way through a terminal, offline: diagnostics that are killed, fail, are mended and end well, and a goal.

The commands go through the real program: its own server in the newest version, a server of tools with a model before.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import pytest
from goal_model import roles
from loopback import Model, Say, Shell, Surroundings, surroundings
from running import Place, check, eventually, living, new_place, on_terminal

from pipeline import canonical
from pipeline.runs import metrics
from pipeline.runs.folder import RunFolder, find
from pipeline.runs.queue import placed, queue
from pipeline.runs.review import lacks

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="the binary is of Linux"),
]

QUEUE = """
[[tool.parity.runs.diagnostics]]
id = "build"
argv = ["sh", "-c", "echo built >> built.txt"]

[[tool.parity.runs.diagnostics]]
id = "lint"
argv = ["sh", "-c", "echo > linting; test -e gate || sleep 1000"]

[[tool.parity.runs.diagnostics]]
id = "test"
argv = ["sh", "-c", "test -e mended || { echo not mended >&2; exit 3; }"]

[[tool.parity.runs.diagnostics]]
id = "spec-guard"
argv = ["{python}", "-P", "-m", "pipeline.cli", "specs", "guard"]
guardrail = true
"""


class Obedient(Model):
    """A model that runs the command of the queue which it is asked to run."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(())
        self._lines = lines

    def turn(self, body):
        if any(str(item.get("type", "")).endswith("_call_output") for item in body["input"]):
            return (Say("done"),)
        asked = "".join(part.get("text", "") for item in body["input"] for part in item.get("content", ()))
        return (Shell(next(line for line in self._lines if line in asked)),)


@dataclass
class Desk:
    """A repository, the program in it, and a terminal to type at."""

    there: Surroundings
    place: Place
    agent: tuple[str, ...]
    binary: str
    version: str
    transport: str

    def types(self, *words: str, code: int = 0) -> str:
        """What the terminal shows of a command, which ends with this code."""
        ended, shown = on_terminal(self.place.path, "runs", *words, env=os.environ)
        assert ended == code, shown.decode()
        return shown.decode()

    def begins(self, *words: str) -> RunFolder:
        return find(self.place.path, json.loads(self.types(*words, *self.agent, "--format", "json"))["run_id"])

    def resumes(self, folder: RunFolder) -> None:
        self.types("resume", folder.run_id, "--token-file", str(folder.token), "--binary", self.binary)

    def watches(self, folder: RunFolder, code: int = 0) -> None:
        assert "\x1b[" in self.types("poll", folder.run_id, "--watch", "--interval", "0.1", code=code)


@pytest.fixture(params=[("0.169.0", "app-server"), ("0.125.0", "mcp")], ids="-".join)
def desk(request, real_binary, monkeypatch):
    version, transport = request.param
    binary = str(real_binary(version))
    with surroundings() as there:
        for name in [name for name in os.environ if name.startswith(("CODEX", "OPENAI"))]:
            monkeypatch.delenv(name)
        for name, value in there.environment.items():
            monkeypatch.setenv(name, value)
        place = new_place(there.folder / "repository")
        (place.path / "pyproject.toml").write_text(QUEUE, encoding="utf-8")
        agent = ("--agent", "codex", "--agent-version", version, "--binary", binary)
        yield Desk(there, place, agent, binary, version, transport)


@contextmanager
def obedient(desk):
    server = Obedient([shlex.join(placed(one.argv, desk.place.path)) for one in queue(desk.place.path, "diagnostics")])
    desk.there.know(server)
    try:
        yield
    finally:
        server.close()


def killed_at_the_second_command(desk, folder):
    eventually((desk.place.path / "linting").exists, "it is at work")
    eventually(lambda: check(folder).commands[1].status == "running", "and the manifest says so")
    psutil.Process(check(folder).attempts[-1].pid).kill()
    eventually(lambda: not living(folder, check(folder)), "the runner is gone")


def test_diagnostics_are_watched_killed_mended_and_reviewed(desk):
    with obedient(desk):
        folder = desk.begins("start", "--transport", desk.transport)
        killed_at_the_second_command(desk, folder)

        (desk.place.path / "gate").touch()
        desk.resumes(folder)
        desk.watches(folder, code=3)
        assert [one.status for one in check(folder).commands] == ["succeeded", "succeeded", "failed", "skipped"]
        error = canonical.read_json(folder.path / check(folder).commands[2].error_file)
        assert (error["reason"], error["details"]["exit_code"]) == ("command-failed", 3)
        assert "not mended" in error["details"]["stderr"]
        told = desk.types("show", folder.run_id)
        assert [part for part in ("build", "not mended", desk.version, desk.transport) if part not in told] == []

        (desk.place.path / "mended").touch()
        desk.resumes(folder)
        desk.watches(folder)
    manifest = check(folder)
    assert (manifest.transport, manifest.agent.version) == (desk.transport, desk.version)
    assert [one.attempt for one in manifest.commands] == [1, 2, 3, 3]
    assert (desk.place.path / "built.txt").read_text(encoding="utf-8") == "built\n", "what had succeeded ran once"
    lines, problems = metrics.read(folder.task_folder / metrics.NAME)
    assert ([line.attempt for line in lines], problems) == ([1, 2, 3], [])
    assert list(lacks(folder, manifest)) == []
    assert folder.run_id in desk.types("list")
    assert "1 runs, 3 attempts" in desk.types("summarize", "--task", "diagnostics")


def test_a_goal_edits_a_file_and_leaves_a_patch(desk):
    # Its tests need no model; where the server has them run by one, they are processes of their own.
    transport = "local" if desk.transport == "mcp" else desk.transport
    with roles() as server:
        desk.there.know(server)
        words = ("--test", "grep -q HELLO greeting.txt", "--transport", transport)
        folder = desk.begins("goal", "Make the greeting louder", *words)
        desk.watches(folder)
    assert "+HELLO" in (folder.path / "goal.patch").read_text(encoding="utf-8")
    assert (desk.place.path / "greeting.txt").read_text(encoding="utf-8") == "hello\n"
    desk.types("apply", folder.run_id, "--reason", "wanted")
    assert (desk.place.path / "greeting.txt").read_text(encoding="utf-8") == "HELLO\n"
