"""What an agent does in a turn, as ``exec --json`` tells it: the items of its events as typed values.

A field that a version does not tell, or tells in another shape, has its default; ``raw`` is the whole mapping as it
came, and ``misread`` names the fields whose shape was not the expected one. States, kinds and tools are plain str,
because versions add to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self

import msgspec


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the program told: base of events and items."""

    raw: Mapping[str, Any] = {}
    misread: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """Read what can be read; never fails."""
        values: dict[str, Any] = {}
        misread = []
        for name, kind in _fields(cls):
            # A null stands for what is not there (yet): the default says the same.
            if (value := raw.get(name)) is not None:
                try:
                    values[name] = msgspec.convert(value, kind)
                except msgspec.ValidationError:
                    misread.append(name)
        return cls(raw=raw, misread=tuple(misread), **values)


@cache
def _fields(cls: type[Told]) -> tuple[tuple[str, Any], ...]:
    return tuple((f.name, f.type) for f in msgspec.structs.fields(cls) if f.name not in ("raw", "misread"))


class Item(Told, frozen=True, kw_only=True):
    """Base of the items. ``id`` is the same in all events about one item."""

    type: ClassVar[str] = ""

    id: str = ""


class UnknownItem(Item, frozen=True, kw_only=True):
    """An item of a type that is not known here, or of none: see ``raw``."""


class AgentMessage(Item, frozen=True, kw_only=True):
    """An answer; JSON if an output schema was asked for."""

    type: ClassVar[str] = "agent_message"

    text: str = ""


class Reasoning(Item, frozen=True, kw_only=True):
    """A summary of what the model thought."""

    type: ClassVar[str] = "reasoning"

    text: str = ""


class CommandExecution(Item, frozen=True, kw_only=True):
    """A command that was run. ``exit_code`` is None until it has ended."""

    type: ClassVar[str] = "command_execution"

    command: str = ""
    aggregated_output: str = ""
    exit_code: int | None = None
    status: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """``kind`` is add, delete or update."""

    path: str
    kind: str = ""


class FileChange(Item, frozen=True, kw_only=True):
    """Files that a patch changes; 0.61.0 tells it only afterwards."""

    type: ClassVar[str] = "file_change"

    changes: tuple[Change, ...] = ()
    status: str = ""


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool answered: content blocks, and the structured form if it has one."""

    content: tuple[Any, ...] = ()
    structured_content: Any = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why something failed."""

    message: str = ""


class McpToolCall(Item, frozen=True, kw_only=True):
    """A call of a tool of an MCP server."""

    type: ClassVar[str] = "mcp_tool_call"

    server: str = ""
    tool: str = ""
    arguments: Any = None
    result: ToolResult | None = None
    error: Failure | None = None
    status: str = ""


class AgentState(msgspec.Struct, frozen=True, kw_only=True):
    """The last known state of another agent."""

    status: str = ""
    message: str | None = None


class CollabToolCall(Item, frozen=True, kw_only=True):
    """A message to agents that this one has started; states by thread."""

    type: ClassVar[str] = "collab_tool_call"

    tool: str = ""
    sender_thread_id: str = ""
    receiver_thread_ids: tuple[str, ...] = ()
    prompt: str | None = None
    agents_states: Mapping[str, AgentState] = {}
    status: str = ""


class WebSearch(Item, frozen=True, kw_only=True):
    """A search of the model's provider. 0.125.0 and 0.169.0 write two ids; the second one counts."""

    type: ClassVar[str] = "web_search"

    query: str = ""
    action: Mapping[str, Any] | None = None


class Todo(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a plan."""

    text: str
    completed: bool = False


class TodoList(Item, frozen=True, kw_only=True):
    """The agent's plan as it stands."""

    type: ClassVar[str] = "todo_list"

    items: tuple[Todo, ...] = ()


class ErrorItem(Item, frozen=True, kw_only=True):
    """Something went wrong, and the turn goes on."""

    type: ClassVar[str] = "error"

    message: str = ""


ITEMS: Mapping[str, type[Item]] = {
    cls.type: cls
    for cls in (
        AgentMessage,
        Reasoning,
        CommandExecution,
        FileChange,
        McpToolCall,
        CollabToolCall,
        WebSearch,
        TodoList,
        ErrorItem,
    )
}


def item_of(raw: object) -> Item | None:
    """The item that a mapping tells; None for what is no mapping."""
    if not isinstance(raw, Mapping):
        return None
    kind = raw.get("type")
    return ITEMS.get(kind, UnknownItem).of(raw) if isinstance(kind, str) else UnknownItem.of(raw)
