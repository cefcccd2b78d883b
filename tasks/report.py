"""report:<agent>:<version>[:<wrapper>]: what upstream offers against what the wrapper, or a foreign one, supports."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from pipeline.layout import Root
from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, group
from tasks.trace import Foreign, foreign_wrappers


def task_report() -> Iterator[dict[str, Any]]:
    """Compare a version with the wrapper"""
    yield group(task_report, "report")
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
                    agent.root.timeline,
                    agent.root.wrapper_coverage,
                ),
                outputs=report_files(agent, version),
                rooms=("history", "report"),
                settings=(agent.epoch(version),),
                leftovers=leftover_reports(agent, version),
                call=partial(_report, agent, version),
            ).task()
    for agent in agents():
        for one in foreign_wrappers(agent):
            yield Step(
                stage="report",
                name=f"{agent.name}:{one.version}:{one.name}",
                doc=f"coverage reports of {agent.name} {one.version} for {one.name}",
                inputs=(
                    agent.root.agent,
                    agent.root.rules,
                    agent.root.union(one.version),
                    agent.root.timeline,
                    one.root.description,
                    one.root.wrapper_coverage,
                ),
                outputs=report_files(agent, one.version, one.root),
                rooms=("history", "trace", "report"),
                settings=(agent.epoch(one.version),),
                leftovers=leftover_reports(agent, one.version, one.root),
                call=partial(_foreign_report, one),
            ).task()


def report_files(agent: AgentFolder, version: str, root: Root | None = None) -> tuple[Path, ...]:
    """The files of a version's reports: any, each target, and all once no expected target is missing.

    They lie below ``root``: the agent's folder, or that of a foreign wrapper.
    """
    targets = agent.targets(version)
    modes = ["any", *targets, *(["all"] if targets == agent.expected_targets else [])]
    return tuple((root or agent.root).report(version, mode, suffix) for mode in modes for suffix in (".json", ".md"))


def leftover_reports(agent: AgentFolder, version: str, root: Root | None = None) -> tuple[Path, ...]:
    """Reports of questions that are no longer asked, such as a target whose snapshot is gone."""
    there = (root or agent.root).reports(version).glob("coverage.*")
    wanted = {*report_files(agent, version, root)}
    return tuple(sorted({path for path in there if path.suffix in (".json", ".md")} - wanted))


def _report(agent: AgentFolder, version: str) -> None:
    from pipeline import stages

    stages.report(open_folder(agent), version)


def _foreign_report(one: Foreign) -> None:
    from pipeline.report.foreign import write_foreign_reports

    write_foreign_reports(open_folder(one.agent), one.name)
