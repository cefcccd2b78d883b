"""watch[:<agent>]: which agents have a newer stable release than what is committed (uses the network)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from doit.exceptions import TaskFailed

from pipeline.layout import MANIFESTS
from tasks.agents import agents
from tasks.step import asked_for


def task_watch() -> Iterator[dict[str, Any]]:
    """Tell which agents have a newer release than what is committed (uses the network)"""
    for agent in agents():
        yield asked_for("watch", agent.name, f"look for a newer release of {agent.name}", partial(_watch, agent.name))


def _watch(name: str) -> TaskFailed | None:
    from pathlib import Path

    from pipeline.watch import watch

    watched = watch(Path(MANIFESTS), [name])
    for one in watched.newer:
        print(f"{one.agent} {one.version} ({one.committed or 'nothing'} is committed)")  # noqa: T201
    return TaskFailed("\n".join(watched.failed.values())) if watched.failed else None
