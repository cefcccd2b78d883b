"""validate:<agent>: every artifact of an agent's folder, checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from tasks.agents import AgentFolder, agents
from tasks.diff import diff_outputs
from tasks.report import leftover_reports, report_files
from tasks.step import Step
from tasks.support_matrix import MATRIX_FILES
from tasks.trace import foreign_wrappers


def task_validate() -> Iterator[dict[str, Any]]:
    """Check every artifact of an agent, and the support matrix"""
    for agent in agents():
        yield Step(
            stage="validate",
            name=agent.name,
            doc=f"check every artifact of {agent.name}",
            inputs=tuple(sorted({*_committed(agent), *_derived(agent), *MATRIX_FILES} - {*_leftovers(agent)})),
            rooms=(
                "oracle",
                "history",
                "union",
                "wrapper",
                "trace",
                "report",
                "lifecycle",
                "validate",
                "upkeep",
                "check",
            ),
            call=partial(_validate, agent),
        ).task()


def _committed(agent: AgentFolder) -> Iterator[Path]:
    """Every file of the folder that is not hidden, nor in a hidden folder; raw help is kept for people."""
    for folder, inner, names in os.walk(agent.root.path):
        inner[:] = [name for name in inner if name != "raw_help" and not name.startswith(".")]
        paths = (Path(folder, name) for name in names if not name.startswith("."))
        yield from filter(Path.is_file, paths)


def _derived(agent: AgentFolder) -> Iterator[Path]:
    """Every file that another stage writes: so that they come first, also when they are not there yet."""
    yield from (agent.root.schema, agent.root.metadata_schema)
    for version in agent.root.versions():
        yield agent.root.union(version)
        yield agent.root.metadata(version)
    if agent.tells_surfaces:
        yield agent.root.surfaces
    for before, after in agent.root.neighbours():
        yield from diff_outputs(agent, before, after)
    if agent.has_wrapper:
        yield agent.root.wrapper_coverage
        for version in agent.root.versions():
            yield from report_files(agent, version)
    for one in foreign_wrappers(agent):
        yield from (one.root.wrapper_coverage, one.root.summary)
        yield from report_files(agent, one.version, one.root)


def _leftovers(agent: AgentFolder) -> Iterator[Path]:
    """What the report stage is about to remove: an input that vanishes while doit runs would stop it."""
    for version in agent.root.versions():
        yield from leftover_reports(agent, version)
    for one in foreign_wrappers(agent):
        yield from leftover_reports(agent, one.version, one.root)


def _validate(agent: AgentFolder) -> TaskFailed | None:
    from pipeline.check import check
    from pipeline.validate import render_lines

    findings = check(agent.root.path).findings
    return TaskFailed(f"{len(findings)} findings\n{render_lines(findings)}") if findings else None
