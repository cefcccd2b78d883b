"""schema:<agent>: the JSON Schemas of the artifact types; schema:runs: that of a run's manifest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step

RUN_MANIFEST = Path("pipeline") / "runs" / "manifest.schema.json"


def task_schema() -> Iterator[dict[str, Any]]:
    """Write SCHEMA.json and VERSION_METADATA_SCHEMA.json"""
    for agent in agents():
        yield Step(
            stage="schema",
            name=agent.name,
            doc=f"JSON Schemas of {agent.name}'s artifacts",
            inputs=(agent.root.agent, agent.root.rules),
            outputs=(agent.root.schema, agent.root.metadata_schema),
            rooms=("validate",),
            call=partial(_schema, agent),
        ).task()
    yield Step(
        stage="schema",
        name="runs",
        doc="JSON Schema of a run's manifest",
        outputs=(RUN_MANIFEST,),
        rooms=("validate", "runs"),
        call=partial(_run_manifest, RUN_MANIFEST),
    ).task()


def _run_manifest(path: Path) -> None:
    from pipeline.runs.schema import write_schema

    write_schema(path)


def _schema(agent: AgentFolder) -> None:
    from pipeline import stages

    stages.schema(open_folder(agent))
