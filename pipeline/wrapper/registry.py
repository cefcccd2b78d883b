"""Find a wrapper by its name: a package in this room that declares ``DECLARATIONS``."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import pipeline.wrapper
from pipeline.errors import UsageError
from pipeline.surface.coverage import Manifest
from pipeline.wrapper.declare import Command
from pipeline.wrapper.derive import Declaration, commands_of, coverage_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wrapper:
    """One agent's declarations: its commands, its groups and its waivers."""

    name: str
    declarations: tuple[Declaration, ...]

    @property
    def commands(self) -> list[type[Command]]:
        return commands_of(self.declarations)

    def coverage(self) -> Manifest:
        return coverage_of(self.declarations)


def known_wrappers() -> list[str]:
    """The names of the wrappers in this room, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(pipeline.wrapper.__path__) if module.ispkg)


def wrapper(name: str) -> Wrapper:
    """The wrapper of that name. Raises UsageError naming the known ones when there is none."""
    module = f"pipeline.wrapper.{name}"
    try:
        package = importlib.import_module(module) if name.isidentifier() else None
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        package = None
    declarations = getattr(package, "DECLARATIONS", None)
    if declarations is None:
        # Only now is anything looked for: a name that is known is imported without listing a folder.
        raise UsageError(f"there is no wrapper {name!r}", remedy=f"name one of: {', '.join(known_wrappers())}")
    return Wrapper(name=name, declarations=declarations)
