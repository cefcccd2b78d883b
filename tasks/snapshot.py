"""snapshot:<agent>:<version>:<target>: the surface of one acquired binary. Never runs unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder, requested
from tasks.step import Step


def task_snapshot() -> Iterator[dict[str, Any]]:
    """Read the surface of an acquired binary"""
    for agent in agents():
        known = {(row["version"], row["target"]): row.get("tree_sha256", row["sha256"]) for row in agent.rows}
        asked = {words: None for words in requested("snapshot", agent.name) if len(words) == 2}  # noqa: PLR2004
        for (version, target), sha256 in {**asked, **known}.items():
            supplement = agent.root.supplement
            yield Step(
                stage="snapshot",
                name=f"{agent.name}:{version}:{target}",
                doc=f"snapshot of {agent.name} {version} on {target}",
                inputs=(agent.root.agent, agent.root.rules, *([supplement] if supplement.exists() else [])),
                outputs=(agent.root.snapshot(version, target),),
                rooms=("process", "helptext", "oracle", "snapshot"),
                settings=(sha256, agent.epoch(version)),
                detached=True,
                call=partial(_snapshot, agent, version, target),
            ).task()


def _snapshot(agent: AgentFolder, version: str, target: str) -> None:
    from pipeline import stages

    stages.snapshot(open_folder(agent), version, target)
