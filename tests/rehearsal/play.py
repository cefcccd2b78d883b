"""A workflow played: inputs -> the result of each job and cell, with all that they left below one folder.

<folder>/github/                    issues, dispatches and pull requests: what outlives a run
<folder>/<number>-<workflow>/artifacts/<name>/
<folder>/<number>-<workflow>/jobs/<job>[-<cell>]/{work,log.txt,summary.md}
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import programs
from .actions import Failed, Job, action
from .expression import Lenient, Refused, Scope, as_text
from .workflow import cells, in_order, read_workflow

HERE = "ubuntu-24.04"
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
class Played:
    """``jobs`` by name, each with its cells; one that did not run has none."""

    workflow: str
    folder: Path
    jobs: dict[str, list[Cell]] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.workflow}"]
        for name, result in self.results.items():
            lines.append(f"  {result:8}{name}")
            for cell in self.jobs[name]:
                if len(self.jobs[name]) > 1 or cell.reason:
                    lines.append(f"    {cell.result:8}{cell.name}{f': {cell.reason}' if cell.reason else ''}")
                lines += [f"      {outcome:8}{seconds:6.1f} s  {label}" for label, outcome, seconds in cell.steps]
        return "\n".join((*lines, ""))


@dataclass
class Rehearsal:
    """``source`` is the repository, ``runners`` the machines that there are: all are this one. ``refuses``: see Job."""

    source: Path
    folder: Path
    runners: frozenset[str] = frozenset({HERE})
    refuses: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def github(self) -> Path:
        return self.folder / "github"

    def state(self, name: str) -> Any:
        """``issues`` or ``dispatched``, as they are now."""
        path = self.github / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    def pulls(self) -> list[dict[str, str]]:
        folder = self.github / "pulls"
        return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]

    def play(
        self,
        name: str,
        inputs: Mapping[str, str] | None = None,
        event: str = "workflow_dispatch",
        only: Collection[str] | None = None,
    ) -> Played:
        """Play ``.github/workflows/<name>.yml``; of its jobs ``only`` these, if named. Raises Refused."""
        self.github.mkdir(parents=True, exist_ok=True)
        document = read_workflow(self.source / ".github" / "workflows" / f"{name}.yml")
        number = 1 + sum(path.name[0].isdigit() for path in self.folder.iterdir())
        played = Played(name, self.folder / f"{number}-{name}")
        contexts = {
            "github": _github(name, event, number),
            "inputs": _inputs(document["on"], event, inputs or {}),
            "runner": {"os": "Linux"},
        }
        scope = Scope(contexts, {"fromJSON": json.loads})
        for key in ("run-name", "concurrency"):
            value = document.get(key, "")
            scope.value(value["group"] if isinstance(value, Mapping) else value)
        everywhere = {key: scope.text(value) for key, value in document.get("env", {}).items()}
        for job in in_order(document["jobs"]):
            if only is None or job in only:
                _JobPlay(self, played, document, job, contexts, everywhere).run()
            else:
                played.jobs[job], played.results[job] = [], "skipped"
        return played


@dataclass
class _JobPlay:
    rehearsal: Rehearsal
    played: Played
    document: Mapping[str, Any]
    name: str
    contexts: Mapping[str, Any]
    everywhere: Mapping[str, str]

    def run(self) -> None:
        job, played = self.document["jobs"][self.name], self.played
        results = [played.results[one] for one in job["needs"]]
        needs = {one: {"result": played.results[one], "outputs": self._outputs_of(one)} for one in job["needs"]}
        status = _status(all(one == "success" for one in results), "failure" in results)
        scope = Scope({**self.contexts, "needs": needs}, {**status, "fromJSON": json.loads})
        played.jobs[self.name] = []
        if not scope.holds(job.get("if")):
            played.results[self.name] = "skipped"
            return
        matrix = job.get("strategy", {}).get("matrix")
        for row in cells(_each_value(scope, matrix)):
            inner = {**self.contexts, "needs": needs, "matrix": row}
            cell = _CellPlay(self, job, inner, row).run()
            played.jobs[self.name].append(cell)
        failed = any(cell.result != "success" for cell in played.jobs[self.name])
        played.results[self.name] = "failure" if failed else "success"

    def _outputs_of(self, job: str) -> Mapping[str, Any]:
        ran = self.played.jobs[job]
        declared = dict.fromkeys(self.document["jobs"][job].get("outputs", {}))
        return {**declared, **(ran[0].outputs if ran else {})}


@dataclass
class _CellPlay:
    job_play: _JobPlay
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
        functions = {**_status(not self.failed, self.failed), "fromJSON": json.loads, "hashFiles": self._hash_files}
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


def _each_value(scope: Scope, matrix: Any) -> Any:
    found = scope.value(matrix)
    return {key: scope.value(value) for key, value in found.items()} if isinstance(found, Mapping) else found


def _status(fine: bool, failed: bool) -> dict[str, Any]:
    return {
        "success": lambda: fine,
        "failure": lambda: failed,
        "always": lambda: True,
        "cancelled": lambda: False,
    }


def _inputs(events: Mapping[str, Any], event: str, given: Mapping[str, str]) -> dict[str, str]:
    if event not in events:
        raise Refused(f"the workflow does not start on {event}")
    declared = ((events[event] or {}).get("inputs") or {}) if event == "workflow_dispatch" else {}
    if unknown := set(given) - set(declared):
        raise Refused(f"there is no input {min(unknown)}")
    if missing := [name for name, one in declared.items() if one.get("required") and name not in given]:
        raise Refused(f"the input {missing[0]} is missing")
    return {name: given.get(name, as_text(one.get("default"))) for name, one in declared.items()}


def _github(workflow: str, event: str, number: int) -> dict[str, str]:
    return {
        "workflow": workflow,
        "event_name": event,
        "ref": "refs/heads/main",
        "ref_name": "main",
        "repository": "someone/rehearsal",
        "run_id": str(number),
        "token": "rehearsal",
    }
