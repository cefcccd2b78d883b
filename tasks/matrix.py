"""`doit matrix`: the CI matrix, from the same tasks that the build has."""

from __future__ import annotations

import json
from typing import Any

from doit.cmd_base import DoitCmdBase

_STAGE = {
    "name": "stage",
    "short": "",
    "long": "stage",
    "type": str,
    "default": "snapshot",
    "help": "the stage whose tasks make the matrix [default: %(default)s]",
}
_KEYS = ("stage", "agent", "version", "target")


class Matrix(DoitCmdBase):  # type: ignore[misc]
    """A doit command: ``{"include": [{"task": …, "stage": …, "agent": …, "version": …, "target": …}]}``."""

    name = "matrix"
    doc_purpose = "print a stage's tasks as a CI matrix (JSON)"
    doc_usage = ""
    doc_description = None
    cmd_options = (_STAGE,)

    def _execute(self, stage: str) -> int:
        names = sorted(task.name for task in self.task_list if task.name.startswith(f"{stage}:"))
        include: list[dict[str, Any]] = [
            {"task": name, **dict(zip(_KEYS, name.split(":"), strict=False))} for name in names
        ]
        self.outstream.write(json.dumps({"include": include}, indent=2) + "\n")
        return 0
