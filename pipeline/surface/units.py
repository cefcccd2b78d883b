"""Commands, flags and args: what a CLI's surface is made of.

Identity: a command is its path of tokens (``()`` is the root); a flag is its long name, else its short
one, within its command; an arg is its name within its command.
Order: commands by path, token by token, shorter first; flags by long then short, those without a long
name last; args by name.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Path = tuple[str, ...]

CommandPath = Annotated[
    tuple[str, ...], Meta(description="Tokens of the command after the program; the root is empty.")
]
State = Annotated[
    Literal["visible", "hidden", "unknown"],
    Meta(description="visible: help shows it; hidden: accepted, but not shown; unknown: no oracle could tell."),
]
Evidence = Annotated[
    tuple[Literal["help", "completion", "probe", "supplement"], ...],
    Meta(description="The oracles that say so."),
]
Span = Annotated[
    str,
    Meta(
        description="The bytes of the raw help that the unit was read from: first and one past the last, "
        "in the page of its command (of the parent, for a command)."
    ),
]
Targets = Annotated[tuple[str, ...], Meta(description="Target triples in the order of the rules' expected targets.")]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all artifact shapes: immutable, unknown keys refused, absent keys omitted."""


class PossibleValue(Shape, frozen=True, kw_only=True):
    """One value that a flag or arg accepts, with the text that help prints for it."""

    name: str
    about: str | None = None


class Arg(Shape, frozen=True, kw_only=True):
    """A positional. ``position`` counts from 0 in usage order (args are sorted by name)."""

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
    evidence: Evidence | None = None
    span: Span | None = None
    note: str | None = None


class Flag(Shape, frozen=True, kw_only=True):
    """A flag. ``aliases`` are further names; ``optional_value`` says that the value may be left out."""

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
    platforms: tuple[str, ...] | None = None
    section: str | None = None
    feature_gated: bool | None = None
    state: State | None = None
    evidence: Evidence | None = None
    span: Span | None = None


class Command(Shape, frozen=True, kw_only=True):
    """One command as one target's help shows it.

    ``pseudo_commands`` names children that are only help pages (clap's ``help``): tagged, not surface.
    ``unread_lines`` are lines of the page that no rule of the dialect could read. ``rejected`` are flags and
    subcommands that the binary was asked about and refuses.
    ``help_sha256`` is the digest of the page's raw text.
    """

    path: CommandPath
    about: str | None = None
    usage: str | None = None
    aliases: tuple[str, ...] | None = None
    stability: str | None = None
    platforms: tuple[str, ...] | None = None
    section: str | None = None
    feature_gated: bool | None = None
    state: State | None = None
    evidence: Evidence | None = None
    span: Span | None = None
    pseudo_commands: tuple[str, ...] | None = None
    unread_lines: tuple[str, ...] | None = None
    rejected: tuple[str, ...] | None = None
    help_sha256: str | None = None
    args: tuple[Arg, ...] | None = None
    flags: tuple[Flag, ...] | None = None


def flag_key(flag: Mapping[str, Any]) -> str | None:
    """The identity of a flag given as a JSON object: its long name, else its short one, else None."""
    return flag.get("long") or flag.get("short")


def flag_names(flag: Flag) -> tuple[str, ...]:
    """All spellings of a flag; the first one is its identity."""
    return tuple(name for name in (flag.long, flag.short, *(flag.aliases or ())) if name)


def key_of(flag: Flag) -> str:
    """The identity of a flag: its long name, else its short one."""
    return flag.long or flag.short or ""


def flag_order(flag: Flag) -> tuple[bool, str, str]:
    """Sort key of a snapshot's flags: by long then short, flags without a long name last."""
    return (flag.long is None, flag.long or "", flag.short or "")


def fields_of(shape: type[Shape]) -> tuple[str, ...]:
    """The JSON keys of a shape in canonical order."""
    return shape.__struct_fields__
