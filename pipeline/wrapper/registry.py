"""Find a wrapper by its name: a package in this room that declares ``DECLARATIONS``."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil

import pipeline.wrapper
from pipeline.errors import UsageError
from pipeline.surface.coverage import Manifest
from pipeline.wrapper.derive import Declaration, coverage_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wrapper:
    """One agent's declarations: its commands and its waivers."""

    name: str
    declarations: tuple[Declaration, ...]

    def coverage(self) -> Manifest:
        return coverage_of(self.declarations)


def known_wrappers() -> list[str]:
    """The names of the wrappers in this room, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(pipeline.wrapper.__path__) if module.ispkg)


def wrapper(name: str) -> Wrapper:
    """The wrapper of that name. Raises UsageError naming the known ones when there is none."""
    known = known_wrappers()
    if name not in known:
        raise UsageError(f"there is no wrapper {name!r}", remedy=f"name one of: {', '.join(known)}")
    return Wrapper(name=name, declarations=importlib.import_module(f"pipeline.wrapper.{name}").DECLARATIONS)
