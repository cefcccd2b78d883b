"""Adapters (how a kind of project is built and tested) and scenarios (what shall hold of a fixture), as TOML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, UsageError
from pipeline.surface.units import Shape
from pipeline.toml import tables

# It becomes the name of a file.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


class Goal(Shape, frozen=True, kw_only=True):
    """A command, and what its environment has besides ours.

    {python} is this interpreter, {fixture} the copy of the fixture, {projects} the folder of the projects beside it.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = {}
    seconds: float = 30.0


class Adapter(Shape, frozen=True, kw_only=True):
    """How one kind of project does things, by the goal's name."""

    id: str
    description: str
    goals: dict[str, Goal]


class Project(Shape, frozen=True, kw_only=True):
    """A published source distribution that scenarios take as their fixture; the suite's lock pins it by digest."""

    id: str
    name: str
    version: str
    license: str


class Assertion(Shape, frozen=True, kw_only=True):
    """What shall hold of a file of the fixture, after the goals. ``text`` is what it contains, or how it ends up.

    Of ``diff-match`` it is a unified diff that makes of the fixture what is there, empty for no change; ``path`` may be
    a folder.
    """

    type: Literal["file-exists", "file-contains", "file-equals", "diff-match"]
    path: str
    text: str | None = None


class Scenario(Shape, frozen=True, kw_only=True):
    """Goals are carried out in their order, in a copy of ``fixture``, a folder beside the file that says so, or of a
    ``project``. ``beside`` are projects that it needs.
    """

    id: str
    title: str
    adapter: str
    fixture: str | None = None
    project: str | None = None
    beside: tuple[str, ...] = ()
    goals: tuple[str, ...]
    overrides: dict[str, Goal] = {}
    assertions: tuple[Assertion, ...] = ()


class Suite(Shape, frozen=True, kw_only=True):
    """One file."""

    adapters: tuple[Adapter, ...]
    scenarios: tuple[Scenario, ...]
    projects: tuple[Project, ...] = ()

    def goal(self, scenario: Scenario, name: str) -> Goal:
        """The goal of a scenario: its own, else its adapter's."""
        adapter = next(one for one in self.adapters if one.id == scenario.adapter)
        return scenario.overrides.get(name) or adapter.goals[name]


def read_suite(path: Path) -> Suite:
    """Raises ArtifactMissing, ArtifactInvalid for what is no suite, and for a name that nothing answers to."""
    suite = canonical.convert(tables(path), Suite, path)
    adapters = {one.id: one for one in suite.adapters}
    for problem in _problems(suite, adapters, path.parent):
        raise ArtifactInvalid(problem, where=path, remedy="correct that name")
    return suite


def _problems(suite: Suite, adapters: dict[str, Adapter], folder: Path) -> list[str]:
    if not suite.scenarios:
        return ["there are no scenarios"]
    projects = {one.id for one in suite.projects}
    found = [f"{one.id!r} is no name: use letters, digits, - and _" for one in suite.projects if not _is_name(one.id)]
    for one in suite.scenarios:
        if one.adapter not in adapters:
            found.append(f"{one.id}: there is no adapter {one.adapter!r}")
            continue
        found += _of_goals(one, {**adapters[one.adapter].goals, **one.overrides})
        found += _of_fixture(one, folder)
        found += [f"{one.id}: there is no project {project!r}" for project in needs(one) if project not in projects]
        for each in one.assertions:
            if Path(each.path).is_absolute() or ".." in Path(each.path).parts:
                found.append(f"{one.id}: {each.path} is not in the fixture")
            if each.type != "file-exists" and each.text is None:
                found.append(f"{one.id}: {each.type} of {each.path} needs a text")
    for what, ids in (
        ("scenario", [one.id for one in suite.scenarios]),
        ("project", [one.id for one in suite.projects]),
    ):
        found += [f"the {what} {one!r} is there twice" for one in sorted(set(ids)) if ids.count(one) > 1]
    return found


def _of_goals(one: Scenario, goals: dict[str, Goal]) -> Iterator[str]:
    if not _is_name(one.id):
        yield f"{one.id!r} is no name: use letters, digits, - and _"
    if not one.goals and not one.assertions:
        yield f"{one.id}: it has no goal and no assertion, so it says nothing"
    for name in one.goals:
        goal = goals.get(name)
        if goal is None:
            yield f"{one.id}: there is no goal {name!r}"
        elif not goal.argv or not goal.argv[0] or not 0 < goal.seconds < math.inf:
            yield f"{one.id}: {name} is no command, which needs argv and seconds"


def _of_fixture(one: Scenario, folder: Path) -> Iterator[str]:
    if (one.fixture is None) == (one.project is None):
        yield f"{one.id}: it needs a fixture or a project, and not both"
    if one.fixture is None:
        return
    if Path(one.fixture).is_absolute() or ".." in Path(one.fixture).parts:
        yield f"{one.id}: {one.fixture} is not beside the suite"
    elif not (folder / one.fixture).is_dir():
        yield f"{one.id}: there is no folder {one.fixture}"


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def needs(scenario: Scenario) -> tuple[str, ...]:
    """The projects that a scenario cannot do without."""
    return (*((scenario.project,) if scenario.project else ()), *scenario.beside)


def chosen(suite: Suite, names: list[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names, or all. Raises UsageError for a name that is none."""
    known = {one.id: one for one in suite.scenarios}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no scenario {name!r}", remedy=f"name one of: {', '.join(known)}")
    return tuple(known[name] for name in names) if names else suite.scenarios
