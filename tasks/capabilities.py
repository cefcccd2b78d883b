"""capabilities:<agent>: which versions have what the wrapper guards, from the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, group

_WRAPPERS = Path("pipeline", "wrapper")


def task_capabilities() -> Iterator[dict[str, Any]]:
    """Tabulate which versions have the guarded units of the wrapper"""
    yield group(task_capabilities, "capabilities")
    for agent in agents():
        if agent.wrapper is None:
            continue
        table = _WRAPPERS / agent.wrapper / "capabilities.json"
        yield Step(
            stage="capabilities",
            name=agent.name,
            doc=f"what each version of {agent.name} has of the wrapper's guarded units",
            inputs=(agent.root.agent, agent.root.rules, agent.root.timeline),
            outputs=(table,),
            rooms=("history", "wrapper"),
            call=partial(_capabilities, agent, table),
        ).task()


def _capabilities(agent: AgentFolder, table: Path) -> None:
    from pipeline import stages

    stages.capabilities(open_folder(agent), table)
