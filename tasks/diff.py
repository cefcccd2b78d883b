"""diff:<agent>:<A>..<B>: what changed between two versions; trial:… what their binaries say of its witnesses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, group


def task_diff() -> Iterator[dict[str, Any]]:
    """Tell what changed between two neighbouring versions"""
    yield group(task_diff, "diff")
    for agent in agents():
        for before, after in agent.root.neighbours():
            record = agent.root.diff(before, after, ".trials.json")
            yield Step(
                stage="diff",
                name=f"{agent.name}:{before}..{after}",
                doc=f"what changed from {agent.name} {before} to {after}",
                inputs=(*_inputs(agent, before, after), *([record] if record.exists() else [])),
                outputs=diff_outputs(agent, before, after),
                rooms=("history",),
                call=partial(_diff, agent, before, after),
            ).task()


def task_trial() -> Iterator[dict[str, Any]]:
    """Put the witnesses of a diff to the two acquired binaries"""
    for agent in agents():
        for before, after in agent.root.neighbours():
            yield Step(
                stage="trial",
                name=f"{agent.name}:{before}..{after}",
                doc=f"what the binaries of {agent.name} {before} and {after} say of the diff's witnesses",
                inputs=(*_inputs(agent, before, after), agent.root.lock),
                outputs=(agent.root.diff(before, after, ".trials.json"),),
                rooms=("history", "process", "snapshot", "helptext", "oracle", "acquire"),
                detached=True,
                call=partial(_trial, agent, before, after),
            ).task()


def diff_outputs(agent: AgentFolder, before: str, after: str) -> tuple[Path, ...]:
    return tuple(agent.root.diff(before, after, suffix) for suffix in (".json", ".md"))


def _inputs(agent: AgentFolder, before: str, after: str) -> tuple[Path, ...]:
    return (agent.root.agent, agent.root.rules, agent.root.union(before), agent.root.union(after))


def _diff(agent: AgentFolder, before: str, after: str) -> None:
    from pipeline import stages

    stages.diff(open_folder(agent), before, after)


def _trial(agent: AgentFolder, before: str, after: str) -> None:
    from pipeline import stages

    stages.trial(open_folder(agent), before, after)
