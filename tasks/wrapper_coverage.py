"""wrapper-coverage:<agent>: what the wrapper supports, derived from its declarations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step


def task_wrapper_coverage() -> Iterator[dict[str, Any]]:
    """Derive what the wrapper supports from its own code"""
    for agent in filter(attrgetter("has_wrapper"), agents()):
        yield Step(
            stage="wrapper-coverage",
            name=agent.name,
            doc=f"coverage of {agent.name}'s wrapper",
            inputs=(agent.root.agent, agent.root.rules),
            outputs=(agent.root.wrapper_coverage,),
            rooms=("wrapper",),
            call=partial(_wrapper_coverage, agent),
        ).task()


def _wrapper_coverage(agent: AgentFolder) -> None:
    from pipeline import stages

    stages.wrapper_coverage(open_folder(agent))


# doit names a creator's group after the function; the stage's word has a hyphen.
task_wrapper_coverage.basename = "wrapper-coverage"  # type: ignore[attr-defined]
