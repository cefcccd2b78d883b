"""What the task layer must know to name tasks: agents, their versions and targets, from folders and pins.

Read with the standard library on purpose (see ``tasks``). Nothing is judged here: a file that cannot be
read yields no names, and the stage that needs it says what is wrong with it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.layout import MANIFESTS, Root, is_version


@dataclass(frozen=True)
class AgentFolder:
    """One agent's folder, named as in task names."""

    name: str
    root: Root

    @cached_property
    def expected_targets(self) -> list[str]:
        targets = _peek(self.root.rules).get("union", {}).get("expected_targets", [])
        return [target for target in targets if isinstance(target, str)]

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the lock."""
        return [row for row in _peek(self.root.lock).get("rows", []) if isinstance(row, dict)]

    def epoch(self, version: str) -> int | None:
        return min((row["epoch"] for row in self.rows if row.get("version") == version), default=None)

    def targets(self, version: str) -> list[str]:
        """The expected targets that have a snapshot of ``version``, in expected order."""
        there = set(self.root.targets(version))
        return [target for target in self.expected_targets if target in there]


def agents() -> Iterator[AgentFolder]:
    """The agents of this checkout, by name."""
    folder = Path(MANIFESTS)
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if (path / "agent.toml").exists():
                yield AgentFolder(path.name, Root(path))


def requested(stage: str, agent: str) -> list[tuple[str, ...]]:
    """What the command line asks of a stage, split after the agent: ``lock:codex:0.170.0`` gives ``("0.170.0",)``.

    A version that was never seen has no file to take its task's name from.
    """
    prefix = f"{stage}:{agent}:"
    found = [tuple(word[len(prefix) :].split(":")) for word in sys.argv[1:] if word.startswith(prefix)]
    return [words for words in found if is_version(words[0])]


def open_folder(agent: AgentFolder) -> Any:
    """The agent's folder as the library opens it."""
    from pipeline.contract.folder import open_folder as open_  # only a task that runs needs it

    return open_(agent.root.path)


def _peek(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
