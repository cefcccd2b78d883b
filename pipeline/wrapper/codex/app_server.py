"""Codex as a server: threads, turns and commands over JSON-RPC, from 0.125.0 on.

    async with app_server(client, name="my-tool", version="1.0") as server:
        thread = await server.start_thread(cwd="/srv", sandbox="read-only")
        async with server.turn(thread.id, "what is this?") as turn:
            async for note in turn: ...
            end = await turn.wait()

Further parameters of a call are given as keywords and handed on as the protocol spells them (``approvalPolicy``); the
binary prints what it knows of them with ``app-server generate-json-schema``. What the server tells and asks is told
by ``pipeline.wrapper.rpc``; an answer in a shape that is not known is AnswerMalformed. ``seconds`` bounds one call.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipeline.errors import AnswerMalformed, BinaryError
from pipeline.wrapper.client import Client, Runnable
from pipeline.wrapper.codex.servers import AppServer
from pipeline.wrapper.notes import Notification, Subscription
from pipeline.wrapper.rpc import Handler, Rpc, connect

# How long a turn that is left may take to be interrupted, in seconds.
_INTERRUPT = 2.0
# What a command's time limit, kept by the server, gets on top before the answer is given up, in seconds.
_SLACK = 10.0

_T = TypeVar("_T")


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation; ``path`` is where it is recorded, None if it is not."""

    id: str
    path: str | None = None


class TurnError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a turn failed."""

    message: str = ""


class TurnState(msgspec.Struct, frozen=True, kw_only=True):
    """A turn as the server tells it; ``status`` is inProgress, completed, interrupted or failed."""

    id: str
    status: str
    error: TurnError | None = None


class CommandResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a command ended that the server has run."""

    exit_code: int
    stdout: str
    stderr: str


class _ThreadAnswer(msgspec.Struct):
    thread: Thread


class _TurnAnswer(msgspec.Struct):
    turn: TurnState


@contextlib.asynccontextmanager
async def app_server(
    client: Client,
    command: Runnable | None = None,
    *,
    name: str,
    version: str,
    handler: Handler | None = None,
    experimental: bool = False,
    seconds: float | None = 60.0,
) -> AsyncIterator[Server]:
    """Start a server and shake hands. ``name`` and ``version`` are the caller's; ``seconds`` bounds each short call.

    ``handler`` answers what the server asks: approvals, for example, with ``{"decision": "accept"}``. Raises what
    ``connect`` and ``Rpc.call`` raise.
    """
    async with connect(client, command or AppServer(), handler=handler) as rpc:
        hello = {
            "clientInfo": {"name": name, "version": version},
            "capabilities": {"experimentalApi": experimental},
        }
        told = await rpc.call("initialize", hello, seconds=seconds)
        await rpc.notify("initialized")
        yield Server(rpc, told if isinstance(told, Mapping) else {}, seconds)


class Server:
    """A server that is ready. ``rpc`` is for all that has no method here, ``told`` what it says of itself."""

    def __init__(self, rpc: Rpc, told: Mapping[str, Any], seconds: float | None) -> None:
        self.rpc = rpc
        self.told = told
        self._seconds = seconds

    async def start_thread(self, **params: Any) -> Thread:
        """Begin a conversation."""
        return (await self._ask("thread/start", params, _ThreadAnswer)).thread

    async def resume_thread(self, thread_id: str, **params: Any) -> Thread:
        """Go on with a recorded one."""
        return (await self._ask("thread/resume", {"threadId": thread_id, **params}, _ThreadAnswer)).thread

    @contextlib.asynccontextmanager
    async def turn(self, thread_id: str, prompt: str, **params: Any) -> AsyncIterator[Turn]:
        """Send a prompt. Leaving the block interrupts the turn if it has not ended."""
        # Before the turn begins, or its first notifications are lost.
        with self.rpc.subscribe() as notes:
            prompts = [{"type": "text", "text": prompt}]
            asked = {"threadId": thread_id, "input": prompts, **params}
            state = (await self._ask("turn/start", asked, _TurnAnswer)).turn
            turn = Turn(self.rpc, thread_id, state, notes)
            try:
                yield turn
            finally:
                if not turn.ended:
                    with contextlib.suppress(BinaryError):
                        await turn.interrupt()

    async def exec(
        self, command: Sequence[str], *, cwd: Path | None = None, seconds: float | None = None, **params: Any
    ) -> CommandResult:
        """Run a command in the server's sandbox; ``seconds`` is the limit that the server keeps."""
        asked: dict[str, Any] = {"command": list(command), **params}
        if cwd is not None:
            asked["cwd"] = str(cwd)
        if seconds is not None:
            asked["timeoutMs"] = round(seconds * 1000)
        answer = await self.rpc.call("command/exec", asked, seconds=None if seconds is None else seconds + _SLACK)
        return _typed("command/exec", answer, CommandResult)

    async def _ask(self, method: str, params: Mapping[str, Any], kind: type[_T]) -> _T:
        return _typed(method, await self.rpc.call(method, params, seconds=self._seconds), kind)


class Turn:
    """A turn that was begun: iterating gives the notifications about it, the one that it has ended last."""

    def __init__(self, rpc: Rpc, thread_id: str, state: TurnState, notes: Subscription) -> None:
        self.state = state
        self._rpc = rpc
        self._thread_id = thread_id
        self._notes = notes

    @property
    def ended(self) -> bool:
        return self.state.status != "inProgress"

    def __aiter__(self) -> Turn:
        return self

    async def __anext__(self) -> Notification:
        while not self.ended:
            note = await anext(self._notes)
            if self._is_mine(note.params):
                if note.method == "turn/completed":
                    self.state = _typed(note.method, note.params, _TurnAnswer).turn
                return note
        raise StopAsyncIteration

    async def wait(self) -> TurnState:
        """Read to the end, if it was not. Raises BinaryFailed when the server ends before."""
        async for _ in self:
            pass
        return self.state

    async def interrupt(self) -> None:
        """Ask the server to stop the turn; it still tells the end."""
        asked = {"threadId": self._thread_id, "turnId": self.state.id}
        await self._rpc.call("turn/interrupt", asked, seconds=_INTERRUPT)

    def _is_mine(self, params: Any) -> bool:
        if not isinstance(params, Mapping) or params.get("threadId") != self._thread_id:
            return False
        turn = params.get("turn")
        named = turn.get("id") if isinstance(turn, Mapping) else params.get("turnId", self.state.id)
        return bool(named == self.state.id)


def _typed(method: str, answer: Any, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise AnswerMalformed(f"an answer in a shape that is not known: {error}", where=method) from None
