"""A server of tools on standard input and output: the Model Context Protocol, spoken by its official SDK.

    async with tool_server(client, McpServer(), name="my-tool", version="1.0") as server:
        answer = await server.call("codex", {"prompt": "hi"})

The SDK (the extra ``mcp``) shakes hands, settles the protocol's version and holds answers against the tool's schema.
Its messages go through ``pipeline.wrapper.rpc``, so that the program is started, bounded and stopped like every other
one, and ``server.rpc`` hears what it tells beyond the protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import AnswerMalformed, UsageError
from pipeline.wrapper.client import Client, Runnable
from pipeline.wrapper.rpc import Handler, Rpc, connect

if TYPE_CHECKING:
    from mcp.client.session import ClientSession
    from mcp.shared.dispatcher import CallOptions

_CALL = "tools/call"


class ToolAnswer(NamedTuple):
    """What a tool has answered; ``failed`` where it says that it could not do its work."""

    text: str
    failed: bool


def check_sdk() -> None:
    """Raises UsageError where the SDK is not installed."""
    # The second one came with the version that is needed.
    if find_spec("mcp") is None or find_spec("mcp_types") is None:
        raise UsageError("the MCP SDK is not installed", remedy="install cli-parity[mcp]")


@contextlib.asynccontextmanager
async def tool_server(
    client: Client,
    command: Runnable,
    *,
    name: str,
    version: str,
    handler: Handler | None = None,
    seconds: float | None = 60.0,
) -> AsyncIterator[ToolServer]:
    """Start a server and shake hands. ``name`` and ``version`` are the caller's; ``seconds`` bounds all but tool calls.

    ``handler`` answers what the server asks. Raises UsageError without the SDK, AnswerMalformed for an answer that is
    not of the protocol, and what ``connect`` and ``Rpc.call`` raise.
    """
    check_sdk()
    from mcp.client.session import ClientSession
    from mcp_types import Implementation

    async with connect(client, command, handler=handler) as rpc:
        session = ClientSession(
            dispatcher=_Channel(rpc, seconds), client_info=Implementation(name=name, version=version)
        )
        await session.__aenter__()
        try:
            with _known("initialize"):
                await session.initialize()
            yield ToolServer(rpc, session)
        finally:
            # Without the exception, which would come out as a group of one.
            await session.__aexit__(None, None, None)


class ToolServer:
    """A server that is ready. ``rpc`` is for what the protocol does not have."""

    def __init__(self, rpc: Rpc, session: ClientSession) -> None:
        self.rpc = rpc
        self._session = session

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call a tool and wait for its answer. Raises RpcError, BinaryFailed, AnswerMalformed."""
        with _known(tool):
            answer = await self._session.call_tool(tool, dict(arguments))
        text = "\n".join(part.text for part in answer.content if part.type == "text")
        return ToolAnswer(text, failed=bool(answer.is_error))


class _Channel:
    """The SDK's messages on a connection of ours. What it hears and is asked goes to the connection's own listeners."""

    def __init__(self, rpc: Rpc, seconds: float | None) -> None:
        self._rpc = rpc
        self._seconds = seconds

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, _options: CallOptions | None = None
    ) -> dict[str, Any]:
        answer = await self._rpc.call(method, params, seconds=None if method == _CALL else self._seconds)
        if not isinstance(answer, dict):
            raise AnswerMalformed("an answer that is no object", where=method)
        return answer

    async def notify(self, method: str, params: Mapping[str, Any] | None, _options: CallOptions | None = None) -> None:
        await self._rpc.notify(method, params)

    async def run(self, *_handlers: Any, **more: Any) -> None:
        more["task_status"].started()
        await asyncio.Event().wait()


@contextlib.contextmanager
def _known(what: str) -> Iterator[None]:
    """What the SDK raises for an answer that it does not understand, as an error of ours."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        problem = str(error).partition("\n")[0]
        raise AnswerMalformed(f"an answer in a shape that is not known: {problem}", where=what) from None
