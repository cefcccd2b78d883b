"""wrapper-coverage:<agent>[:<wrapper>]: what the wrapper supports, derived from its declarations.

A foreign wrapper has none: its coverage is derived from the evidence of its trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, group
from tasks.trace import Foreign, foreign_wrappers


def task_wrapper_coverage() -> Iterator[dict[str, Any]]:
    """Derive what the wrapper supports from its own code"""
    yield group(task_wrapper_coverage, "wrapper-coverage")
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
    for agent in agents():
        for one in foreign_wrappers(agent):
            yield Step(
                stage="wrapper-coverage",
                name=f"{agent.name}:{one.name}",
                doc=f"coverage of {one.name}, from what it was seen to emit",
                inputs=(one.root.description, one.root.lock, one.root.evidence, agent.root.union(one.version)),
                outputs=(one.root.wrapper_coverage, one.root.summary),
                rooms=("trace",),
                call=partial(_foreign_coverage, one),
            ).task()


def _wrapper_coverage(agent: AgentFolder) -> None:
    from pipeline import stages

    stages.wrapper_coverage(open_folder(agent))


def _foreign_coverage(one: Foreign) -> None:
    from pipeline.trace.stage import write_foreign_coverage

    write_foreign_coverage(open_folder(one.agent), one.name)


# doit names a creator's group after the function; the stage's word has a hyphen.
task_wrapper_coverage.basename = "wrapper-coverage"  # type: ignore[attr-defined]
