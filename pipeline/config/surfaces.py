"""What a version of the target has, as far as a decision asks: commands and flags from its timeline, and its surfaces.

A surface is what help does not tell and the binary says offline: the methods of its server and the events of its
hooks. They are read from the JSON schemas that it prints and kept in ``surfaces/<agent>.json``, one entry a version.

Predicates: ``command:execpolicy check``, ``flag:exec --json``, ``hook_event:SessionEnd``, ``rpc:hooks/list``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.errors import UsageError
from pipeline.layout import in_order, version_key
from pipeline.process import clean_environment, run
from pipeline.questions.asked import Asked, asked
from pipeline.questions.lives import unbroken
from pipeline.surface.units import Shape

_SECONDS = 60.0
_BYTES = 1 << 20
_EVENTS = "HookEventName"


class Surface(Shape, frozen=True, kw_only=True):
    """Methods as the protocol spells them, events as a hooks file does; each by name."""

    rpc: tuple[str, ...]
    hook_events: tuple[str, ...]


class Surfaces(Shape, frozen=True, kw_only=True):
    """``surfaces/<agent>.json``: the versions that were read, oldest first."""

    surfaces_schema_version: int
    versions: dict[str, Surface]


@dataclass(frozen=True)
class Having:
    """One version of the target."""

    agent: Asked
    version: str
    surfaces: Mapping[str, Surface]

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

    @cached_property
    def _until(self) -> list[str]:
        return [one for one in in_order(self.surfaces) if version_key(one) <= version_key(self.version)]

    def _at(self, predicate: str, version: str) -> bool:
        form, _, what = predicate.partition(":")
        surface = self.surfaces.get(version)
        match form:
            case "command" | "flag":
                view, (path, unit) = self.agent.view, _unit(form, what)
                if version not in view.order:
                    return False
                at = view.at(version)
                return at.span(view.spans(path, unit)) is not None
            case "hook_event":
                return surface is not None and what in surface.hook_events
            case "rpc":
                return surface is not None and what in surface.rpc
        raise UsageError(f"{predicate!r} is no predicate", remedy="write command:, flag:, hook_event: or rpc:")


def _unit(form: str, what: str) -> tuple[tuple[str, ...], str]:
    *path, last = what.split(" ")
    return (tuple(path), last) if form == "flag" else ((*path, last), "")


def having(agent: str, version: str | None = None) -> Having:
    """A version of an agent, None: the newest whose surfaces were read. Raises UsageError for one that was not."""
    known = recorded(agent)
    version = version or in_order(known)[-1]
    if version not in known:
        remedy = f"choose from {', '.join(in_order(known))}, or record it"
        raise UsageError(f"the surfaces of {agent} {version} were not read", remedy=remedy)
    return Having(asked(agent), version, known)


def recorded(agent: str) -> dict[str, Surface]:
    """The surfaces that were read of an agent, by version."""
    path = Path(str(files("pipeline.config").joinpath("surfaces", f"{agent}.json")))
    return canonical.read(path, Surfaces).versions


def record(agent: str, version: str, binary: Path, home_variable: str, *, into: Path) -> Path:
    """Read a version's surface and keep it in ``into``, the folder ``surfaces`` of a checkout; returns the file."""
    path = into / f"{agent}.json"
    with tempfile.TemporaryDirectory() as home:
        found = {**recorded(agent), version: read_surface(binary, Path(home), home_variable)}
    ordered = {one: found[one] for one in in_order(found)}
    canonical.write(path, canonical.encode(Surfaces(surfaces_schema_version=1, versions=ordered)))
    return path


def read_surface(binary: Path, home: Path, home_variable: str) -> Surface:
    """Ask a binary for its schemas, below ``home``. Raises what ``run`` raises, ArtifactError for odd schemas."""
    out = home / "schemas"
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    environment = clean_environment(home, {home_variable: "{home}"})
    words: list[str | Path] = [binary, "app-server", "generate-json-schema", "--out", str(out), "--experimental"]
    run(words, env=environment, cwd=home, seconds=_SECONDS, max_bytes=_BYTES)
    requests = canonical.read_json(out / "ClientRequest.json")["oneOf"]
    names = {one["properties"]["method"]["enum"][0] for one in requests}
    whole = [canonical.read_json(path) for path in sorted(out.glob("*.schemas.json"))]
    events = next((found for one in whole if (found := _events(one))), [])
    return Surface(rpc=tuple(sorted(names)), hook_events=tuple(sorted(f"{one[:1].upper()}{one[1:]}" for one in events)))


def _events(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    if _EVENTS in value:
        return list(value[_EVENTS].get("enum", ()))
    return next((found for inner in value.values() if (found := _events(inner))), [])
