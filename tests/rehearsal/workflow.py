"""A workflow's file, read strictly: keys that the rehearsal would not act on are refused, with their place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .expression import Refused

_WORKFLOW = {"name", "run-name", "on", "permissions", "concurrency", "defaults", "env", "jobs"}
_JOB = {
    "needs",
    "if",
    "runs-on",
    "timeout-minutes",
    "permissions",
    "outputs",
    "env",
    "environment",
    "strategy",
    "steps",
}
_STEP = {"id", "name", "if", "uses", "with", "run", "env", "continue-on-error"}
_EVENTS = {"push", "pull_request", "schedule", "workflow_dispatch"}
_SHELL = {"run": {"shell": "bash"}}


def read_workflow(path: Path) -> dict[str, Any]:
    """The document, with ``needs`` as lists. Raises Refused."""
    document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    known(document, _WORKFLOW, path.name)
    known(document["on"], _EVENTS, f"{path.name}: on")
    if document.get("defaults", _SHELL) != _SHELL:
        raise Refused(f"{path.name}: defaults other than bash")
    for name, job in document["jobs"].items():
        place = f"{path.name}: {name}"
        known(job, _JOB, place)
        known(job.get("strategy", {}), {"fail-fast", "matrix"}, f"{place}: strategy")
        needs = job.get("needs", [])
        job["needs"] = [needs] if isinstance(needs, str) else needs
        if unknown := set(job["needs"]) - set(document["jobs"]):
            raise Refused(f"{place} needs {min(unknown)}, which is no job")
        for number, step in enumerate(job["steps"], 1):
            known(step, _STEP, f"{place}: step {number}")
            if ("run" in step) == ("uses" in step):
                raise Refused(f"{place}: step {number} is to have either run or uses")
    return dict(document)


def known(found: Mapping[str, Any], keys: set[str], place: str) -> None:
    """Raises Refused for a key that nothing here acts on."""
    if unknown := set(found) - keys:
        raise Refused(f"{place}: {', '.join(sorted(map(str, unknown)))} is not known here")


def in_order(jobs: Mapping[str, Any]) -> list[str]:
    """Jobs so that each comes after those that it needs. Raises Refused for a circle."""
    order: list[str] = []
    while len(order) < len(jobs):
        ready = [name for name in jobs if name not in order and set(jobs[name]["needs"]) <= set(order)]
        if not ready:
            raise Refused("jobs wait for each other")
        order += ready
    return order


def cells(matrix: Any) -> list[dict[str, Any]]:
    """The combinations of a matrix: of one list, or those that ``include`` names. Raises Refused."""
    if matrix is None:
        return [{}]
    if set(matrix) == {"include"}:
        if not matrix["include"]:
            raise Refused("a matrix without rows is an error: ask for their number in the job's if")
        return [dict(row) for row in matrix["include"]]
    if len(matrix) == 1 and all(isinstance(values, list) for values in matrix.values()):
        [(key, values)] = matrix.items()
        return [{key: value} for value in values]
    raise Refused("a matrix of more than one list is not known here")
