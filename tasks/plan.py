"""`doit plan`: what would run and why, without running it; `--json` for CI."""

from __future__ import annotations

import json
from typing import Any

from doit.cmd_base import DoitCmdBase, subtasks_iter
from doit.exceptions import InvalidCommand

_JSON = {"name": "as_json", "short": "", "long": "json", "type": bool, "default": False, "help": "print JSON"}


class Plan(DoitCmdBase):  # type: ignore[misc]
    """A doit command: the selected tasks (the default ones if none) with their state."""

    name = "plan"
    doc_purpose = "show what would run and why, without running it"
    doc_usage = "[TASK ...]"
    doc_description = None
    cmd_options = (_JSON,)

    def _execute(self, as_json: bool) -> int:
        rows = [self._row(task) for task in self._selected()]
        # Only what a task writes itself is known to be new; what depends on it may turn out unchanged.
        stale = {output for row in rows if row["state"] != "fresh" for output in row["outputs"]}
        for row in rows:
            waits = sorted(stale.intersection(row["inputs"]))
            if row["state"] == "fresh" and waits:
                row["state"] = "waits"
                row["why"] = [f"input may change: {path}" for path in waits]
                stale.update(row["outputs"])
        if as_json:
            self.outstream.write(json.dumps(rows, indent=2) + "\n")
        else:
            for row in rows:
                self.outstream.write(f"{row['state']:<6}{row['task']}\n")
                self.outstream.writelines(f"      {reason}\n" for reason in row["why"])
        return 0

    def _selected(self) -> list[Any]:
        """The selected tasks and what they depend on, dependencies first, groups left out."""
        tasks = {task.name: task for task in self.task_list}
        found: dict[str, Any] = {}

        def visit(name: str) -> None:
            if name not in tasks:
                raise InvalidCommand(not_found=name)
            task = tasks[name]
            if name in found:
                return
            for before in (*task.task_dep, *(one.name for one in subtasks_iter(tasks, task))):
                visit(before)
            found[name] = task

        for name in self.sel_tasks:
            visit(name)
        return [task for task in found.values() if task.actions]

    def _row(self, task: Any) -> dict[str, Any]:
        status = self.dep_manager.get_status(task, {one.name: one for one in self.task_list}, get_log=True)
        state = {"run": "run", "up-to-date": "fresh"}.get(status.status, "error")
        return {
            "task": task.name,
            "state": state,
            "why": sorted(_why(status.reasons)),
            "inputs": sorted(path.replace("\\", "/") for path in task.file_dep),
            "outputs": (task.meta or {}).get("outputs", []),
        }


_TEXTS = {
    "changed_file_dep": "input changed",
    "added_file_dep": "input is new",
    "removed_file_dep": "input is gone",
    "missing_file_dep": "input is missing",
    "missing_target": "output is missing",
    "checker_changed": "the way of comparing inputs changed",
    "has_no_dependencies": "always runs",
}


def _why(reasons: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for reason, what in reasons.items():
        if reason == "uptodate_false":
            found.update(getattr(one[0], "reason", "always runs") for one in what)
        elif isinstance(what, list):
            found.update(f"{_TEXTS[reason]}: {str(one).replace(chr(92), '/')}" for one in what)
        else:
            found.add(_TEXTS[reason])
    return found
