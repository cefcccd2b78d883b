"""promote:<agent>:<version>: make a version the latest validated one. Never runs unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import asked_for


def task_promote() -> Iterator[dict[str, Any]]:
    """Make a version the latest validated one, or change nothing"""
    for agent in agents():
        for version in agent.root.versions():
            yield asked_for(
                "promote",
                f"{agent.name}:{version}",
                f"make {agent.name} {version} the latest validated version",
                partial(_promote, agent, version),
            )


def _promote(agent: AgentFolder, version: str) -> None:
    from pipeline import upkeep

    for path in upkeep.promote(open_folder(agent), version):
        print(path)  # noqa: T201
