"""Commands that serve until they are told to end: over standard input and output, sockets or a daemon."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pipeline.wrapper.codex.parts import Executor, WebSocket
from pipeline.wrapper.constraint import Constraint, at_most_one, requires
from pipeline.wrapper.declare import Command, flag, piped, required


class AppServer(WebSocket, path=("app-server",)):
    """JSON-RPC for programs, one message a line. ``listen`` says where, without it standard input and output.

    ``print_startup_config`` only checks the configuration and ends.
    """

    constraints: ClassVar[tuple[Constraint, ...]] = (
        at_most_one("stdio", "listen", "print_startup_config"),
        *(
            requires(field, "ws_auth")
            for field in (
                "ws_token_file",
                "ws_token_sha256",
                "ws_shared_secret_file",
                "ws_issuer",
                "ws_audience",
                "ws_max_clock_skew_seconds",
            )
        ),
    )

    listen: str | None = flag("--listen", guarded=True)
    stdio: bool = flag("--stdio", guarded=True)
    analytics_default_enabled: bool = flag("--analytics-default-enabled", guarded=True)
    cloud_skills_snapshot: Path | None = flag("--cloud-skills-snapshot", guarded=True)
    code_mode_host: str | None = flag("--code-mode-host", guarded=True)
    print_startup_config: bool = flag("--print-startup-config", guarded=True)
    startup_client_info: str | None = flag("--startup-client-info", guarded=True)
    startup_sign_out: bool = flag("--startup-sign-out", guarded=True)
    strict_config: bool = flag("--strict-config", guarded=True)


class GenerateJsonSchema(Command, path=("app-server", "generate-json-schema")):
    """Write the JSON Schema of the app server's protocol into the folder ``out``."""

    out: Path = required("--out", "-o")
    experimental: bool = flag("--experimental", guarded=True)


class GenerateTypeScript(Command, path=("app-server", "generate-ts")):
    """Write TypeScript types of the app server's protocol into the folder ``out``."""

    out: Path = required("--out", "-o")
    experimental: bool = flag("--experimental", guarded=True)
    prettier: Path | None = flag("--prettier", "-p")


class GenerateInternalJsonSchema(Command, path=("app-server", "generate-internal-json-schema"), guarded=True):
    """Write the schemas that Codex's own tools use into the folder ``out``; no version shows this command."""

    out: Path = required("--out", "-o")


class AppServerProxy(Command, path=("app-server", "proxy"), guarded=True):
    """Relay standard input and output to a running app server."""

    sock: Path | None = flag("--sock")


class DaemonBootstrap(Command, path=("app-server", "daemon", "bootstrap"), guarded=True):
    remote_control: bool = flag("--remote-control")


class DaemonStart(Command, path=("app-server", "daemon", "start"), guarded=True):
    """Start the daemon if it does not run."""


class DaemonStop(Command, path=("app-server", "daemon", "stop"), guarded=True):
    """Stop the daemon."""


class DaemonRestart(Command, path=("app-server", "daemon", "restart"), guarded=True):
    """Stop the daemon and start it."""


class DaemonVersion(Command, path=("app-server", "daemon", "version"), guarded=True):
    """The versions of the program and of the running server, as JSON."""


class DaemonUpdate(Command, path=("app-server", "daemon", "update"), guarded=True):
    """Update the daemon's package. ``yes`` does not ask, though work may be interrupted."""

    from_cli: bool = flag("--from-cli")
    yes: bool = flag("--yes", "-y")


class DaemonEnableRemoteControl(Command, path=("app-server", "daemon", "enable-remote-control"), guarded=True):
    """For the running daemon and for those to come."""


class DaemonDisableRemoteControl(Command, path=("app-server", "daemon", "disable-remote-control"), guarded=True):
    """For the running daemon and for those to come."""


class RemoteControl(Command, path=("remote-control",), guarded=True):
    """The daemon with remote control enabled; in the foreground with ``no_daemon``."""

    json: bool = flag("--json")
    no_daemon: bool = flag("--no-daemon")


class RemoteControlStart(Command, path=("remote-control", "start"), guarded=True):
    json: bool = flag("--json")


class RemoteControlStop(Command, path=("remote-control", "stop"), guarded=True):
    json: bool = flag("--json")


class RemoteControlPair(Command, path=("remote-control", "pair"), guarded=True):
    """Print a pairing code that soon expires."""

    json: bool = flag("--json")


class McpServer(Command, path=("mcp-server",), guarded=True):
    """The Model Context Protocol on standard input and output; gone from 0.154.0 on, where app-server is."""


class ExecServer(Executor, WebSocket, path=("exec-server",), guarded=True):
    """Run commands for whoever connects, or for the environment that it registers with at ``remote``.

    ``chatgpt_token_stdin`` is the token itself.
    """

    constraints: ClassVar[tuple[Constraint, ...]] = (
        at_most_one("listen", "remote"),
        at_most_one("chatgpt_token_stdin", "aws_sigv4", "use_agent_identity_auth"),
        requires("remote", "environment_id"),
        requires("chatgpt_account_id", "chatgpt_token_stdin"),
        *(
            requires(field, "remote", "environment_id")
            for field in (
                "aws_sigv4",
                "chatgpt_token_stdin",
                "executor_credential_stdin",
                "exit_on_stdin_close",
                "registration_bearer_stdin",
                "remote_transport",
                "use_agent_identity_auth",
            )
        ),
    )

    listen: str | None = flag("--listen")
    remote: str | None = flag("--remote")
    chatgpt_token_stdin: str | None = flag("--chatgpt-token-stdin", stdin=True)
    chatgpt_account_id: str | None = flag("--chatgpt-account-id")
    concurrent_requests: int | None = flag("--concurrent-requests")


class ExecServerForward(Executor, path=("exec-server", "forward"), guarded=True):
    """Register an exec server that runs already."""

    constraints: ClassVar[tuple[Constraint, ...]] = (requires("remote", "environment_id"),)

    remote: str = required("--remote")
    connect: str = required("--connect")


class ResponsesApiProxy(Command, path=("responses-api-proxy",)):
    """Forward requests to the Responses API with a credential that only the proxy holds; no version shows it.

    ``credential`` is the API key, or with ``github_oidc`` the request token of a GitHub workflow.
    """

    constraints: ClassVar[tuple[Constraint, ...]] = tuple(
        requires(
            field,
            "github_oidc",
            "github_oidc_request_url",
            "oidc_audience",
            "identity_provider_id",
            "service_account_id",
        )
        for field in (
            "github_oidc",
            "github_oidc_request_url",
            "oidc_audience",
            "identity_provider_id",
            "service_account_id",
        )
    )

    credential: str | None = piped()
    port: int | None = flag("--port")
    server_info: Path | None = flag("--server-info")
    http_shutdown: bool = flag("--http-shutdown")
    upstream_url: str | None = flag("--upstream-url")
    dump_dir: Path | None = flag("--dump-dir", guarded=True)
    github_oidc: bool = flag("--github-oidc", guarded=True)
    github_oidc_request_url: str | None = flag("--github-oidc-request-url", guarded=True)
    oidc_audience: str | None = flag("--oidc-audience", guarded=True)
    identity_provider_id: str | None = flag("--identity-provider-id", guarded=True)
    service_account_id: str | None = flag("--service-account-id", guarded=True)


class StdioToUds(Command, path=("stdio-to-uds",), guarded=True):
    """Relay standard input and output to a Unix socket; no version shows it, and 0.171.0 has it no more."""

    socket_path: Path = required("SOCKET_PATH")
