"""The events of ``exec --json``: one line of stdout in, one typed value out.

    async with events(client, Exec(prompt="hi", json=True)) as stream:
        async for event in stream:
            match event:
                case ItemCompleted(item=AgentMessage(text=text)): ...
        end = await stream.wait()

Reading never fails, whatever the version prints: a type that is not known is ``Unknown``, a line that is no event is
``Malformed``, fields as in ``items``. Events come in the order of the lines, each as soon as its line is whole. When
the program dies in a turn the events end there: ``End.turn`` is None then, and a line that it did not finish is
``Malformed``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from itertools import takewhile
from typing import Any, ClassVar

import msgspec
import orjson

from pipeline.errors import UsageError
from pipeline.process.stream import Child
from pipeline.wrapper.client import Client, Runnable
from pipeline.wrapper.codex.items import Failure, Item, Told, item_of


class Event(Told, frozen=True, kw_only=True):
    """Base of the events; ``raw`` is the whole line."""

    type: ClassVar[str] = ""


class Unknown(Event, frozen=True, kw_only=True):
    """An event of a type that is not known here, or of none."""


class ThreadStarted(Event, frozen=True, kw_only=True):
    """The first event. The thread can be resumed by its id."""

    type: ClassVar[str] = "thread.started"

    thread_id: str = ""


class TurnStarted(Event, frozen=True, kw_only=True):
    """The prompt has been sent."""

    type: ClassVar[str] = "turn.started"


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of the thread until now; of this run alone in 0.61.0. None where a version does not count them."""

    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_output_tokens: int | None = None


class TurnCompleted(Event, frozen=True, kw_only=True):
    """The turn has ended well."""

    type: ClassVar[str] = "turn.completed"

    usage: Usage | None = None


class TurnFailed(Event, frozen=True, kw_only=True):
    """The turn has ended, and not well."""

    type: ClassVar[str] = "turn.failed"

    error: Failure | None = None


class Error(Event, frozen=True, kw_only=True):
    """Something went wrong; whether the turn goes on is told by what follows."""

    type: ClassVar[str] = "error"

    message: str = ""


class ItemEvent(Event, frozen=True, kw_only=True):
    """Base of the events about an item."""

    item: Item | None = None

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> ItemEvent:
        item = item_of(raw.get("item"))
        return cls(raw=raw, item=item, misread=() if item else ("item",))


class ItemStarted(ItemEvent, frozen=True, kw_only=True):
    type: ClassVar[str] = "item.started"


class ItemUpdated(ItemEvent, frozen=True, kw_only=True):
    type: ClassVar[str] = "item.updated"


class ItemCompleted(ItemEvent, frozen=True, kw_only=True):
    type: ClassVar[str] = "item.completed"


EVENTS: Mapping[str, type[Event]] = {
    cls.type: cls
    for cls in (
        ThreadStarted,
        TurnStarted,
        TurnCompleted,
        TurnFailed,
        Error,
        ItemStarted,
        ItemUpdated,
        ItemCompleted,
    )
}


class Malformed(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is no event, and why."""

    line: bytes
    reason: str


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream ended.

    ``turn`` is the last event that ended a turn, None when none did; ``malformed`` counts lines; ``stderr`` is its
    first and last 64 KiB.
    """

    returncode: int
    thread_id: str | None
    turn: TurnCompleted | TurnFailed | None
    malformed: int
    stderr: bytes


def event_of(line: bytes, *, longest: int | None = None) -> Event | Malformed:
    """The event of a line. One of ``longest`` bytes that has no newline was cut off there."""
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Malformed(line=line, reason=_reason(line, longest, error))
    if not isinstance(raw, dict):
        return Malformed(line=line, reason="not an object")
    kind = raw.get("type")
    return EVENTS.get(kind, Unknown).of(raw) if isinstance(kind, str) else Unknown.of(raw)


def _reason(line: bytes, longest: int | None, error: orjson.JSONDecodeError) -> str:
    if not line.endswith(b"\n"):
        return f"cut off after {longest} bytes" if len(line) == longest else "the output ends in it"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    return f"not JSON: {error}"


class EventStream:
    """The events of a running command."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.thread_id: str | None = None
        self.turn: TurnCompleted | TurnFailed | None = None
        self.malformed = 0

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event | Malformed:
        line = await anext(self.child)
        while not line.strip():
            line = await anext(self.child)
        event = event_of(line, longest=self.child.longest_line)
        match event:
            case Malformed():
                self.malformed += 1
            case ThreadStarted(thread_id=str(name)) if name:
                self.thread_id = name
            case TurnStarted():
                self.turn = None
            case TurnCompleted() | TurnFailed():
                self.turn = event
        return event

    async def wait(self) -> End:
        """Read to the end, if it was not, and say how it was. Raises BinaryTimeout."""
        async for _ in self:
            pass
        code = await self.child.wait()
        return End(
            returncode=code,
            thread_id=self.thread_id,
            turn=self.turn,
            malformed=self.malformed,
            stderr=self.child.stderr,
        )


@contextlib.asynccontextmanager
async def events(client: Client, command: Runnable) -> AsyncIterator[EventStream]:
    """Run a command and read its events; leaving the block stops it.

    Raises what ``Client.stream`` raises, and UsageError for a command that does not ask for ``--json``: what it
    prints would be for people.
    """
    if "--json" not in takewhile(lambda word: word != "--", command.line().argv):
        raise UsageError(f"{type(command).__name__} does not ask for events", where="json", remedy="set json=True")
    async with client.stream(command) as child:
        yield EventStream(child)
