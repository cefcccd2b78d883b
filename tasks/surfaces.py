"""surfaces:<agent>: what every version offers besides its command line, from all unions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, group


def task_surfaces() -> Iterator[dict[str, Any]]:
    """Tabulate what versions offer besides their command line"""
    yield group(task_surfaces, "surfaces")
    for agent in agents():
        if not agent.tells_surfaces:
            continue
        yield Step(
            stage="surfaces",
            name=agent.name,
            doc=f"features, methods and hook events of {agent.name}, by version",
            inputs=(agent.root.agent, agent.root.rules, *(agent.root.union(one) for one in agent.root.versions())),
            outputs=(agent.root.surfaces,),
            rooms=("history",),
            call=partial(_surfaces, agent),
        ).task()


def _surfaces(agent: AgentFolder) -> None:
    from pipeline import stages

    stages.surfaces(open_folder(agent))
