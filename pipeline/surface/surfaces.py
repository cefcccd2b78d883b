"""What a binary tells of itself offline besides its command line: features, methods of its server, events of its hooks.

A surface that is absent is one that the version does not have, or does not tell. Everything is by name, each once.
"""

from typing import Any, Literal

from pipeline.surface.units import Shape, Targets

Names = tuple[str, ...]


class Feature(Shape, frozen=True, kw_only=True):
    """``default``: whether it is on where nobody says otherwise."""

    name: str
    stage: str
    default: bool


class Surfaces(Shape, frozen=True, kw_only=True):
    """Of one binary, or of a version as a whole: methods as the protocol spells them, events as a hooks file does."""

    features: tuple[Feature, ...] | None = None
    rpc_methods: Names | None = None
    hook_events: Names | None = None


class FeatureConflict(Shape, frozen=True, kw_only=True):
    """A field on which the targets that have the feature disagree."""

    field: Literal["stage", "default"]
    values_by_target: dict[str, Any]


class UnionFeature(Shape, frozen=True, kw_only=True):
    name: str
    stage: str
    default: bool
    available_on: Targets
    conflicts: tuple[FeatureConflict, ...] | None = None


class UnionName(Shape, frozen=True, kw_only=True):
    """A method or an event."""

    name: str
    available_on: Targets


class UnionSurfaces(Shape, frozen=True, kw_only=True):
    """The surfaces of all targets that told theirs."""

    features: tuple[UnionFeature, ...] | None = None
    rpc_methods: tuple[UnionName, ...] | None = None
    hook_events: tuple[UnionName, ...] | None = None


class KnownSurfaces(Shape, frozen=True, kw_only=True):
    """``surfaces.json``: what any target of a version has, by version, oldest first."""

    surfaces_schema_version: Literal[1]
    tool: str
    versions: dict[str, Surfaces]
