"""One job on one machine: its steps one after the other -> the job's result, outputs and log."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import programs
from .actions import Failed, Job, action
from .expression import Lenient, Refused, Scope

if TYPE_CHECKING:
    from .play import JobPlay

# What of this process's environment a job gets: where programs and caches are, and nothing that steers a build.
_KEPT = ("HOME", "LANG", "TMPDIR", "CLI_PARITY_CACHE", "FAKE_REGISTRY", "PIP_INDEX_URL", "NPM_CONFIG_REGISTRY")


@dataclass
class Cell:
    """One job on one machine. ``steps`` are (label, outcome, seconds)."""

    name: str
    result: str = "success"
    reason: str = ""
    steps: list[tuple[str, str, float]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def log(self) -> str:
        return self._text("log.txt")

    @property
    def summary(self) -> str:
        return self._text("summary.md")

    def _text(self, name: str) -> str:
        path = self.folder and self.folder / name
        return path.read_text(encoding="utf-8") if path and path.exists() else ""


@dataclass
class CellPlay:
    job_play: JobPlay
    job: Mapping[str, Any]
    contexts: dict[str, Any]
    row: Mapping[str, Any]
    failed: bool = False

    def run(self) -> Cell:
        play, rehearsal = self.job_play, self.job_play.rehearsal
        label = self.row.get("name") or "-".join(map(str, self.row.values()))
        self.cell = cell = Cell(f"{play.name}{f'-{label}' if self.row else ''}")
        scope = self._scope({})
        runner = scope.text(self.job["runs-on"])
        if runner not in rehearsal.runners:
            cell.result, cell.reason = "failure", f"there is no runner {runner} here"
            return cell
        cell.folder = play.played.folder / "jobs" / cell.name.replace("/", "-")
        cell.folder.mkdir(parents=True)
        permissions = self.job.get("permissions", play.document.get("permissions", {}))
        self.seen = Job(
            source=rehearsal.source,
            workspace=cell.folder / "work",
            artifacts=play.played.folder / "artifacts",
            github=rehearsal.github,
            permissions=permissions,
            refuses=rehearsal.refuses,
        )
        self.tools = cell.folder / "tools"
        programs.place(self.tools)
        self.steps: dict[str, Any] = {}
        self.environment = {
            **play.everywhere,
            **{key: scope.text(value) for key, value in self.job.get("env", {}).items()},
        }
        ids = [step["id"] for step in self.job["steps"] if "id" in step]
        for number, step in enumerate(self.job["steps"], 1):
            self._step(number, step, ids)
        final = self._scope(self.environment)
        if not (self.row and self.job.get("outputs")):
            cell.outputs = {key: final.text(value) for key, value in self.job.get("outputs", {}).items()}
        else:
            raise Refused(f"{play.name}: outputs of a matrix are those of its last cell")
        if url := self.job.get("environment", {}).get("url"):
            final.text(url)
        cell.result = "failure" if self.failed else "success"
        return cell

    def _scope(self, environment: Mapping[str, str]) -> Scope:
        steps = getattr(self, "steps", {})
        functions = {**status(not self.failed, self.failed), "fromJSON": json.loads, "hashFiles": self._hash_files}
        return Scope({**self.contexts, "steps": steps, "env": environment}, functions)

    def _hash_files(self, pattern: str) -> str:
        return "0" * 64 if any(self.seen.workspace.glob(pattern)) else ""

    def _step(self, number: int, step: Mapping[str, Any], ids: Sequence[str]) -> None:
        title = step.get("name") or step.get("run") or step["uses"].partition("@")[0]
        scope = self._scope(self.environment)
        outputs: dict[str, str] = {}
        outcome, started = "success", time.perf_counter()
        if not scope.holds(step.get("if")):
            outcome = "skipped"
        else:
            try:
                outputs = self._do(number, step, scope)
            except Failed as problem:
                outcome = "failure"
                self._log(str(problem))
        forgiven = outcome == "failure" and scope.value(step.get("continue-on-error", False)) is True
        self.failed = self.failed or (outcome == "failure" and not forgiven)
        self._log(f"-- {title.strip()}: {outcome}")
        self.cell.steps.append((title.strip().splitlines()[0], outcome, time.perf_counter() - started))
        if "id" in step:
            conclusion = "success" if forgiven else outcome
            self.steps[step["id"]] = {"outputs": Lenient(outputs), "outcome": outcome, "conclusion": conclusion}
        # A step that comes later may be named already, and has no outputs yet.
        for one in ids:
            self.steps.setdefault(one, {"outputs": Lenient(), "outcome": None, "conclusion": None})

    def _do(self, number: int, step: Mapping[str, Any], scope: Scope) -> dict[str, str]:
        if "uses" in step:
            given = {key: scope.text(value) for key, value in step.get("with", {}).items()}
            before = len(self.seen.said)
            try:
                return action(step["uses"])(self.seen, given)
            finally:
                for line in self.seen.said[before:]:
                    self._log(line)
        own = {key: scope.text(value) for key, value in step.get("env", {}).items()}
        return self._shell(number, scope.text(step["run"]), {**self.environment, **own})

    def _shell(self, number: int, script: str, own: Mapping[str, str]) -> dict[str, str]:
        folder = self.cell.folder
        assert folder is not None
        written, temporary = folder / f"output-{number}", folder / "temp"
        temporary.mkdir(exist_ok=True)
        written.touch()
        here = self.seen.workspace if self.seen.workspace.exists() else temporary
        environment = {
            **{key: os.environ[key] for key in _KEPT if key in os.environ},
            "PATH": programs.path_of(self.tools),
            "PYTHONPATH": str(self.seen.workspace),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.seen.workspace),
            "GITHUB_OUTPUT": str(written),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "RUNNER_TEMP": str(temporary),
            "REHEARSAL_GITHUB": str(self.seen.github),
            "REHEARSAL_PERMISSIONS": json.dumps(self.seen.permissions),
            **self.job_play.rehearsal.variables,
            **own,
        }
        minutes = self.job.get("timeout-minutes", 360)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=here,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=minutes * 60,
        )
        self._log(done.stdout.decode("utf-8", "replace"))
        if done.returncode:
            raise Failed(f"{script.strip().splitlines()[0]} ended with {done.returncode}")
        return dict(_pairs(written.read_text(encoding="utf-8")))

    def _log(self, text: str) -> None:
        folder = self.cell.folder
        assert folder is not None
        with (folder / "log.txt").open("a", encoding="utf-8") as stream:
            stream.write(text.rstrip("\n") + "\n")


def _pairs(written: str) -> Iterator[tuple[str, str]]:
    for line in written.splitlines():
        key, equals, value = line.partition("=")
        if not equals or "<<" in key:
            raise Refused(f"an output is NAME=VALUE in one line, not {line[:80]!r}")
        yield key, value


def status(fine: bool, failed: bool) -> dict[str, Any]:
    return {
        "success": lambda: fine,
        "failure": lambda: failed,
        "always": lambda: True,
        "cancelled": lambda: False,
    }
