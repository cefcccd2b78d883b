"""Wrapper coverage: at which level a wrapper supports each unit, and on which targets."""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta

from pipeline.surface.snapshot import Timestamp
from pipeline.surface.units import CommandPath, Shape


class Level(StrEnum):
    """How well a wrapper supports a unit, best first."""

    EXPLICIT = "explicit"
    PASSTHROUGH = "passthrough"
    INTENTIONALLY_UNSUPPORTED = "intentionally_unsupported"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


# A level that nobody knows is read as "unknown" by the resolver and refused by the schema: a report about
# a foreign wrapper must still come out, and say that the unit is not covered.
LevelText = Annotated[str, Meta(extra_json_schema={"enum": [level.value for level in Level]})]


class Scope(Shape, frozen=True, kw_only=True):
    """Where a claim holds; the two keys add up. No scope at all means everywhere."""

    platforms: tuple[str, ...] | None = None
    target_triples: tuple[str, ...] | None = None


class Witness(Shape, frozen=True, kw_only=True):
    """Why a claim is believed: a place in the wrapper's source, or the name of a traced call that emits the unit."""

    file: str | None = None
    line: int | None = None
    call: str | None = None

    def __post_init__(self) -> None:
        if (self.file is None) != (self.line is None) or (self.file is None) == (self.call is None):
            raise ValueError("a witness is a file with a line, or a call")


class CoveredFlag(Shape, frozen=True, kw_only=True):
    key: str
    level: LevelText
    note: str | None = None
    scope: Scope | None = None
    evidence: tuple[Witness, ...] | None = None


class CoveredArg(Shape, frozen=True, kw_only=True):
    name: str
    level: LevelText
    note: str | None = None
    scope: Scope | None = None
    evidence: tuple[Witness, ...] | None = None


class CoveredCommand(Shape, frozen=True, kw_only=True):
    path: CommandPath
    level: LevelText
    note: str | None = None
    scope: Scope | None = None
    evidence: tuple[Witness, ...] | None = None
    flags: tuple[CoveredFlag, ...] | None = None
    args: tuple[CoveredArg, ...] | None = None


class Manifest(Shape, frozen=True, kw_only=True):
    """What a wrapper's own declarations say, before normalisation (any order, platforms allowed)."""

    schema_version: Literal[1]
    coverage: tuple[CoveredCommand, ...]
    generated_at: str | None = None
    wrapper_version: str | None = None


class WrapperCoverage(Shape, frozen=True, kw_only=True):
    """``wrapper_coverage.json``: normalised, sorted, scopes as target triples."""

    schema_version: Literal[1]
    generated_at: Timestamp
    wrapper_version: str | None = None
    coverage: tuple[CoveredCommand, ...]
