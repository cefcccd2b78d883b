"""metadata:<agent>:<version>: the status of a version and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, group


def task_metadata() -> Iterator[dict[str, Any]]:
    """Record the status of a version"""
    yield group(task_metadata, "metadata")
    for agent in agents():
        for version in agent.root.versions():
            yield Step(
                stage="metadata",
                name=f"{agent.name}:{version}",
                doc=f"version metadata of {agent.name} {version}",
                inputs=(
                    agent.root.agent,
                    agent.root.rules,
                    agent.root.union(version),
                    *([agent.root.wrapper_coverage, agent.root.report(version, "any")] if agent.has_wrapper else []),
                ),
                outputs=(agent.root.metadata(version),),
                rooms=("report", "lifecycle"),
                settings=(agent.epoch(version),),
                call=partial(_metadata, agent, version),
            ).task()


def _metadata(agent: AgentFolder, version: str) -> None:
    from pipeline import stages

    stages.version_metadata(open_folder(agent), version)
