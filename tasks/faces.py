"""faces:<agent>:<version>[:<wrapper>]: a report as CI wants it, in ``build/faces``; never default, never committed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from pipeline.layout import Root
from tasks.agents import AgentFolder, agents
from tasks.step import Step
from tasks.trace import foreign_wrappers

_INTO = Path("build") / "faces"
_OWN = "wrapper"
_FILES = (
    "report.txt",
    "report.md",
    "report.json",
    "report.sarif",
    "report.junit.xml",
    "annotations.txt",
    "summary.md",
    "pull_request.md",
    "badge.svg",
)


def task_faces() -> Iterator[dict[str, Any]]:
    """Show a version's report as SARIF, JUnit, annotations, a pull request's text and a badge"""
    for agent in filter(attrgetter("has_wrapper"), agents()):
        for version in agent.root.versions():
            yield _step(agent, version, _OWN, agent.root).task()
    for agent in agents():
        for one in foreign_wrappers(agent):
            yield _step(agent, one.version, one.name, one.root).task()


def _step(agent: AgentFolder, version: str, wrapper: str, root: Root) -> Step:
    into = _INTO / agent.name / version / wrapper
    before = [one for one, other in agent.root.neighbours() if other == version]
    records = (agent.root.diff(one, version, ".trials.json") for one in before)
    foreign = list(foreign_wrappers(agent))
    coverages = [one.root.wrapper_coverage for one in foreign]
    return Step(
        stage="faces",
        name=":".join((agent.name, version, *([wrapper] if wrapper != _OWN else []))),
        doc=f"the report on {agent.name} {version} as CI wants it",
        inputs=(
            agent.root.agent,
            agent.root.rules,
            agent.root.timeline,
            *(agent.root.union(one) for one in (*before, version)),
            *(record for record in records if record.exists()),
            *(report for one in (*before, version) if (report := root.report(one, "any")).exists() or one == version),
            *(one.root.description for one in foreign),
            *([agent.root.wrapper_coverage] if agent.has_wrapper else []),
            *coverages,
        ),
        outputs=tuple(into / name for name in _FILES),
        rooms=("faces", "history", "questions", "report", "trace", "wrapper"),
        call=partial(_faces, agent, version, wrapper, into),
    )


def _faces(agent: AgentFolder, version: str, wrapper: str, into: Path) -> None:
    from pipeline.faces.stage import write_faces

    write_faces(agent.root.path, version, wrapper, into)
