"""Codex as a server of tools, up to 0.153.4: commands that the user's model carries out, one in a turn.

    async with mcp_server(client, name="my-tool", version="1.0") as server:
        done = await server.exec(["sh", "-c", "exit 3"], cwd=repository, seconds=60)

The model is asked to run the command with its shell, and what it says of it counts for nothing: the result is what the
server tells of the process (``turn_events``). ``seconds`` bounds the command; a server that was left with one at work
must be left itself, which ends both.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import BinaryError, BinaryFailed, BinaryTimeout, RpcError
from pipeline.wrapper.client import Client, Runnable
from pipeline.wrapper.codex.app_server import CommandResult
from pipeline.wrapper.codex.servers import McpServer
from pipeline.wrapper.codex.turn_events import EVENT, Turn
from pipeline.wrapper.codex.values import ApprovalPolicy, SandboxMode
from pipeline.wrapper.mcp import ToolAnswer, ToolServer, tool_server
from pipeline.wrapper.rpc import METHOD_NOT_FOUND

# How long the model may take before the command, and after it, in seconds.
THOUGHT = 300.0
_PROVIDER = "look at its provider in the agent's configuration"
_PROMPT = """\
Call your shell tool once, in the current folder, with exactly this command line:

{line}

A tool that takes a list of words gets {words}.{limit} Wait until the command has ended. \
Run nothing else, change nothing, and do not try again whatever happens. Then answer: done
"""
_LIMIT = " Set timeout_ms to {milliseconds}."
# The other shell tool leaves a command in the background after some seconds, and its end is not always told.
_CONFIG = {"features": {"unified_exec": False}}


@contextlib.asynccontextmanager
async def mcp_server(
    client: Client, command: Runnable | None = None, *, name: str, version: str, seconds: float | None = 60.0
) -> AsyncIterator[CommandsByModel]:
    """Start a server and shake hands. ``name`` and ``version`` are the caller's. Raises what ``tool_server`` raises."""
    async with tool_server(
        client, command or McpServer(), name=name, version=version, handler=_decline, seconds=seconds
    ) as server:
        yield CommandsByModel(server)


async def _decline(method: str, _params: Any) -> object:
    """Nobody is there to approve anything. The second key is what these versions read."""
    if method != "elicitation/create":
        raise RpcError(f"nothing here answers {method}", number=METHOD_NOT_FOUND)
    return {"action": "decline", "decision": "denied"}


class CommandsByModel:
    """A server that is ready."""

    def __init__(self, server: ToolServer) -> None:
        self._server = server

    async def exec(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        seconds: float | None = None,
        sandbox: SandboxMode = SandboxMode.WORKSPACE_WRITE,
        approvals: ApprovalPolicy = ApprovalPolicy.NEVER,
    ) -> CommandResult:
        """Have a command run. At the time limit it is 124, with what was printed until then.

        Raises AnswerMalformed for a turn in which the command did not run to its end, or not alone; BinaryFailed where
        the model fails, BinaryTimeout where it takes too long, and what ``ToolServer.call`` raises.
        """
        turn = Turn(command, cwd)
        arguments = {
            "prompt": _prompt(command, seconds),
            "cwd": str(cwd),
            "sandbox": sandbox.value,
            "approval-policy": approvals.value,
            "config": _CONFIG,
        }
        with self._server.rpc.subscribe(EVENT) as notes:
            asking = asyncio.ensure_future(self._server.call("codex", arguments))
            # What was told before the answer came is read to its end.
            asking.add_done_callback(lambda _: notes.end(BinaryError("the turn is over")))
            try:
                async with asyncio.timeout(THOUGHT) as limit:
                    with contextlib.suppress(BinaryError):
                        async for note in notes:
                            if turn.take(note.params):
                                limit.reschedule(_due(seconds if turn.running else THOUGHT))
                            if turn.problem is not None:
                                break
                    return turn.result(await _unless(turn, asking))
            except TimeoutError:
                if turn.running:
                    return turn.cut_off()
                raise BinaryTimeout(f"the model took more than {THOUGHT:g} s", remedy=_PROVIDER) from None
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)


async def _unless(turn: Turn, asking: asyncio.Future[ToolAnswer]) -> str:
    """What the model says at the end of a turn that nothing is wrong with."""
    if turn.problem is not None:
        raise turn.problem
    answer = await asking
    if answer.failed:
        raise BinaryFailed(f"the model has failed: {answer.text}", remedy=_PROVIDER)
    return answer.text


def _due(seconds: float | None) -> float | None:
    return None if seconds is None else asyncio.get_running_loop().time() + seconds


def _prompt(command: Sequence[str], seconds: float | None) -> str:
    limit = "" if seconds is None else _LIMIT.format(milliseconds=round(seconds * 1000))
    return _PROMPT.format(line=shlex.join(command), words=json.dumps(list(command), ensure_ascii=False), limit=limit)
