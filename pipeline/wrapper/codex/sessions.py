"""The program itself, and recorded sessions: what a person goes on with, and what is done to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pipeline.wrapper.codex.parts import Remote, Screen, Session
from pipeline.wrapper.constraint import Constraint, at_most_one, before_command
from pipeline.wrapper.declare import Command, arg, flag, passthrough, required, subcommand


class Codex(Screen, path=()):
    """The program itself: the interactive session, or global flags before a subcommand.

    What only a person at the terminal needs (a prompt to begin with, how the screen is drawn) is left out, as the
    rules' exclusions say. Before a subcommand only ``config``, ``enable`` and ``disable`` may be given; the rest goes
    on the subcommand. ``config`` holds dotted keys and TOML values: ``{"model": '"o3"'}``.
    """

    # Measured: -m, -s and -C before exec are lost in 0.61.0, -a before exec in all three versions.
    constraints: ClassVar[tuple[Constraint, ...]] = (before_command("command", "config", "enable", "disable"),)

    config: Mapping[str, str] | None = passthrough(
        "--config", "-c", note="Keys and values are handed on as given; what they mean is not checked."
    )
    enable: tuple[str, ...] = passthrough("--enable", note="Any feature name is handed on; features come and go.")
    disable: tuple[str, ...] = passthrough("--disable", note="Any feature name is handed on; features come and go.")
    help: bool = flag("--help", "-h")
    version: bool = flag("--version", "-V")
    command: Command | None = subcommand()


class Resume(Screen, path=("resume",)):
    """Go on with a session on the screen; the picker without ``session_id`` and ``last``."""

    constraints: ClassVar[tuple[Constraint, ...]] = (at_most_one("session_id", "last"),)

    last: bool = flag("--last")
    all: bool = flag("--all")
    include_non_interactive: bool = flag("--include-non-interactive", guarded=True)
    session_id: str | None = arg("SESSION_ID")
    prompt: str | None = arg("PROMPT")


class Fork(Screen, path=("fork",), guarded=True):
    """Fork a session on the screen. A prompt needs the session's id."""

    constraints: ClassVar[tuple[Constraint, ...]] = (at_most_one("session_id", "last"),)

    last: bool = flag("--last")
    all: bool = flag("--all")
    session_id: str | None = arg("SESSION_ID")
    prompt: str | None = arg("PROMPT")


class Archive(Session, Remote, path=("archive",), guarded=True):
    """Put a session away; an id or a name."""

    session: str = required("SESSION")


class Unarchive(Session, Remote, path=("unarchive",), guarded=True):
    """Take a session out of the archive."""

    session: str = required("SESSION")


class Delete(Session, Remote, path=("delete",), guarded=True):
    """Delete a session for good. ``force`` does not ask, and needs the UUID."""

    force: bool = flag("--force")
    session: str = required("SESSION")


class Queue(Remote, path=("queue",), guarded=True):
    """Queue a message for a session; its model is the session's."""

    thread: str = required("--thread")
    message: str = required("--message")
    resume: bool = flag("--resume")
    cd: Path | None = flag("--cd", "-C")
    profile: str | None = flag("--profile", "-p")
    strict_config: bool = flag("--strict-config")
