"""union:<agent>:<version>: the snapshots of a version, merged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, group


def task_union() -> Iterator[dict[str, Any]]:
    """Merge the snapshots of a version"""
    yield group(task_union, "union")
    for agent in agents():
        for version in agent.root.versions():
            yield Step(
                stage="union",
                name=f"{agent.name}:{version}",
                doc=f"union of {agent.name} {version}",
                inputs=(
                    agent.root.agent,
                    agent.root.rules,
                    *(agent.root.snapshot(version, target) for target in agent.targets(version)),
                ),
                outputs=(agent.root.union(version),),
                rooms=("union",),
                settings=(agent.epoch(version),),
                call=partial(_union, agent, version),
            ).task()


def _union(agent: AgentFolder, version: str) -> None:
    from pipeline import stages

    stages.union(open_folder(agent), version)
