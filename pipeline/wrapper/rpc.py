"""JSON-RPC with a program over its standard input and output, one message a line.

    async with connect(client, Serve()) as rpc:
        with rpc.subscribe() as notes:
            answer = await rpc.call("open", {"cwd": "/srv"}, seconds=30)
            async for note in notes: ...

Messages are read whether or not they carry ``jsonrpc``; what is written carries it. Calls run beside each other.
Answers that nobody waits for (any longer) are counted in ``unmatched``, lines that are no message in ``malformed``.
A request of the server is answered by ``handler``, beside all else; without one with "method not found". When the
server ends, what waits for it is told so, with the end of its stderr; when an answer is longer than the client's
``longest_line``, the calls that wait for one fail. Leaving the block ends it as
``pipeline.process.stream`` says: its input ends first.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any

import orjson

from pipeline.errors import BinaryError, BinaryFailed, BinaryOutputTooLarge, BinaryTimeout, RpcError, UsageError
from pipeline.process.lines import plain
from pipeline.process.stream import Child
from pipeline.wrapper.client import Client, Runnable
from pipeline.wrapper.notes import Notification, Subscription

Handler = Callable[[str, Any], Awaitable[object]]

METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
# How long a server that has closed its output may take to end before it is given up, in seconds. What is said of it
# depends on it: on a busy machine the end of a program is told long after that of its output.
_LAST = 5.0
# How much of its stderr an error quotes, in characters.
_QUOTED = 2000
# How a message begins that is a request or a notification.
_NO_ANSWER = re.compile(rb'\s*\{\s*(?:"(?:jsonrpc|id)"\s*:\s*(?:"[^"]*"|-?\d+|null)\s*,\s*)*"method"\s*:')


@contextlib.asynccontextmanager
async def connect(client: Client, command: Runnable, *, handler: Handler | None = None) -> AsyncIterator[Rpc]:
    """Start a server. Raises what ``Client.stream`` raises.

    ``handler`` gets a method and its params and gives the result; it raises RpcError to refuse. Another exception is
    a bug: the server hears "internal error", the event loop's exception handler the rest.
    """
    async with client.stream(command, held=True) as child:
        rpc = Rpc(child, handler)
        try:
            yield rpc
        finally:
            await rpc.close()


class Rpc:
    """A server that runs."""

    def __init__(self, child: Child, handler: Handler | None) -> None:
        self.child = child
        self.malformed = 0
        self.unmatched = 0
        self._handler = handler
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any] | BinaryError]] = {}
        self._subscriptions: set[Subscription] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._over: BinaryError | None = None
        self._reading = asyncio.create_task(self._read())

    async def call(self, method: str, params: Any = None, *, seconds: float | None = None) -> Any:
        """The result of a call.

        Raises RpcError when the server refuses it, BinaryTimeout after ``seconds`` (an answer that comes later is
        ignored), BinaryFailed when the server ends, UsageError for params that are no JSON.
        """
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._send({"id": number, "method": method} | _params(params))
                answer = await waiting
        except TimeoutError:
            raise BinaryTimeout(
                f"`{self.child.command}` did not answer {method} within {seconds:g} s", remedy="give it more time"
            ) from None
        finally:
            del self._waiting[number]
        if isinstance(answer, BinaryError):
            raise answer
        if (error := answer.get("error")) is not None:
            raise _refusal(method, error)
        return answer.get("result")

    async def notify(self, method: str, params: Any = None) -> None:
        """Tell the server something. Raises BinaryFailed when it has ended, UsageError as ``call`` does."""
        await self._send({"method": method} | _params(params))

    def subscribe(self, *methods: str) -> Subscription:
        """The notifications from now on, of these methods or of all."""
        subscription = Subscription(frozenset(methods), self._subscriptions.discard)
        if self._over is None:
            self._subscriptions.add(subscription)
        else:
            subscription.end(self._over)
        return subscription

    async def close(self) -> None:
        """Stop reading and answering; what still waits is told that the connection is closed."""
        tasks = (self._reading, *self._answering)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if not self._reading.cancelled() and (error := self._reading.exception()) is not None:
            raise error

    async def _read(self) -> None:
        # Whatever ends it: nobody may go on waiting for what will not come.
        over: BinaryError = BinaryError(f"the connection to `{self.child.command}` is closed")
        try:
            async for line in self.child:
                self._take(line)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST):
                    await self.child.wait()
            over = self._death()
        except BinaryTimeout as error:
            over = error
        finally:
            self._over = over
            self._fail(over)
            for subscription in tuple(self._subscriptions):
                subscription.end(over)

    def _take(self, line: bytes) -> None:
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict):
            self.malformed += bool(line.strip())
            if len(line) == self.child.longest_line and not _NO_ANSWER.match(line):
                # Whose answer it was stands in what was cut off, perhaps.
                self._fail(_cut(self.child))
        elif isinstance(method := message.get("method"), str):
            if "id" in message:
                task = asyncio.create_task(self._answer(message["id"], method, message.get("params")))
                self._answering.add(task)
                task.add_done_callback(self._answered)
            else:
                note = Notification(method, message.get("params"))
                for subscription in self._subscriptions:
                    subscription.add(note, len(line))
        elif "result" in message or "error" in message:
            # 1 and true are one key to a dict.
            number = message.get("id")
            waiting = self._waiting.get(number) if type(number) is int else None
            if waiting is None or waiting.done():
                self.unmatched += 1
            else:
                waiting.set_result(message)
        else:
            self.malformed += 1

    def _fail(self, error: BinaryError) -> None:
        """Tell all who wait for an answer that there is none."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(error)

    async def _answer(self, number: Any, method: str, params: Any) -> None:
        if self._handler is None:
            await self._reply(number, {"error": _told(METHOD_NOT_FOUND, f"there is no handler for {method}")})
            return
        try:
            answer = {"result": await self._handler(method, params)}
            _encode(answer)
        except RpcError as error:
            answer = {"error": _told(error.number, error.message, error.data)}
        except Exception:
            await self._reply(number, {"error": _told(INTERNAL_ERROR, "internal error")})
            raise
        await self._reply(number, answer)

    async def _reply(self, number: Any, answer: dict[str, Any]) -> None:
        # Whether the server still listens is told to those who wait for it.
        with contextlib.suppress(BinaryError):
            await self._send({"id": number} | answer)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._answering.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            problem = {"message": "a handler of JSON-RPC requests failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(problem)

    async def _send(self, message: dict[str, Any]) -> None:
        line = _encode({"jsonrpc": "2.0"} | message) + b"\n"
        if self._over is not None:
            raise self._end()
        try:
            await self.child.write(line)
        except BrokenPipeError:
            raise self._end() from None

    def _end(self) -> BinaryError:
        return self._over or self._death()

    def _death(self) -> BinaryFailed:
        code = self.child.returncode
        how = "does not listen any more" if code is None else f"ended with exit code {code}"
        said = plain(self.child.stderr.decode("utf-8", "replace")).strip()[-_QUOTED:]
        return BinaryFailed(f"`{self.child.command}` {how}{said and ', its last words: '}{said}")


def _cut(child: Child) -> BinaryOutputTooLarge:
    return BinaryOutputTooLarge(
        f"`{child.command}` gave an answer of more than {child.longest_line} bytes",
        remedy="ask for less, or raise the client's longest_line",
    )


def _params(params: Any) -> dict[str, Any]:
    return {} if params is None else {"params": params}


def _told(number: int, message: str, data: object = None) -> dict[str, Any]:
    return {"code": number, "message": message} | ({} if data is None else {"data": data})


def _encode(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise UsageError(f"not JSON: {error}", remedy="give dicts, lists, str, numbers, bool and None") from None


def _refusal(method: str, error: Any) -> RpcError:
    """The error of an answer, whatever its shape."""
    told = error if isinstance(error, dict) else {"message": str(error)}
    number, message = told.get("code"), told.get("message")
    return RpcError(
        message if isinstance(message, str) else orjson.dumps(told).decode(),
        number=number if isinstance(number, int) else INTERNAL_ERROR,
        data=told.get("data"),
        where=method,
    )
