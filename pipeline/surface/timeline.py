"""The timeline: which versions have each unit and each possible value, on which targets, shown or hidden."""

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import CommandPath, Shape, State


class LookedAt(Shape, frozen=True, kw_only=True):
    """A version that was read, and on which targets.

    ``facts_sha256`` is of all that the timeline tells of it. Where its snapshots are gone nothing else would tell of a
    slip of the hand, or of two branches that were merged line by line.
    """

    version: str
    targets: tuple[str, ...]
    binaries: (
        Annotated[
            dict[str, Sha256],
            Meta(description="What was read, by target: `binary.sha256` of a snapshot, also of one gone."),
        ]
        | None
    ) = None
    facts_sha256: Sha256


class Span(Shape, frozen=True, kw_only=True):
    """Consecutive versions that were looked at, first and last, in which a unit has one state.

    ``targets`` are those that have it; absent, all that were looked at in these versions. A value has no state.
    """

    first: str
    last: str
    state: State | None = None
    targets: tuple[str, ...] | None = None


Spans = Annotated[
    tuple[Span, ...], Meta(description="In order of versions; absent, they are those of the unit that this one is of.")
]


class ValueTrack(Shape, frozen=True, kw_only=True):
    """One possible value. Its spans are absent where it was offered as long as there was the flag or arg."""

    name: str
    spans: Spans | None = None


Facts = Annotated[
    tuple[str, ...],
    Meta(
        description="What a parser needs to know: short=-m, alias=NAME, takes_value, optional_value, repeatable, "
        "required of a flag; position=0, required, variadic of an arg; alias=NAME of a command, and pseudo=help where "
        "a child is only a page of help. They hold while the unit is there."
    ),
]


class FactTrack(Shape, frozen=True, kw_only=True):
    """A fact that holds only at times."""

    name: str
    spans: Spans


class FlagTrack(Shape, frozen=True, kw_only=True):
    key: str
    spans: Spans | None = None
    facts: Facts | None = None
    facts_at_times: tuple[FactTrack, ...] | None = None
    values: tuple[ValueTrack, ...] | None = None


class ArgTrack(Shape, frozen=True, kw_only=True):
    name: str
    spans: Spans | None = None
    facts: Facts | None = None
    facts_at_times: tuple[FactTrack, ...] | None = None
    values: tuple[ValueTrack, ...] | None = None


class CommandTrack(Shape, frozen=True, kw_only=True):
    path: CommandPath
    spans: Annotated[tuple[Span, ...], Meta(min_length=1)]
    facts: Facts | None = None
    facts_at_times: tuple[FactTrack, ...] | None = None
    flags: tuple[FlagTrack, ...] | None = None
    args: tuple[ArgTrack, ...] | None = None


class Timeline(Shape, frozen=True, kw_only=True):
    """``timeline.json``: versions oldest first, commands by path, flags by key, args by name, values by name.

    ``dialect`` is the help format of the last version that was read, which tells what kind of parser it has.
    Nothing is said of versions that are not listed: between two of them a unit may have come or gone at any one.
    """

    timeline_schema_version: Literal[1]
    tool: str
    dialect: str | None = None
    versions: tuple[LookedAt, ...]
    commands: tuple[CommandTrack, ...]
