"""timeline:<agent>: which versions have each unit, from all snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step


def task_timeline() -> Iterator[dict[str, Any]]:
    """Tabulate which versions have each unit and value"""
    for agent in agents():
        versions = agent.root.versions()
        yield Step(
            stage="timeline",
            name=agent.name,
            doc=f"what each version of {agent.name} that was read has",
            inputs=(
                agent.root.agent,
                agent.root.rules,
                *(agent.root.snapshot(version, target) for version in versions for target in agent.targets(version)),
            ),
            outputs=(agent.root.timeline,),
            rooms=("history",),
            call=partial(_timeline, agent),
        ).task()


def _timeline(agent: AgentFolder) -> None:
    from pipeline import stages

    stages.timeline(open_folder(agent))
