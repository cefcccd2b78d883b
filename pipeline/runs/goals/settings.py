"""The roles of a goal and the tests of its patch, as data: the library's, with what a repository says instead.

A repository's ``[tool.parity.goals]`` replaces single keys of a role, and all of ``tests``. What is read here is
written into the run when it begins, so that going on with it asks the same.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.declared import NAME, declared
from pipeline.errors import ArtifactInvalid
from pipeline.runs.goals.answers import validator
from pipeline.runs.queue import Queued
from pipeline.surface.units import Shape
from pipeline.wrapper.turning import Sandbox

_DEFAULT = "goals.toml"
_MODELS = ("manager", "builder", "reviewer")
_PLACE = re.compile(r"\{(goal|plan|patch|tests)\}")


class Setting(Shape, frozen=True, kw_only=True):
    """What a model is asked in one role, what it may change, and the JSON Schema of its answer."""

    prompt: str
    sandbox: Sandbox
    schema: dict[str, Any]
    model: str | None = None


class Settings(Shape, frozen=True, kw_only=True):
    """All that a goal is carried out by."""

    manager: Setting
    builder: Setting
    reviewer: Setting
    tests: tuple[Queued, ...]


def settings(repository: Path) -> Settings:
    """Raises ArtifactInvalid for what is no setting, and for a role that may change what it shall only read."""
    default = resources.files(__package__) / _DEFAULT
    tables = tomllib.loads(default.read_text(encoding="utf-8"))
    own = declared(repository, "goals")
    merged = {**tables, **own} | {name: {**tables[name], **declared(repository, "goals", name)} for name in _MODELS}
    where: object = repository / NAME if own else default
    found = canonical.convert(merged, Settings, where, "goals")
    for name in _MODELS:
        if name != "builder" and getattr(found, name).sandbox != "read-only":
            raise ArtifactInvalid(
                f"goals.{name}: it may change files", where=where, remedy='its sandbox has to be "read-only"'
            )
        try:
            validator(getattr(found, name).schema)
        except ValueError as error:
            told = str(error).partition("\n")[0]
            raise ArtifactInvalid(f"goals.{name}.schema: {told}", where=where, remedy="correct it") from None
    if not found.tests or not all(one.argv and one.argv[0] for one in found.tests):
        raise ArtifactInvalid("goals.tests: there is nothing to test with", where=where, remedy="write a test's argv")
    return found


def prompt(setting: Setting, values: Mapping[str, str]) -> str:
    """The prompt with everything put in, once: what is put in may spell placeholders itself."""
    return _PLACE.sub(lambda found: values.get(found[1], ""), setting.prompt).strip() + "\n"
