"""support-matrix:all: one table of what every version of every agent is worth on each target."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.layout import MANIFESTS, MATRIX, POINTERS
from tasks.agents import AgentFolder, agents
from tasks.report import leftover_reports, report_files
from tasks.step import Step

MATRIX_FILES = tuple(Path(MANIFESTS) / MATRIX / name for name in ("current.json", "README.md"))


def task_support_matrix() -> Iterator[dict[str, Any]]:
    """Write the support matrix of all agents"""
    workspace = Path(MANIFESTS)
    yield Step(
        stage="support-matrix",
        name="all",
        doc="what every version of every agent is worth on each target",
        inputs=tuple(path for agent in agents() for path in _evidence(agent)),
        outputs=MATRIX_FILES,
        rooms=("lifecycle",),
        call=partial(_support_matrix, workspace),
    ).task()


def _evidence(agent: AgentFolder) -> Iterator[Path]:
    """What the rows of an agent rest on: what is there, and what other stages are about to write."""
    root = agent.root
    yield from (root.agent, root.rules)
    yield from filter(Path.exists, (root.current, *_pointers(agent)))
    metadata, reports = set(root.path.glob("versions/*.json")), set(root.path.glob("reports/[!.]*/coverage.*.json"))
    for version in root.versions():
        metadata.add(root.metadata(version))
        if agent.has_wrapper:
            reports.update(path for path in report_files(agent, version) if path.suffix == ".json")
            # An input that vanishes while doit runs would stop it.
            reports.difference_update(leftover_reports(agent, version))
    yield from sorted(metadata | reports)


def _pointers(agent: AgentFolder) -> Iterator[Path]:
    for kind in POINTERS:
        for target in agent.expected_targets:
            yield agent.root.pointer(kind, target)


def _support_matrix(workspace: Path) -> None:
    from pipeline import stages

    stages.support_matrix(workspace)


# doit names a creator's group after the function; the stage's word has a hyphen.
task_support_matrix.basename = "support-matrix"  # type: ignore[attr-defined]
