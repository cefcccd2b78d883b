"""An agent's folder, opened: its root with the rules and, where this project made it, its ``agent.toml``.

A folder that another tool made has no ``agent.toml``: its tool is the one that its snapshots agree on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import canonical
from pipeline.clock import timestamp
from pipeline.contract.exclusions import Problem
from pipeline.contract.links import refuse_outside
from pipeline.contract.rules import Rules, judge_rules, read_rules
from pipeline.errors import ArtifactMissing, UsageError
from pipeline.layout import Root
from pipeline.surface.lock import Lock

if TYPE_CHECKING:
    from pipeline.contract.agent import Agent, Wrapper


@dataclass(frozen=True, slots=True)
class Folder:
    root: Root
    rules: Rules
    rules_path: Path
    agent: Agent | None

    @property
    def tool(self) -> str | None:
        return self.agent.tool if self.agent else None

    @property
    def program(self) -> str:
        return self.agent.program if self.agent else ""

    @property
    def has_wrapper(self) -> bool:
        """Whether there is a wrapper to compare with. Another tool's folder brings its own coverage."""
        return self.agent is None or self.agent.wrapper is not None

    @property
    def wrapper(self) -> Wrapper:
        """What ``agent.toml`` says of the wrapper; raises UsageError if it names none."""
        if self.agent is None or self.agent.wrapper is None:
            raise UsageError(
                "no wrapper is named",
                remedy=f"add a [wrapper] table to {self.root.agent}, or use --wrapper or --from",
            )
        return self.agent.wrapper

    def require_agent(self) -> Agent:
        """Raises ArtifactMissing if there is no ``agent.toml``."""
        if self.agent is None:
            raise ArtifactMissing(
                "no such file", where=self.root.agent, remedy="describe the agent in an agent.toml first"
            )
        return self.agent

    def lock(self) -> Lock:
        """The lock of published binaries; empty if none was written yet."""
        return read_lock(self.root)

    def stamp(self, version: str) -> str:
        """The time that artifacts of ``version`` carry. Raises EpochMissing."""
        return timestamp(self.lock().epoch(version))


def read_lock(root: Root) -> Lock:
    """The lock of published binaries below a root; an empty one when there is no file yet."""
    if not root.lock.exists():
        return Lock(lock_schema_version=1, rows=())
    return canonical.read(root.lock, Lock)


def open_folder(root: Path, rules: Path | None = None) -> Folder:
    """Open an agent's folder; ``rules`` replaces its own RULES.json.

    Raises ArtifactMissing if the folder or its rules are not there, RulesInvalid if they cannot be followed.
    """
    place = _place(root)
    return _opened(place, read_rules(rules or place.rules), rules)


def judge_folder(root: Path, rules: Path | None = None) -> tuple[Folder, tuple[Problem, ...]]:
    """The same for validation: what is wrong with the rules' exclusions is told, and only the sound ones count."""
    place = _place(root)
    judged, problems = judge_rules(rules or place.rules)
    return _opened(place, judged, rules), problems


def _place(root: Path) -> Root:
    if not root.is_dir():
        raise ArtifactMissing("no such folder", where=root, remedy="name the folder of an agent with --root")
    place = Root(root)
    refuse_outside(place, (place.rules, place.agent))
    return place


def _opened(root: Root, rules: Rules, rules_path: Path | None) -> Folder:
    return Folder(
        root=root,
        rules=rules,
        rules_path=rules_path or root.rules,
        agent=_agent(root.agent) if os.path.lexists(root.agent) else None,
    )


def _agent(path: Path) -> Agent:
    from pipeline.contract.agent import read_agent  # folders of other tools have none

    return read_agent(path)
