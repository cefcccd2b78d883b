"""What the task layer must know to name tasks: agents, their versions and targets, from folders and pins.

Read with the standard library on purpose (see ``tasks``). Nothing is judged here: a file that cannot be
read yields no names, and the stage that needs it says what is wrong with it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.layout import MANIFESTS, Root, is_target, is_version

_WRAPPER = re.compile(r"""^\[wrapper\](?:\s*^name\s*=\s*["'](?P<name>\w+)["'])?""", re.MULTILINE)

_SURFACES = re.compile(r"^\[surfaces\]", re.MULTILINE)


@dataclass(frozen=True)
class AgentFolder:
    """One agent's folder, named as in task names."""

    name: str
    root: Root

    @cached_property
    def expected_targets(self) -> list[str]:
        targets = _peek(self.root.rules, "union", "expected_targets")
        return [target for target in targets if is_target(target)] if isinstance(targets, list) else []

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the lock that can name a task."""
        rows = _peek(self.root.lock, "rows")
        return [row for row in rows if _names_a_task(row)] if isinstance(rows, list) else []

    @cached_property
    def wrapper(self) -> str | None:
        """The name of the wrapper that is compared with this agent; without one there is nothing to report on."""
        try:
            # Read for one word on every start: parsing eight files costs as much as listing all tasks.
            found = _WRAPPER.search(self.root.agent.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return self.name  # the stages say what is wrong with the file
        return found and (found["name"] or self.name)

    @cached_property
    def tells_surfaces(self) -> bool:
        """Whether its versions are asked for more than their command line."""
        try:
            return bool(_SURFACES.search(self.root.agent.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return False  # the stages say what is wrong with the file

    @property
    def has_wrapper(self) -> bool:
        return self.wrapper is not None

    def epoch(self, version: str) -> int | None:
        return min((row["epoch"] for row in self.rows if row["version"] == version), default=None)

    def targets(self, version: str) -> list[str]:
        """The expected targets that have a snapshot of ``version``, in expected order."""
        there = set(self.root.targets(version))
        return [target for target in self.expected_targets if target in there]


def agents() -> Iterator[AgentFolder]:
    """The agents of this checkout, by name."""
    folder = Path(MANIFESTS)
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if not path.name.startswith(".") and (path / "agent.toml").exists():
                yield AgentFolder(path.name, Root(path))


def requested(stage: str, agent: str) -> list[tuple[str, ...]]:
    """What the command line asks of a stage, split after the agent: ``lock:codex:0.170.0`` gives ``("0.170.0",)``.

    A version that was never seen has no file to take its task's name from.
    """
    prefix = f"{stage}:{agent}:"
    found = [tuple(word[len(prefix) :].split(":")) for word in sys.argv[1:] if word.startswith(prefix)]
    return [words for words in found if is_version(words[0]) and all(is_target(word) for word in words[1:])]


def open_folder(agent: AgentFolder) -> Any:
    """The agent's folder as the library opens it."""
    from pipeline.contract.folder import open_folder as open_  # only a task that runs needs it

    return open_(agent.root.path)


def _names_a_task(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and is_version(row.get("version"))
        and is_target(row.get("target"))
        and isinstance(row.get("epoch"), int)
        and "sha256" in row
    )


def _peek(path: Path, *keys: str) -> Any:
    """The value under nested keys of a JSON file; None if there is no such thing."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found
