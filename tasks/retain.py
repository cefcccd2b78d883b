"""retain:<agent>: which versions' snapshots and reports are kept; ``--apply`` deletes the others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import run

_APPLY = {"name": "apply", "long": "apply", "type": bool, "default": False, "help": "delete what is not kept"}


def task_retain() -> Iterator[dict[str, Any]]:
    """List the versions that are kept and those that are not"""
    for agent in agents():
        yield {
            "basename": "retain",
            "name": agent.name,
            "doc": f"list the versions of {agent.name} that are kept",
            "params": [_APPLY],
            "actions": [partial(_start, agent)],
            "uptodate": [False],
        }


def _start(agent: AgentFolder, apply: bool) -> Any:
    return run(partial(_retain, agent, apply), ())


def _retain(agent: AgentFolder, apply: bool) -> None:
    from pipeline import upkeep

    print(upkeep.retain(open_folder(agent), apply=apply).listing(applied=apply), end="")  # noqa: T201
