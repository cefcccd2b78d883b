"""The snapshot of one version on one target, and the supplement that completes it by hand."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from pipeline.surface.surfaces import Surfaces
from pipeline.surface.units import Command, CommandPath, Shape

Timestamp = Annotated[str, Meta(description="RFC 3339, UTC.")]
Sha256 = Annotated[str, Meta(description="SHA-256, lower-case hex.")]


class Platform(Shape, frozen=True, kw_only=True):
    """What the binary runs on (derived from its target, never from the host that ran it)."""

    os: str
    arch: str


class Binary(Shape, frozen=True, kw_only=True):
    """The binary that was read. ``semantic_version`` is what ``--version`` says, without the rest.

    ``emulated_by`` names the emulator that ran it (``qemu-aarch64``), where this machine could not.
    """

    sha256: Sha256
    size_bytes: int
    platform: Platform
    target_triple: str
    version_output: str
    semantic_version: str | None = None
    channel: str | None = None
    commit: str | None = None
    emulated_by: str | None = None


class Generator(Shape, frozen=True, kw_only=True):
    """What made a snapshot. ``revision`` counts up whenever the same help would be read differently."""

    name: str
    revision: int
    dialect: str


class Oracle(Shape, frozen=True, kw_only=True):
    """A witness besides help: what it is (``clap-zsh``, ``cobra`` …) and, where it is one text, its digest.

    ``problem`` says why it could not be heard.
    """

    kind: str
    sha256: Sha256 | None = None
    problem: str | None = None


class Snapshot(Shape, frozen=True, kw_only=True):
    """One version on one target. Files without ``generator`` were made by another tool.

    ``surfaces`` is there where the agent's folder says how to ask for them, and empty where the binary has none.
    """

    snapshot_schema_version: Literal[1]
    tool: str
    collected_at: Timestamp
    generator: Generator | None = None
    binary: Binary
    commands: tuple[Command, ...]
    oracles: tuple[Oracle, ...] | None = None
    features: Annotated[dict[str, Any], Meta(description="The feature probe's own record; keys sorted.")] | None = None
    surfaces: Surfaces | None = None
    known_omissions: tuple[str, ...] | None = None


class SupplementItem(Shape, frozen=True, kw_only=True):
    """A command that help does not show. ``platforms`` (os names) limits where it exists."""

    path: CommandPath
    platforms: tuple[str, ...] | None = None
    note: str


class Supplement(Shape, frozen=True, kw_only=True):
    """``supplement/commands.json``: facts that a person adds to every snapshot of the agent."""

    version: Literal[1]
    commands: tuple[SupplementItem, ...]
