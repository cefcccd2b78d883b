"""Flags that several of Codex's commands share, as classes without a path.

What stands at the root and on a command is declared on both: 0.61.0 silently ignores ``codex --model X exec`` (its
banner shows the default model) and obeys ``codex exec --model X``.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pipeline.wrapper.codex.values import (
    ApprovalPolicy,
    CyberAccessProgram,
    PidNamespace,
    RemoteTransport,
    SandboxMode,
    WebSocketAuth,
)
from pipeline.wrapper.constraint import Constraint, at_most_one, requires
from pipeline.wrapper.declare import Command, flag

BYPASS = "dangerously_bypass_approvals_and_sandbox"


class Model(Command):
    """Flags of whatever asks the model."""

    model: str | None = flag("--model", "-m")
    strict_config: bool = flag("--strict-config", guarded=True)
    dangerously_bypass_approvals_and_sandbox: bool = flag("--dangerously-bypass-approvals-and-sandbox")
    dangerously_bypass_hook_trust: bool = flag("--dangerously-bypass-hook-trust", guarded=True)
    worktree: bool = flag("--worktree", guarded=True)


class Turn(Model):
    """Flags of whatever sends a prompt."""

    # The parser splits at commas (value_delimiter in upstream's source), which no help says.
    image: tuple[Path, ...] = flag("--image", "-i", separator=",")


class FullAuto(Model):
    """The root refuses ``--full-auto`` from 0.128.0 on, ``exec`` from 0.147.0 on."""

    constraints: ClassVar[tuple[Constraint, ...]] = (at_most_one("full_auto", BYPASS),)

    full_auto: bool = flag("--full-auto", guarded=True)


class Session(Turn):
    """Flags of whatever starts a session."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        at_most_one("approve_for_me", "sandbox"),
        at_most_one("approve_for_me", BYPASS),
    )

    oss: bool = flag("--oss")
    local_provider: str | None = flag("--local-provider")
    profile: str | None = flag("--profile", "-p")
    sandbox: SandboxMode | None = flag("--sandbox", "-s")
    approve_for_me: bool = flag("--approve-for-me", guarded=True)
    cd: Path | None = flag("--cd", "-C")
    add_dir: tuple[Path, ...] = flag("--add-dir")


class Remote(Command):
    """Which app server is talked to; the token is read from the environment variable that is named."""

    remote: str | None = flag("--remote", guarded=True)
    remote_auth_token_env: str | None = flag("--remote-auth-token-env", guarded=True)


class Screen(Session, FullAuto, Remote):
    """Flags of whatever needs a person at the terminal."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        at_most_one("approve_for_me", "full_auto"),
        at_most_one("ask_for_approval", "approve_for_me", BYPASS),
    )

    ask_for_approval: ApprovalPolicy | None = flag("--ask-for-approval", "-a")
    search: bool = flag("--search")
    no_daemon: bool = flag("--no-daemon", guarded=True)


class Scripted(Command):
    """Flags of a run without a person: what it reads, keeps and prints."""

    thread_source: str | None = flag("--thread-source", guarded=True)
    cyber_access_program: CyberAccessProgram | None = flag("--cyber-access-program", guarded=True)
    skip_git_repo_check: bool = flag("--skip-git-repo-check")
    trust: bool = flag("--trust", guarded=True)
    ephemeral: bool = flag("--ephemeral", guarded=True)
    ignore_user_config: bool = flag("--ignore-user-config", guarded=True)
    ignore_rules: bool = flag("--ignore-rules", guarded=True)
    output_schema: Path | None = flag("--output-schema")
    json: bool = flag("--json")
    output_last_message: Path | None = flag("--output-last-message", "-o")


class WebSocket(Command):
    """Who may connect to a server that listens on a WebSocket."""

    ws_auth: WebSocketAuth | None = flag("--ws-auth", guarded=True)
    ws_token_file: Path | None = flag("--ws-token-file", guarded=True)
    ws_token_sha256: str | None = flag("--ws-token-sha256", guarded=True)
    ws_shared_secret_file: Path | None = flag("--ws-shared-secret-file", guarded=True)
    ws_issuer: str | None = flag("--ws-issuer", guarded=True)
    ws_audience: str | None = flag("--ws-audience", guarded=True)
    ws_max_clock_skew_seconds: int | None = flag("--ws-max-clock-skew-seconds", guarded=True)


class Executor(Command):
    """Flags of a server that runs commands for somebody else.

    ``registration_bearer_stdin`` is the bearer with the newline that ends it; ``executor_credential_stdin`` takes
    one credential after the other from a pipe that the caller keeps open.
    """

    constraints: ClassVar[tuple[Constraint, ...]] = (
        at_most_one("aws_sigv4", "use_agent_identity_auth", "registration_bearer_stdin", "executor_credential_stdin"),
        *(requires(field, "aws_sigv4") for field in ("aws_profile", "aws_region", "aws_service")),
    )

    environment_id: str | None = flag("--environment-id")
    name: str | None = flag("--name")
    remote_transport: RemoteTransport | None = flag("--remote-transport")
    use_agent_identity_auth: bool = flag("--use-agent-identity-auth")
    registration_bearer_stdin: str | None = flag("--registration-bearer-stdin", stdin=True)
    executor_credential_stdin: bool = flag("--executor-credential-stdin")
    exit_on_stdin_close: bool = flag("--exit-on-stdin-close")
    aws_sigv4: bool = flag("--aws-sigv4")
    aws_profile: str | None = flag("--aws-profile")
    aws_region: str | None = flag("--aws-region")
    aws_service: str | None = flag("--aws-service")
    linux_sandbox_pid_namespace: PidNamespace | None = flag("--linux-sandbox-pid-namespace")
    proxy_private_ips_via_upstream: bool = flag("--proxy-private-ips-via-upstream")
    strict_config: bool = flag("--strict-config")
