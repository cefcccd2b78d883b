"""Runs without a person: ``exec`` and what stands below it, and ``review``.

A prompt goes to standard input, as text of any length and any characters: argv is visible to every user of the
machine and limited in size, and a prompt of ``-`` would be taken for the sign that means standard input.
"""

from __future__ import annotations

from typing import ClassVar

from pipeline.wrapper.codex.parts import FullAuto, Model, Scripted, Session, Turn
from pipeline.wrapper.codex.values import Color
from pipeline.wrapper.constraint import Constraint, at_most_one, exactly_one, requires
from pipeline.wrapper.declare import Command, arg, flag, required, subcommand


class _Reviewed(Command):
    """What a review looks at: one of these, or what a prompt says."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        exactly_one("prompt", "uncommitted", "base", "commit"),
        requires("title", "commit"),
    )

    uncommitted: bool = flag("--uncommitted")
    base: str | None = flag("--base")
    commit: str | None = flag("--commit")
    title: str | None = flag("--title")
    prompt: str | None = arg("PROMPT", stdin=True)


class ExecResume(
    FullAuto,
    Turn,
    Scripted,
    path=("exec", "resume"),
    guarded=(
        "model",
        "image",
        "dangerously_bypass_approvals_and_sandbox",
        "skip_git_repo_check",
        "output_schema",
        "json",
        "output_last_message",
    ),
):
    """Go on with a recorded session.

    ``session_id`` is a UUID or a thread name. 0.61.0 refuses ``last`` together with a prompt, and 0.169.0
    every run with ``worktree``, which its help shows nevertheless.
    """

    # Without either of the two a prompt would be read as the session's name.
    constraints: ClassVar[tuple[Constraint, ...]] = (exactly_one("session_id", "last"),)

    last: bool = flag("--last")
    all: bool = flag("--all", guarded=True)
    session_id: str | None = arg("SESSION_ID")
    prompt: str = required("PROMPT", stdin=True)


class ExecFork(Turn, Scripted, path=("exec", "fork"), guarded=True):
    """Fork a recorded session into a new one. A Cyber access program needs a prompt."""

    constraints: ClassVar[tuple[Constraint, ...]] = (requires("cyber_access_program", "prompt"),)

    session_id: str = required("SESSION_ID")
    prompt: str | None = arg("PROMPT", stdin=True)


class ExecReview(_Reviewed, FullAuto, Model, Scripted, path=("exec", "review"), guarded=True):
    """Review what is in the repository."""


class Exec(Session, FullAuto, Scripted, path=("exec",)):
    """Run a prompt, or one of the commands below it."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        exactly_one("prompt", "command"),
        at_most_one("worktree", "ephemeral"),
        at_most_one("approve_for_me", "full_auto"),
    )

    color: Color | None = flag("--color")
    prompt: str | None = arg("PROMPT", stdin=True)
    command: ExecResume | ExecFork | ExecReview | None = subcommand()


class Review(_Reviewed, path=("review",), guarded=True):
    """Review what is in the repository, as text for a person."""

    strict_config: bool = flag("--strict-config")
    trust: bool = flag("--trust")
