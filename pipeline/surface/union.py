"""The union of one version's snapshots: who has what, and where the targets disagree."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from pipeline.surface.snapshot import Binary, Generator, Sha256, Timestamp
from pipeline.surface.surfaces import UnionSurfaces
from pipeline.surface.units import CommandPath, PossibleValue, Shape, State, Targets


class UnionInput(Shape, frozen=True, kw_only=True):
    """One snapshot that went in. ``snapshot_sha256`` is there when the snapshot says what made it."""

    target_triple: str
    collected_at: Timestamp
    generator: Generator | None = None
    snapshot_sha256: Sha256 | None = None
    binary: Binary
    features: dict[str, Any] | None = None
    known_omissions: tuple[str, ...] | None = None


class UnionArg(Shape, frozen=True, kw_only=True):
    name: str
    required: bool
    variadic: bool
    position: int | None = None
    possible_values: tuple[PossibleValue, ...] | None = None
    default: str | None = None
    env: str | None = None
    about: str | None = None
    stability: str | None = None
    section: str | None = None
    feature_gated: bool | None = None
    state: State | None = None
    inferred_from_usage: bool | None = None
    note: str | None = None
    available_on: Targets


class UnionFlag(Shape, frozen=True, kw_only=True):
    key: str
    long: str | None = None
    short: str | None = None
    aliases: tuple[str, ...] | None = None
    takes_value: bool
    value_name: str | None = None
    optional_value: bool | None = None
    repeatable: bool | None = None
    possible_values: tuple[PossibleValue, ...] | None = None
    default: str | None = None
    env: str | None = None
    about: str | None = None
    stability: str | None = None
    section: str | None = None
    feature_gated: bool | None = None
    state: State | None = None
    available_on: Targets


class Evidence(Shape, frozen=True, kw_only=True):
    """Where a disagreement can be seen: the raw help page and its digest, per target."""

    help_ref_by_target: dict[str, str]
    help_sha256_by_target: dict[str, Sha256]


class Conflict(Shape, frozen=True, kw_only=True):
    """A field on which the targets that have the unit disagree; ``null`` means "not stated there"."""

    unit: Literal["command", "flag", "arg"]
    path: CommandPath
    key: str | None = None
    name: str | None = None
    field: str
    values_by_target: dict[str, Any]
    help_context: str | None = None
    evidence: Evidence | None = None


class UnionCommand(Shape, frozen=True, kw_only=True):
    """``inherited_from_root``: flags that this command's help repeats and the root already has."""

    path: CommandPath
    available_on: Targets
    about: str | None = None
    usage: str | None = None
    aliases: tuple[str, ...] | None = None
    stability: str | None = None
    section: str | None = None
    feature_gated: bool | None = None
    state: State | None = None
    pseudo_commands: tuple[str, ...] | None = None
    rejected: tuple[str, ...] | None = None
    inherited_from_root: tuple[str, ...] | None = None
    args: tuple[UnionArg, ...] | None = None
    flags: tuple[UnionFlag, ...] | None = None
    conflicts: tuple[Conflict, ...] | None = None


class Union(Shape, frozen=True, kw_only=True):
    """One version over all targets. ``missing_targets`` is there only when ``complete`` is false."""

    snapshot_schema_version: Literal[2]
    tool: str
    mode: Literal["union"]
    collected_at: Timestamp
    expected_targets: Annotated[tuple[str, ...], Meta(min_length=1)]
    complete: bool
    missing_targets: tuple[str, ...] | None = None
    inputs: tuple[UnionInput, ...]
    surfaces: UnionSurfaces | None = None
    commands: tuple[UnionCommand, ...]
