"""trace:<agent>:<wrapper> and fetch-wrapper:<agent>:<wrapper> (uses the network): what a foreign wrapper emits.

Never default, and nothing depends on them: what follows from the evidence is a task of ``wrapper-coverage`` and one of
``report``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.layout import WrapperRoot, is_version
from tasks.agents import AgentFolder, agents, open_folder
from tasks.step import Step, asked_for

_UPSTREAM = re.compile(r'^upstream_version = "([^"]*)"', re.MULTILINE)


@dataclass(frozen=True)
class Foreign:
    """One foreign wrapper of an agent, and the upstream version that it is held against."""

    agent: AgentFolder
    name: str
    version: str

    @property
    def root(self) -> WrapperRoot:
        return self.agent.root.wrapper(self.name)

    @property
    def authored(self) -> tuple[Path, ...]:
        """All files of its folder that decide what is recorded: those that no stage derives."""
        derived = {self.root.evidence, self.root.wrapper_coverage, self.root.summary}
        files = {path for path in self.root.path.iterdir() if path.is_file()} - derived
        files.update(path for path in (self.root.path / "requirements").rglob("*") if path.is_file())
        return tuple(sorted(path for path in files if not path.name.startswith(".")))


def foreign_wrappers(agent: AgentFolder) -> Iterator[Foreign]:
    """The foreign wrappers that an agent's folder describes, by name."""
    for name in agent.root.wrapper_names():
        try:
            said = agent.root.wrapper(name).description.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue  # validation says what is wrong with it
        found = _UPSTREAM.search(said)
        if found and is_version(found[1]):
            yield Foreign(agent, name, found[1])


def task_fetch_wrapper() -> Iterator[dict[str, Any]]:
    """Fetch a foreign wrapper's package into the cache (uses the network)"""
    for agent in agents():
        for one in foreign_wrappers(agent):
            yield asked_for(
                "fetch-wrapper",
                f"{agent.name}:{one.name}",
                f"fetch {one.name}, a wrapper of {agent.name}",
                partial(_fetch, one),
            )


def task_trace() -> Iterator[dict[str, Any]]:
    """Record what a fetched foreign wrapper emits"""
    for agent in agents():
        for one in foreign_wrappers(agent):
            yield Step(
                stage="trace",
                name=f"{agent.name}:{one.name}",
                doc=f"evidence of what {one.name} emits",
                inputs=(agent.root.agent, agent.root.rules, agent.root.union(one.version), *one.authored),
                outputs=(one.root.evidence,),
                rooms=("process", "trace", "foreign"),
                detached=True,
                call=partial(_trace, one),
            ).task()


def _fetch(one: Foreign) -> None:
    from pipeline import foreign

    foreign.fetch(open_folder(one.agent), one.name)


def _trace(one: Foreign) -> None:
    from pipeline import foreign

    foreign.trace(open_folder(one.agent), one.name)


# doit names a creator's group after the function; the stage's word has a hyphen.
task_fetch_wrapper.basename = "fetch-wrapper"  # type: ignore[attr-defined]
