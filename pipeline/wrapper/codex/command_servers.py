"""Codex's servers that carry commands out, as ``pipeline.wrapper.serving`` wants them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import UsageError
from pipeline.wrapper.client import Client
from pipeline.wrapper.codex.app_server import CommandResult, Server, app_server
from pipeline.wrapper.codex.mcp_server import CommandsByModel, mcp_server
from pipeline.wrapper.codex.servers import AppServer, McpServer
from pipeline.wrapper.codex.values import ApprovalPolicy, SandboxMode
from pipeline.wrapper.mcp import check_sdk
from pipeline.wrapper.serving import Policy, Sandbox, Serving

# A sandbox's name in the app server's protocol, and elsewhere.
_SANDBOXES: dict[Sandbox, SandboxMode] = {
    "dangerFullAccess": SandboxMode.DANGER_FULL_ACCESS,
    "readOnly": SandboxMode.READ_ONLY,
    "workspaceWrite": SandboxMode.WORKSPACE_WRITE,
}


class _Direct(NamedTuple):
    server: Server
    policy: Policy

    async def exec(self, command: Sequence[str], *, cwd: Path, seconds: float) -> CommandResult:
        params: dict[str, Any]
        if self.policy.profile is not None:
            params = {"permissionProfile": self.policy.profile}
        else:
            params = {"sandboxPolicy": {"type": self.policy.sandbox}}
            if self.policy.sandbox == "workspaceWrite":
                # Not said, 0.169.0 takes the folder from whoever has a permission profile in the configuration.
                params["sandboxPolicy"]["writableRoots"] = [str(cwd)]
        return await self.server.exec(command, cwd=cwd, seconds=seconds, **params)


class _ByModel(NamedTuple):
    server: CommandsByModel
    policy: Policy

    async def exec(self, command: Sequence[str], *, cwd: Path, seconds: float) -> CommandResult:
        return await self.server.exec(
            command,
            cwd=cwd,
            seconds=seconds,
            sandbox=_SANDBOXES[self.policy.sandbox],
            approvals=ApprovalPolicy(self.policy.approvals),
        )


def _check_direct(_policy: Policy) -> None:
    """All of it can be kept."""


def _check_by_model(policy: Policy) -> None:
    if policy.profile is not None:
        raise UsageError("a model's turn takes no permission profile", remedy="use --sandbox, or another transport")
    known = [each.value for each in ApprovalPolicy]
    if policy.approvals not in known:
        raise UsageError(f"{policy.approvals!r} is no approval policy", remedy=f"use one of {', '.join(known)}")
    check_sdk()


@contextlib.asynccontextmanager
async def _open_direct(client: Client, policy: Policy, *, name: str, version: str) -> AsyncIterator[_Direct]:
    async with app_server(client, name=name, version=version, experimental=policy.profile is not None) as server:
        yield _Direct(server, policy)


@contextlib.asynccontextmanager
async def _open_by_model(client: Client, policy: Policy, *, name: str, version: str) -> AsyncIterator[_ByModel]:
    async with mcp_server(client, name=name, version=version) as server:
        yield _ByModel(server, policy)


SERVERS = (
    Serving(
        transport="app-server", path=AppServer.path, check=_check_direct, start=_open_direct, method="command/exec"
    ),
    Serving(transport="mcp", path=McpServer.path, check=_check_by_model, start=_open_by_model),
)
