"""The steps of a goal, as the commands of a run: what is carried out, in which order, and with which words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline import canonical
from pipeline.errors import UsageError
from pipeline.runs import queue
from pipeline.runs.folder import RunFolder
from pipeline.runs.goals.evidence import ANSWER, SCHEMA
from pipeline.runs.goals.settings import Setting, Settings, settings
from pipeline.runs.goals.worktree import base_of
from pipeline.runs.manifest import AgentUsed, Command, Goal, Role
from pipeline.runs.queue import Queued
from pipeline.wrapper.turning import Ask, turning

KIND, SETTINGS = "goal", "goal.json"


class Prepared(NamedTuple):
    """What ``begin.start`` needs for a goal. ``settings`` goes into the run's folder."""

    goal: Goal
    commands: tuple[Command, ...]
    settings: Settings


def prepare(
    repository: Path, text: str, agent: AgentUsed, *, tests: Sequence[Queued] = (), model: str | None = None
) -> Prepared:
    """``tests`` replace those of the settings, ``model`` that of every role.

    Raises UsageError for a goal that says nothing or spells a secret, for an agent that makes no turns, and outside of
    a repository.
    """
    if not text.strip():
        raise UsageError("the goal says nothing", remedy="say what shall be reached")
    queue.keepable("the goal", text)
    found = settings(repository)
    if tests:
        found = msgspec.structs.replace(found, tests=tuple(tests))
    if model is not None:
        roles = ("manager", "builder", "reviewer")
        replaced = {role: msgspec.structs.replace(getattr(found, role), model=model) for role in roles}
        found = msgspec.structs.replace(found, **replaced)
    makes = turning(agent.name)

    def step(role: Role, setting: Setting) -> Command:
        places = {"schema": Path("{evidence}", SCHEMA), "answer": Path("{evidence}", ANSWER)}
        ask = Ask(prompt="x", sandbox=setting.sandbox, model=setting.model, **places)
        return Command(index=0, id=role, argv=("{agent}", *makes.command(ask).line().argv), status="pending", role=role)

    testers = queue.commands(found.tests, repository)
    steps = (
        step("manager", found.manager),
        step("builder", found.builder),
        *(msgspec.structs.replace(one, role="tester") for one in testers),
        step("reviewer", found.reviewer),
    )
    commands = tuple(msgspec.structs.replace(one, index=index) for index, one in enumerate(steps, 1))
    return Prepared(Goal(text=text, base=base_of(repository), settings=SETTINGS), commands, found)


def keep(folder: RunFolder, found: Settings) -> None:
    """Write the settings into a run. Raises WriteFailed."""
    canonical.write(folder.path / SETTINGS, canonical.encode(found))
