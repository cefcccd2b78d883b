"""The servers of an agent that carry commands out: ``SERVERS`` in ``command_servers`` of its wrapper, the best first.

What they differ in (how a sandbox is spelled, who runs the command) stays in the wrapper.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from pipeline.surface.units import CommandPath
    from pipeline.wrapper.client import Client

Sandbox = Literal["workspaceWrite", "readOnly", "dangerFullAccess"]
Approvals = Literal["never", "on-request", "on-failure", "untrusted"]


class Policy(NamedTuple):
    """What commands may do. A ``profile`` of the agent's own configuration takes the place of the sandbox."""

    sandbox: Sandbox = "workspaceWrite"
    approvals: str = "never"
    profile: str | None = None


DEFAULT = Policy()


class Executed(Protocol):
    """How a command ended that a server has run; 124 where that was its time limit."""

    @property
    def exit_code(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


class CommandServer(Protocol):
    """A server that is ready."""

    async def exec(self, command: Sequence[str], *, cwd: Path, seconds: float) -> Executed: ...


class Starting(Protocol):
    """Starts such a server; ``name`` and ``version`` are the caller's."""

    def __call__(
        self, client: Client, policy: Policy, *, name: str, version: str
    ) -> AbstractAsyncContextManager[CommandServer]: ...


@dataclass(frozen=True, kw_only=True)
class Serving:
    """One kind of server: the transport's name, the command that starts it, and how it is spoken to.

    ``method`` is the one that it is called by, where a version may have the command without it.
    ``check`` raises UsageError for a policy that it cannot keep, and for what it needs and is not installed.
    """

    transport: Literal["app-server", "mcp"]
    path: CommandPath
    check: Callable[[Policy], None]
    start: Starting
    method: str | None = None


def servers(name: str) -> tuple[Serving, ...]:
    """What the wrapper of that name has; nothing where there is no such wrapper."""
    package = f"pipeline.wrapper.{name}"
    module = f"{package}.command_servers"
    try:
        found: tuple[Serving, ...] = importlib.import_module(module).SERVERS if name.isidentifier() else ()
    except ModuleNotFoundError as error:
        if error.name not in (package, module):
            raise
        return ()
    return found
