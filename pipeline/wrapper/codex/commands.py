"""Codex's commands. Classes whose name begins with an underscore are flags that several commands share.

What stands at the root and on ``exec`` is declared on both: 0.61.0 silently ignores
``codex --model X exec`` (its banner shows the default model) and obeys ``codex exec --model X``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pipeline.wrapper.codex.values import ApprovalPolicy, Color, CyberAccessProgram, SandboxMode
from pipeline.wrapper.constraint import Constraint, at_most_one, before_command, exactly_one
from pipeline.wrapper.declare import Command, arg, flag, passthrough, required, subcommand

_BYPASS = "dangerously_bypass_approvals_and_sandbox"


class _Turn(Command):
    """Flags of whatever sends a prompt to the model.

    ``worktree``, ``strict_config`` and ``dangerously_bypass_hook_trust`` are newer than 0.125.0.
    """

    constraints: ClassVar[tuple[Constraint, ...]] = (at_most_one("full_auto", _BYPASS),)

    # The parser splits at commas (value_delimiter in upstream's source), which no help says.
    image: tuple[Path, ...] = flag("--image", "-i", separator=",")
    model: str | None = flag("--model", "-m")
    strict_config: bool = flag("--strict-config")
    full_auto: bool = flag("--full-auto", note="Gone: the root refuses it from 0.128.0 on, exec from 0.147.0 on.")
    dangerously_bypass_approvals_and_sandbox: bool = flag("--dangerously-bypass-approvals-and-sandbox")
    dangerously_bypass_hook_trust: bool = flag("--dangerously-bypass-hook-trust")
    worktree: bool = flag("--worktree")


class _Session(_Turn):
    """Flags of whatever starts a session. ``approve_for_me`` exists from 0.147.0 on."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        at_most_one("approve_for_me", "sandbox"),
        at_most_one("approve_for_me", "full_auto", _BYPASS),
    )

    oss: bool = flag("--oss")
    local_provider: str | None = flag("--local-provider")
    profile: str | None = flag("--profile", "-p")
    sandbox: SandboxMode | None = flag("--sandbox", "-s")
    approve_for_me: bool = flag("--approve-for-me")
    cd: Path | None = flag("--cd", "-C")
    add_dir: tuple[Path, ...] = flag("--add-dir")


class _Scripted(Command):
    """Flags of a run without a person: what it reads, keeps and prints.

    On ``exec resume`` they are all newer than 0.61.0; ``thread_source``, ``cyber_access_program`` and
    ``trust`` are newer than 0.125.0.
    """

    thread_source: str | None = flag("--thread-source")
    cyber_access_program: CyberAccessProgram | None = flag("--cyber-access-program")
    skip_git_repo_check: bool = flag("--skip-git-repo-check")
    trust: bool = flag("--trust")
    ephemeral: bool = flag("--ephemeral")
    ignore_user_config: bool = flag("--ignore-user-config")
    ignore_rules: bool = flag("--ignore-rules")
    output_schema: Path | None = flag("--output-schema")
    json: bool = flag("--json")
    output_last_message: Path | None = flag("--output-last-message", "-o")


class Resume(_Turn, _Scripted, path=("exec", "resume")):
    """Go on with a recorded session, without a person.

    ``session_id`` is a UUID or a thread name. 0.61.0 refuses ``last`` together with a prompt, and 0.169.0
    every run with ``worktree``, which its help shows nevertheless.
    """

    # Without either of the two a prompt would be read as the session's name.
    constraints: ClassVar[tuple[Constraint, ...]] = (exactly_one("session_id", "last"),)

    last: bool = flag("--last")
    all: bool = flag("--all")
    session_id: str | None = arg("SESSION_ID")
    prompt: str | None = arg("PROMPT")


class Exec(_Session, _Scripted, path=("exec",)):
    """Run without a person. A prompt of ``-``, or none, is read from stdin."""

    constraints: ClassVar[tuple[Constraint, ...]] = (at_most_one("worktree", "ephemeral"),)

    color: Color | None = flag("--color")
    prompt: str | None = arg("PROMPT")
    command: Resume | None = subcommand()


class Login(Command, path=("login",)):
    """Log in; the keys are read from stdin. ``with_access_token`` is newer than 0.125.0."""

    # 0.169.0 says so for the two keys; given device_auth as well, it ignores the key.
    constraints: ClassVar[tuple[Constraint, ...]] = (at_most_one("with_api_key", "with_access_token", "device_auth"),)

    with_api_key: bool = flag("--with-api-key")
    with_access_token: bool = flag("--with-access-token")
    device_auth: bool = flag("--device-auth")


class Apply(Command, path=("apply",)):
    """Apply a task's latest diff to the working tree."""

    task_id: str = required("TASK_ID")


class FeaturesList(Command, path=("features", "list")):
    """List the feature flags with their stage and state."""


class Codex(_Session, path=()):
    """The program itself: the interactive session, or global flags before a subcommand.

    What only a person at the terminal needs (a prompt to begin with, how the screen is drawn) is left out, as the
    rules' exclusions say.

    Before a subcommand only ``config``, ``enable`` and ``disable`` may be given; the rest goes on the
    subcommand. ``config`` holds dotted keys and TOML values: ``{"model": '"o3"'}``.
    ``remote`` and ``remote_auth_token_env`` are newer than 0.61.0, ``no_daemon`` than 0.125.0.
    """

    # Measured: -m, -s and -C before exec are lost in 0.61.0, -a before exec in all three versions.
    constraints: ClassVar[tuple[Constraint, ...]] = (before_command("command", "config", "enable", "disable"),)

    config: Mapping[str, str] | None = passthrough(
        "--config", "-c", note="Keys and values are handed on as given; what they mean is not checked."
    )
    enable: tuple[str, ...] = passthrough("--enable", note="Any feature name is handed on; features come and go.")
    disable: tuple[str, ...] = passthrough("--disable", note="Any feature name is handed on; features come and go.")
    remote: str | None = flag("--remote")
    remote_auth_token_env: str | None = flag("--remote-auth-token-env")
    ask_for_approval: ApprovalPolicy | None = flag("--ask-for-approval", "-a")
    search: bool = flag("--search")
    no_daemon: bool = flag("--no-daemon")
    help: bool = flag("--help", "-h")
    version: bool = flag("--version", "-V")
    command: Exec | Resume | Login | Apply | FeaturesList | None = subcommand()
