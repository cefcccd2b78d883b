"""What a version has, as far as a predicate asks: its command line, and what else it offers.

Both come from the agent's folder, that of a checkout or the one that is installed with the library: commands and flags
from its timeline, the rest from its ``surfaces.json``.

Predicates: ``command:execpolicy check``, ``flag:exec --json``, ``hook_event:SessionEnd``, ``rpc:hooks/list``, and
``feature:hooks``, which holds where the feature is on by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline.errors import UsageError
from pipeline.history.surfaces import read_surfaces
from pipeline.layout import in_order, version_key
from pipeline.questions.asked import Asked, asked
from pipeline.questions.lives import unbroken
from pipeline.questions.surfaces import FORMS
from pipeline.surface.surfaces import Surfaces

_NONE = Surfaces()


@dataclass(frozen=True)
class Having:
    """One version of an agent."""

    agent: Asked
    version: str
    surfaces: Mapping[str, Surfaces]

    def holds(self, predicate: str) -> bool:
        """Whether the version is known to have it. Raises UsageError for a predicate of no known form."""
        return self._at(predicate, self.version)

    def since(self, predicate: str) -> str | None:
        """The first of the versions looked at from which on the version has it without a break; None if it has not."""
        form, _, what = predicate.partition(":")
        if not self.holds(predicate):
            return None
        if form in ("command", "flag"):
            path, unit = _unit(form, what)
            life = unbroken(self.agent.view, self.agent.view.spans(path, unit), until=self.version)
            return life and life.first
        since = None
        for version in self._until:
            since = (since or version) if self._at(predicate, version) else None
        return since

    def names(self, form: str) -> tuple[str, ...]:
        """All that a predicate of a form can ask for and the version has; nothing of a form without a list."""
        surfaces = self.surfaces.get(self.version, _NONE)
        if form == "feature":
            return tuple(one.name for one in surfaces.features or () if one.default)
        return getattr(surfaces, FORMS[form]) or () if form in FORMS else ()

    @cached_property
    def _until(self) -> list[str]:
        return [one for one in in_order(self.surfaces) if version_key(one) <= version_key(self.version)]

    def _at(self, predicate: str, version: str) -> bool:
        form, _, what = predicate.partition(":")
        if form in ("command", "flag"):
            view, (path, unit) = self.agent.view, _unit(form, what)
            if version not in view.order:
                return False
            at = view.at(version)
            return at.span(view.spans(path, unit)) is not None
        if form in FORMS:
            return what in Having(self.agent, version, self.surfaces).names(form)
        raise UsageError(
            f"{predicate!r} is no predicate", remedy="write command:, flag:, hook_event:, rpc: or feature:"
        )


def _unit(form: str, what: str) -> tuple[tuple[str, ...], str]:
    *path, last = what.split(" ")
    return (tuple(path), last) if form == "flag" else ((*path, last), "")


def having(agent: str, version: str | None = None) -> Having:
    """A version of an agent, None: the newest whose surfaces were read. Raises UsageError for one that was not."""
    known = recorded(agent)
    version = version or max(known, key=version_key, default="")
    if version not in known:
        remedy = f"choose from {', '.join(in_order(known)) or 'none'}, or take its snapshot"
        raise UsageError(f"the surfaces of {agent} {version} were not read", remedy=remedy)
    return Having(asked(agent), version, known)


def recorded(agent: str) -> dict[str, Surfaces]:
    """The surfaces that were read of an agent, by version. Raises UsageError and ArtifactError."""
    return read_surfaces(asked(agent).root.surfaces)
