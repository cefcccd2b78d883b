"""Contract of the event types: what the binaries print is typed, and nothing that they might print is lost or raises."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import fake_cli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BinaryTimeout, UsageError
from pipeline.wrapper.client import Client
from pipeline.wrapper.codex import Codex, Exec, ExecResume
from pipeline.wrapper.codex.events import (
    EVENTS,
    Error,
    ItemCompleted,
    ItemStarted,
    ItemUpdated,
    Malformed,
    ThreadStarted,
    TurnCompleted,
    TurnFailed,
    TurnStarted,
    Unknown,
    Usage,
    event_of,
    events,
)
from pipeline.wrapper.codex.items import (
    ITEMS,
    AgentMessage,
    Change,
    CommandExecution,
    ErrorItem,
    Failure,
    FileChange,
    McpToolCall,
    Reasoning,
    Todo,
    TodoList,
    ToolResult,
    UnknownItem,
    WebSearch,
)

LONG = 300.0

# As 0.61.0, 0.125.0 and 0.169.0 print them.
PRINTED = [
    ('{"type":"thread.started","thread_id":"01a2"}', ThreadStarted, {"thread_id": "01a2"}),
    ('{"type":"turn.started"}', TurnStarted, {}),
    (
        '{"type":"turn.completed","usage":{"input_tokens":84,"cached_input_tokens":32,"output_tokens":52}}',
        TurnCompleted,
        {"usage": Usage(input_tokens=84, cached_input_tokens=32, output_tokens=52)},
    ),
    (
        '{"type":"turn.completed","usage":{"input_tokens":84,"cached_input_tokens":32,"cache_write_input_tokens":0,'
        '"output_tokens":52,"reasoning_output_tokens":20}}',
        TurnCompleted,
        {
            "usage": Usage(
                input_tokens=84,
                cached_input_tokens=32,
                cache_write_input_tokens=0,
                output_tokens=52,
                reasoning_output_tokens=20,
            )
        },
    ),
    ('{"type":"turn.failed","error":{"message":"no"}}', TurnFailed, {"error": Failure(message="no")}),
    ('{"type":"error","message":"ü ✓"}', Error, {"message": "ü ✓"}),
]

PRINTED_ITEMS = [
    ('{"id":"item_4","type":"agent_message","text":"All done."}', AgentMessage(id="item_4", text="All done.")),
    ('{"id":"item_0","type":"reasoning","text":"hmm"}', Reasoning(id="item_0", text="hmm")),
    (
        '{"id":"i","type":"command_execution","command":"bash -lc ls","aggregated_output":"","exit_code":null,'
        '"status":"in_progress"}',
        CommandExecution(id="i", command="bash -lc ls", status="in_progress"),
    ),
    (
        '{"id":"i","type":"command_execution","command":"c","aggregated_output":"out\\nerr\\n","exit_code":3,'
        '"status":"failed"}',
        CommandExecution(id="i", command="c", aggregated_output="out\nerr\n", exit_code=3, status="failed"),
    ),
    (
        '{"id":"i","type":"file_change","changes":[{"path":"/w/é.txt","kind":"add"}],"status":"completed"}',
        FileChange(id="i", changes=(Change(path="/w/é.txt", kind="add"),), status="completed"),
    ),
    (
        '{"id":"i","type":"mcp_tool_call","server":"calc","tool":"add","arguments":{"a":1},"result":{"content":'
        '[{"text":"4","type":"text"}],"structured_content":{"sum":4}},"error":null,"status":"completed"}',
        McpToolCall(
            id="i",
            server="calc",
            tool="add",
            arguments={"a": 1},
            result=ToolResult(content=({"text": "4", "type": "text"},), structured_content={"sum": 4}),
            status="completed",
        ),
    ),
    ('{"id":"item_2","type":"web_search","query":"cats"}', WebSearch(id="item_2", query="cats")),
    (
        '{"id":"item_1","type":"web_search","id":"ws_2","query":"cats","action":{"type":"search","query":"cats"}}',
        WebSearch(id="ws_2", query="cats", action={"type": "search", "query": "cats"}),
    ),
    (
        '{"id":"i","type":"todo_list","items":[{"text":"a","completed":true},{"text":"b","completed":false}]}',
        TodoList(id="i", items=(Todo(text="a", completed=True), Todo(text="b", completed=False))),
    ),
    (
        '{"id":"i","type":"error","message":"Model metadata not found"}',
        ErrorItem(id="i", message="Model metadata not found"),
    ),
]


def bare(value):
    """A value without what it was read from."""
    return {name: getattr(value, name) for name in value.__struct_fields__ if name not in ("raw", "misread")}


@pytest.mark.parametrize(("line", "kind", "fields"), PRINTED)
def test_events_have_the_fields_that_are_printed(line, kind, fields):
    event = event_of(line.encode() + b"\n")
    assert (type(event), bare(event), event.misread, event.raw) == (kind, fields, (), json.loads(line))


@pytest.mark.parametrize(("line", "item"), PRINTED_ITEMS)
@pytest.mark.parametrize("kind", [ItemStarted, ItemUpdated, ItemCompleted])
def test_items_have_the_fields_that_are_printed(kind, line, item):
    event = event_of(b'{"type":"%s","item":%s}\n' % (kind.type.encode(), line.encode()))
    assert (type(event), type(event.item), bare(event.item)) == (kind, type(item), bare(item))
    assert (event.item.raw, event.misread, event.item.misread) == (json.loads(line), (), ())


def test_every_type_has_been_printed_above_or_is_known_from_its_version():
    assert {kind.type for _, kind, _ in PRINTED} | {"item.started", "item.updated", "item.completed"} == set(EVENTS)
    assert {item.type for _, item in PRINTED_ITEMS} | {"collab_tool_call"} == set(ITEMS)


def test_unknown_fields_are_kept():
    event = event_of(b'{"type":"thread.started","thread_id":"x","session":{"a":[1]},"item":{}}')
    assert event.raw["session"] == {"a": [1]}


@pytest.mark.parametrize("kind", ['"turn.paused"', "null", "3", '["a"]', '{"a":1}'])
def test_an_unknown_type_is_not_lost(kind):
    event = event_of(b'{"type":%s,"a":1}\n' % kind.encode())
    assert (type(event), event.raw["a"]) == (Unknown, 1)
    item = event_of(b'{"type":"item.started","item":{"id":"i","type":%s,"a":1}}\n' % kind.encode()).item
    assert (type(item), item.id, item.raw["a"]) == (UnknownItem, "i", 1)


def test_a_field_of_another_shape_is_named_and_the_others_are_read():
    line = b'{"type":"item.completed","item":{"id":7,"type":"command_execution","command":["ls"],"exit_code":"0","status":"ok"}}'
    item = event_of(line).item
    assert (item.misread, item.status, item.command, item.exit_code) == (("id", "command", "exit_code"), "ok", "", None)
    assert item.raw["command"] == ["ls"]


@pytest.mark.parametrize("item", ["null", "3", '"x"', "[]"])
def test_an_event_without_an_item_is_no_error(item):
    event = event_of(b'{"type":"item.started","item":%s}' % item.encode())
    assert (event.item, event.misread) == (None, ("item",))
    assert event_of(b'{"type":"item.started"}').item is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"Reading prompt from stdin...\n", "not JSON: "),
        (b'{"type":"error","message":NaN}\n', "not JSON: "),
        (b'{"type":"error"} {}\n', "not JSON: "),
        (b"[1]\n", "not an object"),
        (b'"turn.started"\n', "not an object"),
        (b'{"type":"error","message":"\xff"}\n', "not UTF-8"),
        (b'{"type":"err', "the output ends in it"),
        (b'{"type":"error","mes', "cut off after 20 bytes"),
        (b"[" * 100_000 + b"\n", "not JSON: "),
    ],
)
def test_a_malformed_line_is_a_value_with_its_reason(line, reason):
    event = event_of(line, longest=20)
    assert isinstance(event, Malformed)
    assert event.line == line
    assert event.reason.startswith(reason)


def test_a_last_line_that_is_whole_needs_no_newline():
    assert isinstance(event_of(b'{"type":"turn.started"}'), TurnStarted)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({name for cls in (*EVENTS.values(), *ITEMS.values()) for name in cls.__struct_fields__} - {"item"})
TYPES = st.sampled_from([*EVENTS, *ITEMS])
MAPPINGS = st.fixed_dictionaries({"type": TYPES | JSON}, optional=dict.fromkeys(NAMES, JSON))


@given(st.fixed_dictionaries({"type": TYPES | JSON, "item": MAPPINGS | JSON}, optional=dict.fromkeys(NAMES, JSON)))
def test_whatever_shape_the_fields_have_nothing_raises(mapping):
    line = json.dumps(mapping).encode()
    event = event_of(line + b"\n")
    # Numbers that no parser here holds are said to be malformed.
    assert isinstance(event, Malformed) or set(event.raw) == set(mapping)


@given(st.binary(max_size=40))
def test_whatever_bytes_a_line_has_nothing_raises(line):
    event_of(line, longest=20)


# --- streams


def lines_of(folder, text, tail=""):
    """A program that prints a text and ends as ``tail`` says."""
    source = f"import os, sys, time\nsys.stdout.buffer.write({text!r})\nsys.stdout.flush()\n{tail}"
    return Client(fake_cli.script(folder, "program", source), cwd=folder, seconds=LONG)


def read(client, command=None):
    async def main():
        async with events(client, command or Exec(prompt="x", json=True)) as stream:
            return [event async for event in stream], await stream.wait()

    return asyncio.run(main())


TURN = b'{"type":"thread.started","thread_id":"t"}\n{"type":"turn.started"}\n'
DONE = b'{"type":"turn.completed","usage":{}}\n'


def test_a_stream_ends_with_what_its_program_said(tmp_path):
    seen, end = read(lines_of(tmp_path, TURN + b"\n  \nnoise\n" + DONE, "print('e', file=sys.stderr); sys.exit(2)"))
    assert [type(event) for event in seen] == [ThreadStarted, TurnStarted, Malformed, TurnCompleted]
    assert (end.returncode, end.thread_id, end.turn, end.malformed) == (2, "t", seen[-1], 1)
    assert end.stderr.strip() == b"e"


def test_a_program_that_dies_in_a_turn_leaves_a_turn_without_end(tmp_path):
    seen, end = read(lines_of(tmp_path, TURN + b'{"type":"item.star', "os.kill(os.getpid(), 9)"))
    assert [type(event) for event in seen] == [ThreadStarted, TurnStarted, Malformed]
    assert seen[-1].reason == "the output ends in it"
    assert (end.returncode != 0, end.turn, end.thread_id, end.malformed) == (True, None, "t", 1)


def test_only_the_last_turn_counts(tmp_path):
    assert read(lines_of(tmp_path, TURN + DONE + b'{"type":"turn.started"}\n'))[1].turn is None


def test_waiting_reads_the_rest(tmp_path):
    async def main():
        async with events(lines_of(tmp_path, TURN + DONE), Exec(prompt="x", json=True)) as stream:
            return await stream.wait()

    end = asyncio.run(main())
    assert (end.thread_id, type(end.turn)) == ("t", TurnCompleted)


def test_a_line_that_is_too_long_is_reported_and_the_next_one_read(tmp_path):
    client = dataclasses.replace(lines_of(tmp_path, b'{"type":"' + b"x" * 1000 + b'"}\n' + TURN), longest_line=100)
    seen, _ = read(client)
    assert [getattr(event, "reason", None) for event in seen] == ["cut off after 100 bytes", None, None]


def test_events_before_the_time_limit_are_read_first(tmp_path):
    client = lines_of(tmp_path, TURN, "time.sleep(600)")
    seen = []

    async def main():
        async with events(client, Exec(prompt="x", json=True)) as stream:
            seen.append(await anext(stream))
            stream.child._time_out()
            await stream.wait()

    with pytest.raises(BinaryTimeout):
        asyncio.run(main())
    assert [type(event) for event in seen] == [ThreadStarted]


@pytest.mark.parametrize(
    "command",
    [
        Exec(prompt="x", json=True),
        ExecResume(prompt="--json", last=True, json=True),
        Exec(json=True, command=ExecResume(prompt="x", last=True)),
        Codex(command=Exec(prompt="x", json=True)),
    ],
)
def test_a_command_that_asks_for_events_may_stand_anywhere(tmp_path, command):
    assert len(read(lines_of(tmp_path, TURN), command)[0]) == 2


@pytest.mark.parametrize("command", [Exec(prompt="--json"), ExecResume(prompt="x", session_id="--json")])
def test_a_command_that_asks_for_no_events_is_refused(tmp_path, command):
    with pytest.raises(UsageError, match="set json=True"):
        read(lines_of(tmp_path, TURN), command)
