"""Ways to carry a command out: a process of this machine, or a server of the agent.

A transport is a context: entering it starts what it needs, leaving it stops that with all that it started. One that
cannot be entered, or a call that is not answered, raises what ``pipeline.wrapper`` raises; a command's exit code,
whichever, is a value. Of each stream the first and the last 64 KiB are kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pipeline.errors import BinaryTimeout, IdentityMismatch
from pipeline.process.lines import Ends
from pipeline.process.stream import stream
from pipeline.wrapper.client import Client
from pipeline.wrapper.serving import CommandServer, Policy, Serving

# How much of each end of a stream is kept, in bytes.
KEPT = 1 << 16
# What is reported for a command that was stopped at its limit, as `timeout` and the servers do.
TIMED_OUT = 124


class Result(NamedTuple):
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str
    timed_out: bool


class Transport(Protocol):
    """Carries commands out, one at a time."""

    async def execute(self, argv: Sequence[str], *, cwd: Path, seconds: float) -> Result: ...


class Local:
    """A process beside the agent, in a session of its own."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    async def execute(self, argv: Sequence[str], *, cwd: Path, seconds: float) -> Result:
        timed_out, code = False, TIMED_OUT
        async with stream(argv, env=self._env, cwd=cwd, seconds=seconds, ends=KEPT) as child:
            try:
                code = await child.wait()
            except BinaryTimeout:
                timed_out = True
        return Result(code, _text(child.stdout), _text(child.stderr), timed_out)


class ThroughAgent:
    """A server of the agent, in its sandbox."""

    def __init__(self, server: CommandServer) -> None:
        self._server = server

    async def execute(self, argv: Sequence[str], *, cwd: Path, seconds: float) -> Result:
        result = await self._server.exec(argv, cwd=cwd, seconds=seconds)
        kept = [Ends(KEPT), Ends(KEPT)]
        for end, text in zip(kept, (result.stdout, result.stderr), strict=True):
            end.write(text.encode("utf-8", "replace"))
        out, err = (_text(bytes(end)) for end in kept)
        return Result(result.exit_code, out, err, timed_out=result.exit_code == TIMED_OUT)


@contextlib.asynccontextmanager
async def through_agent(
    serving: Serving,
    binary: Path,
    version: str,
    *,
    env: Mapping[str, str],
    cwd: Path,
    caller: str,
    policy: Policy,
) -> AsyncIterator[Transport]:
    """Start a server of the agent. Raises IdentityMismatch for a binary of another version than was asked for."""
    client = await Client.open(binary, env=env, cwd=cwd)
    if client.version != version:
        raise IdentityMismatch(
            f"the binary says that it is {client.version}, and {version} was asked for",
            remedy="give the binary of that version, or ask for the one that it is",
        )
    async with serving.start(client, policy, name="cli-parity", version=caller) as server:
        yield ThroughAgent(server)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
