"""`doit matrix`: the CI matrix, from the same tasks that the build has; of snapshots also split into shards."""

from __future__ import annotations

import sys
from typing import Any

from doit.cmd_base import DoitCmdBase
from doit.exceptions import InvalidCommand

from tasks.agents import agents, open_folder

_OPTIONS: tuple[dict[str, Any], ...] = (
    {
        "name": "stage",
        "long": "stage",
        "type": str,
        "default": "snapshot",
        "help": "the stage whose tasks make the matrix [default: %(default)s]",
    },
    {"name": "only", "long": "only", "type": str, "default": "", "help": "only AGENT, or AGENT:VERSION"},
    {
        "name": "stale",
        "long": "stale",
        "type": bool,
        "default": False,
        "help": "leave out snapshots that are up to date",
    },
    {"name": "shards", "long": "shards", "type": int, "default": 0, "help": "at most so many jobs, balanced by cost"},
    {"name": "output", "long": "as", "type": str, "default": "", "help": "print as a job's output of that name"},
)
_KEYS = ("stage", "agent", "version", "target")


class Matrix(DoitCmdBase):  # type: ignore[misc]
    """A doit command: ``{"include": [{"task": …, "stage": …, "agent": …, "version": …, "target": …}]}``.

    Rows of snapshots say ``runner`` and ``tasks`` too, the words after ``doit`` that fetch and read; those of shards
    say ``name``, ``runner``, ``tasks`` and ``cost`` (in pages) only.
    """

    name = "matrix"
    doc_purpose = "print a stage's tasks as a CI matrix (JSON)"
    doc_usage = ""
    doc_description = None
    cmd_options = tuple({"short": "", **option} for option in _OPTIONS)

    def _execute(self, stage: str, only: str, stale: bool, shards: int, output: str) -> int:
        from pipeline.errors import ParityError
        from pipeline.jobs.output import as_output, matrix_text

        if stage != "snapshot" and (stale or shards):
            raise InvalidCommand("--stale and --shards are for the stage snapshot")
        try:
            rows = _snapshots(only, stale, shards) if stage == "snapshot" else self._tasks(stage, only)
        except ParityError as error:
            raise InvalidCommand(str(error)) from None
        self.outstream.write(as_output(output, rows) if output else matrix_text(rows))
        return 0

    def _tasks(self, stage: str, only: str) -> list[dict[str, Any]]:
        names = sorted(task.name for task in self.task_list if task.name.startswith(f"{stage}:"))
        rows = [{"task": name, **dict(zip(_KEYS, name.split(":"), strict=False))} for name in names]
        return [row for row in rows if _wanted(only, row.get("agent", ""), row.get("version"))]


def _wanted(only: str, agent: str, version: str | None) -> bool:
    name, _, chosen = only.partition(":")
    return not only or (name == agent and (not chosen or chosen == version))


def _snapshots(only: str, stale: bool, jobs: int) -> list[dict[str, Any]]:
    from pipeline.jobs.cells import rows, words_of, work
    from pipeline.jobs.runners import TABLE, read_runners
    from pipeline.jobs.shards import shards

    runners = read_runners()
    cells: list[Any] = []
    homeless: list[str] = []
    for agent in agents():
        if _wanted(only, agent.name, only.partition(":")[2] or None):
            found = work(open_folder(agent), runners, only.partition(":")[2] or None, again=not stale)
            cells += found.cells
            homeless += found.homeless
    for name in homeless:
        sys.stderr.write(f"{name}: no runner in {TABLE.as_posix()}; it is left out, and its union is not complete\n")
    if not jobs:
        return rows(tuple(cells))
    return [
        {"name": f"{number:03}", "runner": one.runner, "cost": one.cost, "tasks": words_of(one.cells)}
        for number, one in enumerate(shards(cells, jobs), 1)
    ]
