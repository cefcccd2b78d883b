"""Jobs planned: each goal of each adapter that was asked for, as it would be carried out. Planning runs nothing.

Adapters are data: those of the repository's ``pyproject.toml`` (``[[tool.parity.adapters]]``), of a file that has
``[[adapters]]`` as an evaluation's suite has, or the library's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from msgspec import Meta

from pipeline import canonical
from pipeline.declared import NAME, declared
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.evaluation import scenario
from pipeline.surface.units import Shape
from pipeline.toml import parsed, tables

_DEFAULT = "adapters.toml"


class Goal(scenario.Goal, frozen=True, kw_only=True):
    """A command of an adapter. ``cwd`` is a folder of the fixture; whoever wants a clean one gets a copy."""

    env: dict[str, str] = {}
    cwd: str = "."
    requires_clean_fixture: bool = False
    supports_parallel: bool = False


class Adapter(Shape, frozen=True, kw_only=True):
    """How one kind of project does things, by the goal's name."""

    id: str
    description: str
    goals: dict[str, Goal]


class Job(Shape, frozen=True, kw_only=True, omit_defaults=False):
    """One job, with {python} and {fixture} where places of the machine would stand, and no values of variables."""

    adapter: str
    goal: str
    status: Literal["planned"] = "planned"
    argv: tuple[str, ...]
    cwd: Annotated[str, Meta(description="Relative to the fixture.")]
    env_keys: tuple[str, ...]
    requires_clean_fixture: bool
    supports_parallel: bool
    timeout: Annotated[float, Meta(description="In seconds.")]


class Plan(tuple[tuple[Job, Goal], ...]):
    """Jobs, in the order of their adapters and of the goals as asked for, each with what it comes from."""

    @property
    def jobs(self) -> tuple[Job, ...]:
        return tuple(job for job, _ in self)


def adapters(repository: Path, suite: Path | None = None) -> tuple[Adapter, ...]:
    """Raises ArtifactMissing, ArtifactInvalid."""
    if suite is not None:
        return _read(tables(suite), suite)
    if "adapters" in (found := declared(repository)):
        return _read(found, repository / NAME)
    default = resources.files(__package__) / _DEFAULT
    return _read(parsed(default.read_bytes(), default), default)


def plan(found: Sequence[Adapter], goals: Sequence[str], names: Sequence[str] = ()) -> Plan:
    """The goals of these names, in this order, of the adapters of these names, or of all.

    An adapter that has no such goal has no such job. Raises UsageError for a name that nothing answers to.
    """
    if not goals:
        raise UsageError("no goal is named", remedy="name one at least")
    known = {one.id: one for one in found}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no adapter {name!r}", remedy=f"name one of: {', '.join(known)}")
    chosen = [known[name] for name in names] if names else list(found)
    offered = sorted({name for one in chosen for name in one.goals})
    for goal in goals:
        if goal not in offered:
            raise UsageError(f"no adapter has the goal {goal!r}", remedy=f"name some of: {', '.join(offered)}")
    return Plan((_job(one, name), one.goals[name]) for one in chosen for name in goals if name in one.goals)


def _job(adapter: Adapter, name: str) -> Job:
    goal = adapter.goals[name]
    return Job(
        adapter=adapter.id,
        goal=name,
        argv=goal.argv,
        cwd=goal.cwd,
        env_keys=tuple(sorted(goal.env)),
        requires_clean_fixture=goal.requires_clean_fixture,
        supports_parallel=goal.supports_parallel,
        timeout=goal.seconds,
    )


def _read(tables: dict[str, Any], where: object) -> tuple[Adapter, ...]:
    found = canonical.convert(tables.get("adapters", []), tuple[Adapter, ...], where, "adapters")
    names = [one.id for one in found]
    for one in found:
        if names.count(one.id) > 1:
            raise ArtifactInvalid(f"the adapter {one.id!r} is there twice", where=where, remedy="rename one of them")
        for name, goal in one.goals.items():
            place = PurePosixPath(goal.cwd)
            if not goal.argv or not goal.argv[0] or not 0 < goal.seconds < math.inf:
                raise ArtifactInvalid(f"{one.id}.{name}: not a command", where=where, remedy="write argv and seconds")
            if place.is_absolute() or ".." in place.parts:
                raise ArtifactInvalid(
                    f"{one.id}.{name}: {goal.cwd} is not in the fixture", where=where, remedy="correct it"
                )
    if not found:
        raise ArtifactInvalid("there are no adapters", where=where, remedy="write [[adapters]]")
    return found
