"""acquire:<agent>:<version>:<target> and lock:<agent>:<version>: the only tasks that use the network.

Never default, and nothing depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tasks.agents import AgentFolder, agents, open_folder, requested
from tasks.step import asked_for


def task_acquire() -> Iterator[dict[str, Any]]:
    """Fetch a locked binary into the cache (uses the network)"""
    for agent in agents():
        known = {(row["version"], row["target"]) for row in agent.rows}
        asked = {words for words in requested("acquire", agent.name) if len(words) == 2}  # noqa: PLR2004
        for version, target in sorted(known | asked):
            yield asked_for(
                "acquire",
                f"{agent.name}:{version}:{target}",
                f"fetch {agent.name} {version} for {target}",
                partial(_acquire, agent, version, target),
            )


def task_lock() -> Iterator[dict[str, Any]]:
    """Pin the published binaries of a version (uses the network)"""
    for agent in agents():
        known = {row["version"] for row in agent.rows}
        asked = {words[0] for words in requested("lock", agent.name) if len(words) == 1}
        for version in sorted(known | asked):
            yield asked_for(
                "lock",
                f"{agent.name}:{version}",
                f"pin the published binaries of {agent.name} {version}",
                partial(_lock, agent, version),
            )


def _acquire(agent: AgentFolder, version: str, target: str) -> None:
    from pipeline.acquire.fetch import acquire

    folder = open_folder(agent)
    acquire(folder.root, folder.require_agent(), version, target)


def _lock(agent: AgentFolder, version: str) -> None:
    from pipeline.acquire.pin import lock

    folder = open_folder(agent)
    lock(folder.root, folder.require_agent(), version)
