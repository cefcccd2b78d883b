"""Tools around a run: the sandbox, the execution policy, diagnosis and upkeep."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar
from uuid import UUID

from pipeline.wrapper.constraint import Constraint, at_most_one, requires
from pipeline.wrapper.declare import Command, arg, flag, required


class Sandbox(Command, path=("sandbox",), guarded=("command",)):
    """Run ``command`` as Codex would run it; until 0.129.0 the platform is a subcommand."""

    constraints: ClassVar[tuple[Constraint, ...]] = (
        at_most_one("sandbox_state_json", "permission_profile"),
        requires("cd", "permission_profile"),
        requires("include_managed_config", "permission_profile"),
        requires("sandbox_state_readable_root", "sandbox_state_json"),
        requires("sandbox_state_disable_network", "sandbox_state_json"),
    )

    permission_profile: str | None = flag("--permission-profile", "-P", guarded=True)
    include_managed_config: bool = flag("--include-managed-config", guarded=True)
    sandbox_state_json: str | None = flag("--sandbox-state-json", guarded=True)
    sandbox_state_readable_root: tuple[Path, ...] = flag("--sandbox-state-readable-root", guarded=True)
    sandbox_state_disable_network: bool = flag("--sandbox-state-disable-network", guarded=True)
    cd: Path | None = flag("--cd", "-C", guarded=True)
    profile: str | None = flag("--profile", "-p", guarded=True)
    command: tuple[str, ...] = required("COMMAND")


class SandboxLinux(Command, path=("sandbox", "linux"), guarded=True):
    full_auto: bool = flag("--full-auto")
    command: tuple[str, ...] = required("COMMAND")


class SandboxMacos(Command, path=("sandbox", "macos"), guarded=True):
    full_auto: bool = flag("--full-auto")
    log_denials: bool = flag("--log-denials")
    allow_unix_socket: tuple[Path, ...] = flag("--allow-unix-socket")
    command: tuple[str, ...] = required("COMMAND")


class SandboxWindows(Command, path=("sandbox", "windows"), guarded=True):
    full_auto: bool = flag("--full-auto")
    command: tuple[str, ...] = required("COMMAND")


class SandboxUninstall(Command, path=("sandbox", "uninstall"), guarded=True):
    """Remove what the older sandbox left on a Windows machine."""


class ExecpolicyCheck(Command, path=("execpolicy", "check"), guarded=True):
    """Say what the rules decide about a command; no version shows it."""

    rules: tuple[Path, ...] = required("--rules", "-r")
    pretty: bool = flag("--pretty")
    resolve_host_executables: bool = flag("--resolve-host-executables")
    command: tuple[str, ...] = required("COMMAND")


class Doctor(Command, path=("doctor",), guarded=True):
    """Diagnose the installation; ``json`` without secrets."""

    json: bool = flag("--json")
    summary: bool = flag("--summary")
    all: bool = flag("--all")
    network_only: bool = flag("--network-only")
    no_color: bool = flag("--no-color")
    ascii: bool = flag("--ascii")


class Update(Command, path=("update",), guarded=True):
    """Update Codex itself. Nothing in this library runs it."""


class MigrateRollouts(Command, path=("migrate-rollouts",), guarded=True):
    """Look at, and with ``apply`` migrate, sessions in an older format."""

    apply: bool = flag("--apply")
    json: bool = flag("--json")
    max_mib_per_second: int | None = flag("--max-mib-per-second")
    thread: tuple[UUID, ...] = flag("--thread")
    verbose: bool = flag("--verbose")


class MigrateNfsDb(Command, path=("migrate-nfs-db",), guarded=True):
    """Migrate databases that lie on a network file system."""

    staging_dir: Path | None = flag("--staging-dir")


class DebugModels(Command, path=("debug", "models"), guarded=True):
    """The model catalogue as JSON; ``bundled``: the one inside the program, without the network."""

    bundled: bool = flag("--bundled")


class DebugPromptInput(Command, path=("debug", "prompt-input"), guarded=True):
    """What the model would see, as JSON."""

    image: tuple[Path, ...] = flag("--image", "-i", separator=",")
    prompt: str | None = arg("PROMPT")


class DebugSendMessage(Command, path=("debug", "app-server", "send-message-v2"), guarded=True):
    user_message: str = required("USER_MESSAGE")


class DebugClearMemories(Command, path=("debug", "clear-memories"), guarded=True):
    """Forget what was remembered on this machine; no version shows it."""


class DebugTraceReduce(Command, path=("debug", "trace-reduce"), guarded=True):
    """Replay a trace and write the state that it ends in; no version shows it."""

    output: Path | None = flag("--output", "-o")
    trace_bundle: Path = required("TRACE_BUNDLE")
