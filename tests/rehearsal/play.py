"""A workflow played: inputs -> the result of each job and cell, with all that they left below one folder.

<folder>/github/                    issues, dispatches and pull requests: what outlives a run
<folder>/<number>-<workflow>/artifacts/<name>/
<folder>/<number>-<workflow>/jobs/<job>[-<cell>]/{work,log.txt,summary.md}
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .expression import Refused, Scope, as_text
from .machine import Cell, CellPlay, status
from .workflow import cells, in_order, read_workflow

HERE = "ubuntu-24.04"


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
                JobPlay(self, played, document, job, contexts, everywhere).run()
            else:
                played.jobs[job], played.results[job] = [], "skipped"
        return played


@dataclass
class JobPlay:
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
        functions = status(all(one == "success" for one in results), "failure" in results)
        scope = Scope({**self.contexts, "needs": needs}, {**functions, "fromJSON": json.loads})
        played.jobs[self.name] = []
        if not scope.holds(job.get("if")):
            played.results[self.name] = "skipped"
            return
        matrix = job.get("strategy", {}).get("matrix")
        for row in cells(_each_value(scope, matrix)):
            inner = {**self.contexts, "needs": needs, "matrix": row}
            cell = CellPlay(self, job, inner, row).run()
            played.jobs[self.name].append(cell)
        failed = any(cell.result != "success" for cell in played.jobs[self.name])
        played.results[self.name] = "failure" if failed else "success"

    def _outputs_of(self, job: str) -> Mapping[str, Any]:
        ran = self.played.jobs[job]
        declared = dict.fromkeys(self.document["jobs"][job].get("outputs", {}))
        return {**declared, **(ran[0].outputs if ran else {})}


def _each_value(scope: Scope, matrix: Any) -> Any:
    found = scope.value(matrix)
    return {key: scope.value(value) for key, value in found.items()} if isinstance(found, Mapping) else found


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
