"""backfill:<agent>:<version>[:<target>]: one published version read for the timeline alone (uses the network).

Never default, and nothing depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from doit.exceptions import TaskFailed

from tasks.agents import AgentFolder, agents, open_folder, requested
from tasks.step import asked_for, group


def task_backfill() -> Iterator[dict[str, Any]]:
    """Read a version that is not committed, for the timeline (uses the network)"""
    for agent in agents():
        for words in dict.fromkeys(requested("backfill", agent.name)):
            yield asked_for(
                "backfill",
                ":".join((agent.name, *words)),
                f"read {agent.name} {words[0]} for the timeline",
                partial(_backfill, agent, *words),
            )
    # A version that was never read has no file to take its task's name from.
    yield group(task_backfill, "backfill")


def _backfill(agent: AgentFolder, version: str, target: str | None = None) -> TaskFailed | None:
    from pipeline.acquire.listing import named, stable_versions
    from pipeline.backfill import Filler

    folder = open_folder(agent)
    filler = Filler(folder=folder, target=target or folder.rules.union.required_target)
    releases = stable_versions(folder.root, folder.require_agent(), filler.target)
    filled = filler.fill(named(releases, [version]))
    return TaskFailed("\n".join(map(str, filled.failed.values()))) if filled.failed else None
