"""The coverage report: what upstream offers against what the wrapper supports, as a work queue."""

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.surface.coverage import LevelText
from pipeline.surface.snapshot import Sha256, Timestamp
from pipeline.surface.units import CommandPath, Shape, Targets


class UpstreamInput(Shape, frozen=True, kw_only=True):
    semantic_version: str
    mode: Literal["union"]
    targets: Targets
    union_sha256: Sha256 | None = None


class WrapperInput(Shape, frozen=True, kw_only=True):
    schema_version: Literal[1]
    wrapper_version: str | None = None
    coverage_sha256: Sha256 | None = None


class RulesInput(Shape, frozen=True, kw_only=True):
    rules_schema_version: int
    rules_sha256: Sha256 | None = None


class Inputs(Shape, frozen=True, kw_only=True):
    """Digests are there when the union's snapshots say what made them."""

    upstream: UpstreamInput
    wrapper: WrapperInput
    rules: RulesInput


class PlatformFilter(Shape, frozen=True, kw_only=True):
    mode: Literal["any", "exact_target", "all"]
    target_triple: str | None = None


UpstreamStatus = Annotated[
    Literal["visible", "hidden", "unknown", "other_target", "newer", "removed", "never_seen"],
    Meta(
        description="What the versions that were read say of a unit that only the wrapper has here: on other targets "
        "only, in later versions, in earlier ones, or in none. A state means that the root's flag is meant."
    ),
]


class CommandDelta(Shape, frozen=True, kw_only=True):
    path: CommandPath
    upstream_available_on: Targets
    wrapper_level: LevelText | None = None
    note: str | None = None
    upstream_status: UpstreamStatus | None = None
    upstream_first: str | None = None
    upstream_last: str | None = None


class FlagDelta(Shape, frozen=True, kw_only=True):
    path: CommandPath
    key: str
    upstream_available_on: Targets
    wrapper_level: LevelText | None = None
    note: str | None = None
    upstream_status: UpstreamStatus | None = None
    upstream_first: str | None = None
    upstream_last: str | None = None


class ArgDelta(Shape, frozen=True, kw_only=True):
    path: CommandPath
    name: str
    upstream_available_on: Targets
    wrapper_level: LevelText | None = None
    note: str | None = None
    upstream_status: UpstreamStatus | None = None
    upstream_first: str | None = None
    upstream_last: str | None = None


class UnitDelta(Shape, frozen=True, kw_only=True):
    """A command (neither ``key`` nor ``name``), a flag (``key``) or an arg (``name``)."""

    path: CommandPath
    key: str | None = None
    name: str | None = None
    upstream_available_on: Targets
    wrapper_level: LevelText | None = None
    note: str | None = None


class Deltas(Shape, frozen=True, kw_only=True):
    """The three ``missing_*`` lists are always there, the others only when they hold something.

    ``hidden_*`` are units that the CLI accepts and does not show, covered (with ``wrapper_level``) or not:
    often the step before a removal. ``wrapper_only_*`` say of each unit what other versions say of it, where there is
    a timeline: ``upstream_first`` and ``upstream_last`` are the first and last version read that have it.
    """

    missing_commands: tuple[CommandDelta, ...]
    missing_flags: tuple[FlagDelta, ...]
    missing_args: tuple[ArgDelta, ...]
    hidden_commands: tuple[CommandDelta, ...] | None = None
    hidden_flags: tuple[FlagDelta, ...] | None = None
    hidden_args: tuple[ArgDelta, ...] | None = None
    excluded_commands: tuple[CommandDelta, ...] | None = None
    excluded_flags: tuple[FlagDelta, ...] | None = None
    excluded_args: tuple[ArgDelta, ...] | None = None
    passthrough_candidates: tuple[CommandDelta, ...] | None = None
    unsupported: tuple[CommandDelta, ...] | None = None
    intentionally_unsupported: tuple[UnitDelta, ...] | None = None
    wrapper_only_commands: tuple[CommandDelta, ...] | None = None
    wrapper_only_flags: tuple[FlagDelta, ...] | None = None
    wrapper_only_args: tuple[ArgDelta, ...] | None = None


class Report(Shape, frozen=True, kw_only=True):
    schema_version: Literal[1]
    generated_at: Timestamp
    inputs: Inputs
    platform_filter: PlatformFilter
    deltas: Deltas
