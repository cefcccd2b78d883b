"""promote:<agent>:<version>: make a version the latest validated one. Never runs unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import run

_PARAMS = [
    {"name": "bundles", "long": "bundles", "default": "", "help": "outcomes from snapshots that jobs took again"},
    {"name": "expect", "long": "expect", "default": "", "help": "the matrix that these jobs were started for"},
]


def task_promote() -> Iterator[dict[str, Any]]:
    """Make a version the latest validated one, or change nothing"""
    for agent in agents():
        for version in agent.root.versions():
            yield {
                "basename": "promote",
                "name": f"{agent.name}:{version}",
                "doc": f"make {agent.name} {version} the latest validated version",
                "params": _PARAMS,
                "actions": [partial(_start, agent, version)],
                "uptodate": [False],
            }


def _start(agent: AgentFolder, version: str, bundles: str, expect: str) -> Any:
    return run(partial(_promote, agent, version, bundles, expect), ())


def _promote(agent: AgentFolder, version: str, bundles: str, expect: str) -> None:
    from pipeline import upkeep

    folder, validation = open_folder(agent), None
    if bundles or expect:
        from pipeline.jobs.verdicts import judged

        validation = judged(folder, version, Path(bundles) if bundles else None, Path(expect) if expect else None)
    for path in upkeep.promote(folder, version, validation):
        print(path)  # noqa: T201
