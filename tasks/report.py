"""report:<agent>:<version>: what upstream offers against what the wrapper supports."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step


def task_report() -> Iterator[dict[str, Any]]:
    """Compare a version with the wrapper"""
    for agent in filter(attrgetter("has_wrapper"), agents()):
        for version in agent.root.versions():
            yield Step(
                stage="report",
                name=f"{agent.name}:{version}",
                doc=f"coverage reports of {agent.name} {version}",
                inputs=(
                    agent.root.agent,
                    agent.root.rules,
                    agent.root.union(version),
                    agent.root.wrapper_coverage,
                ),
                outputs=report_files(agent, version),
                rooms=("report",),
                settings=(agent.epoch(version),),
                leftovers=leftover_reports(agent, version),
                call=partial(_report, agent, version),
            ).task()


def report_files(agent: AgentFolder, version: str) -> tuple[Path, ...]:
    """The files of a version's reports: any, each target, and all once no expected target is missing."""
    targets = agent.targets(version)
    modes = ["any", *targets, *(["all"] if targets == agent.expected_targets else [])]
    return tuple(agent.root.report(version, mode, suffix) for mode in modes for suffix in (".json", ".md"))


def leftover_reports(agent: AgentFolder, version: str) -> tuple[Path, ...]:
    """Reports of questions that are no longer asked, such as a target whose snapshot is gone."""
    there = agent.root.reports(version).glob("coverage.*")
    return tuple(sorted({path for path in there if path.suffix in (".json", ".md")} - {*report_files(agent, version)}))


def _report(agent: AgentFolder, version: str) -> None:
    from pipeline import stages

    stages.report(open_folder(agent), version)
