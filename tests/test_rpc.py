"""Contract of JSON-RPC over a program's pipes: no call hangs, whatever the server does."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os

import fake_cli
import psutil
import pytest

from pipeline.errors import BinaryError, BinaryFailed, BinaryOutputTooLarge, BinaryTimeout, RpcError, UsageError
from pipeline.wrapper import notes as notes_module
from pipeline.wrapper import rpc as rpc_module
from pipeline.wrapper.client import Client
from pipeline.wrapper.codex.app_server import app_server
from pipeline.wrapper.declare import Line
from pipeline.wrapper.rpc import connect

LONG = 300.0

# A server whose answers are written by each test: ``on(method)`` makes a function answer it.
SERVER = """
import json, os, sys, time
methods = {}
def on(name):
    return lambda function: methods.setdefault(name, function)
def raw(text):
    sys.stdout.write(text); sys.stdout.flush()
def send(**message):
    raw(json.dumps(message) + "\\n")
def receive():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)
@on("echo")
def _(number, params):
    send(id=number, result=params)
%s
while True:
    message = receive()
    if message.get("method") in methods:
        methods[message["method"]](message.get("id"), message.get("params"))
    elif "method" in message and "id" in message:
        send(id=message["id"], error={"code": -32601, "message": "unknown"})
"""


class Served:
    def line(self):
        return Line(("serve",), None, ())


def server(folder, source=""):
    return Client(fake_cli.script(folder, "server", SERVER % source), cwd=folder, seconds=LONG)


def talk(folder, source, conversation, *, handler=None):
    """Start the server and have a conversation with it."""

    async def main():
        async with connect(server(folder, source), Served(), handler=handler) as rpc:
            return await conversation(rpc)

    return asyncio.run(main())


def test_a_call_gives_the_result(tmp_path):
    async def conversation(rpc):
        return [await rpc.call("echo", params) for params in ({"a": "ü\n"}, [1], 0, None)]

    assert talk(tmp_path, "", conversation) == [{"a": "ü\n"}, [1], 0, None]


@pytest.mark.parametrize("version", ["", 'jsonrpc="2.0", '])
def test_answers_count_with_and_without_the_protocols_name(tmp_path, version):
    source = f"""
@on("told")
def _(number, params):
    send({version}method="note", params=message)
    send({version}id=number, result=1)
"""

    async def conversation(rpc):
        with rpc.subscribe() as notes:
            answer = await rpc.call("told")
            return answer, (await anext(notes)).params

    assert talk(tmp_path, source, conversation) == (1, {"jsonrpc": "2.0", "id": 1, "method": "told"})


def test_calls_stand_beside_each_other_and_answers_may_come_in_any_order(tmp_path):
    source = """
held = []
@on("hold")
def _(number, params):
    held.append((number, params))
    if len(held) == 50:
        for number, params in reversed(held):
            send(id=number, result=params)
"""

    async def conversation(rpc):
        return await asyncio.gather(*(rpc.call("hold", number, seconds=LONG) for number in range(50)))

    assert talk(tmp_path, source, conversation) == list(range(50))


@pytest.mark.parametrize(
    ("error", "number", "message", "data"),
    [
        ({"code": -32600, "message": "no", "data": [1]}, -32600, "no", [1]),
        ({"code": "x", "message": 3}, -32603, '{"code":"x","message":3}', None),
        ("broken", -32603, "broken", None),
    ],
)
def test_a_refused_call_says_why(tmp_path, error, number, message, data):
    source = f"""
@on("refuse")
def _(number, params):
    send(id=number, error={error!r})
"""
    with pytest.raises(RpcError) as caught:
        talk(tmp_path, source, lambda rpc: rpc.call("refuse"))
    told = caught.value
    assert (told.number, told.message, told.data, told.where) == (number, message, data, "refuse")


def test_a_call_that_is_not_answered_ends_and_its_late_answer_is_ignored(tmp_path):
    source = """
late = []
@on("late")
def _(number, params):
    late.append(number)
@on("now")
def _(number, params):
    send(id=late[0], result="too late")
    send(id=number, result="in time")
"""

    async def conversation(rpc):
        with pytest.raises(BinaryTimeout, match="did not answer late within"):
            await rpc.call("late", seconds=0.5)
        return await rpc.call("now", seconds=LONG), rpc.unmatched

    assert talk(tmp_path, source, conversation) == ("in time", 1)


def test_answers_with_ids_that_nobody_gave_are_ignored(tmp_path):
    source = """
@on("strange")
def _(number, params):
    for other in (None, True, float(number), str(number), [number], {"a": 1}, 10**30, -1):
        send(id=other, result="wrong")
    send(id=number, result="right")
    send(id=number, result="again")
"""

    async def conversation(rpc):
        return await rpc.call("strange"), await rpc.call("echo", 1), rpc.unmatched + rpc.malformed

    assert talk(tmp_path, source, conversation) == ("right", 1, 9)


def test_malformed_lines_are_counted_and_skipped(tmp_path):
    source = """
@on("noise")
def _(number, params):
    raw("log: hello\\n[]\\n3\\nnull\\n\\n   \\n{\\"a\\": 1}\\n{\\"id\\": 1}\\n{\\"method\\": 3}\\n")
    sys.stdout.flush(); sys.stdout.buffer.write(b"\\xff\\xfe\\n"); sys.stdout.buffer.flush()
    send(id=number, result=1)
"""

    async def conversation(rpc):
        return await rpc.call("noise"), rpc.malformed

    assert talk(tmp_path, source, conversation) == (1, 8)


def test_large_messages_pass_both_ways(tmp_path):
    text = "ü" * 1_000_000

    async def conversation(rpc):
        return await rpc.call("echo", text, seconds=LONG)

    assert talk(tmp_path, "", conversation) == text


CUTS = """
@on("long")
def _(number, params):
    if params["tell"]:
        send(method="note", params={"result": "x" * 100_000})
        send(jsonrpc="2.0", id=3, method="ask", params="x" * 100_000)
    else:
        raw(json.dumps({"id": number, "result": "x" * 100_000}) + "\\n")
    send(id=number, result=1)
"""


def cut(folder, tell):
    async def main():
        async with connect(dataclasses.replace(server(folder, CUTS), longest_line=1000), Served()) as rpc:
            return await rpc.call("long", {"tell": tell}, seconds=LONG), rpc.malformed

    return asyncio.run(main())


def test_an_answer_that_is_too_long_fails_its_call(tmp_path):
    with pytest.raises(BinaryOutputTooLarge, match="an answer of more than 1000 bytes"):
        cut(tmp_path, False)


def test_a_notification_or_request_that_is_too_long_is_skipped(tmp_path):
    assert cut(tmp_path, True) == (1, 2)


def test_a_notification_is_sent_without_waiting_for_an_answer(tmp_path):
    source = """
heard = []
@on("heard")
def _(number, params):
    heard.append((number, params)) if number is None else send(id=number, result=heard)
"""

    async def conversation(rpc):
        await rpc.notify("heard", {"a": 1})
        await rpc.notify("heard")
        return await rpc.call("heard")

    assert talk(tmp_path, source, conversation) == [[None, {"a": 1}], [None, None]]


def test_params_that_are_no_json_are_refused_before_anything_is_sent(tmp_path):
    async def conversation(rpc):
        with pytest.raises(UsageError, match="not JSON"):
            await rpc.call("echo", {1, 2})
        return await rpc.call("echo", 1)

    assert talk(tmp_path, "", conversation) == 1


# --- notifications

NOTES = """
@on("tell")
def _(number, params):
    for n in range(params["times"]):
        send(method=params.get("method", "note"), params={"n": n, "text": "x" * params.get("size", 0)})
    send(id=number, result=params["times"])
"""


def test_subscribers_hear_the_same_from_when_they_began(tmp_path):
    async def conversation(rpc):
        await rpc.call("tell", {"times": 1})
        with rpc.subscribe() as all_of_them, rpc.subscribe("other") as some:
            await rpc.call("tell", {"times": 2})
            await rpc.call("tell", {"times": 1, "method": "other"})
            heard = [(await anext(all_of_them)).method for _ in range(3)]
            return heard, await anext(some)

    heard, other = talk(tmp_path, NOTES, conversation)
    assert (heard, other.method, other.params["n"]) == (["note", "note", "other"], "other", 0)


def test_a_subscriber_that_does_not_keep_up_loses_the_oldest_and_knows_how_many(tmp_path, monkeypatch):
    monkeypatch.setattr(notes_module, "LIMIT", 100_000)

    async def conversation(rpc):
        with rpc.subscribe() as notes:
            await rpc.call("tell", {"times": 100, "size": 10_000}, seconds=LONG)
            heard = [(await anext(notes)).params["n"] for _ in range(100 - notes.dropped)]
            return heard, notes.dropped

    heard, dropped = talk(tmp_path, NOTES, conversation)
    assert dropped > 80
    assert heard == list(range(dropped, 100))


def test_a_subscription_that_is_closed_ends(tmp_path):
    async def conversation(rpc):
        with rpc.subscribe() as notes:
            await rpc.call("tell", {"times": 1})
            asyncio.get_running_loop().call_soon(notes.close)
            return [note.params["n"] async for note in notes]

    assert talk(tmp_path, NOTES, conversation) in ([0], [])


# --- requests of the server

ASKS = """
@on("ask")
def _(number, params):
    send(id=params.get("id", "q"), method="approve", params=params)
    while "method" in (answer := receive()):
        send(id=answer["id"], result="meanwhile")
    send(id=number, result=answer)
"""


def asked(folder, handler, params):
    return talk(folder, ASKS, lambda rpc: rpc.call("ask", params, seconds=LONG), handler=handler)


@pytest.mark.parametrize("number", ["q", 0, None, 1])
def test_a_request_is_answered_by_the_handler_with_the_id_that_it_has(tmp_path, number):
    async def handler(method, params):
        return {"decision": "accept", "method": method, "n": params["n"]}

    answer = asked(tmp_path, handler, {"n": 5, "id": number})
    assert answer == {"jsonrpc": "2.0", "id": number, "result": {"decision": "accept", "method": "approve", "n": 5}}


def test_a_request_without_a_handler_is_refused(tmp_path):
    answer = asked(tmp_path, None, {})
    assert (answer["error"]["code"], "result" in answer) == (-32601, False)


def test_a_handler_may_refuse(tmp_path):
    async def handler(method, params):
        raise RpcError("not today", number=-32000, data={"retry": False})

    assert asked(tmp_path, handler, {})["error"] == {"code": -32000, "message": "not today", "data": {"retry": False}}


@pytest.mark.parametrize("result", [ZeroDivisionError("bug"), {1, 2}], ids=["raises", "no JSON"])
def test_a_handler_with_a_bug_answers_and_the_bug_is_told(tmp_path, result):
    told = []

    async def handler(method, params):
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        if isinstance(result, Exception):
            raise result
        return result

    assert asked(tmp_path, handler, {})["error"]["code"] == -32603
    assert [type(error) for error in told] == [ZeroDivisionError if isinstance(result, Exception) else UsageError]


def test_a_handler_may_call_the_server_meanwhile(tmp_path):
    async def main():
        box = []

        async def handler(method, params):
            return await box[0].call("anything", seconds=LONG)

        async with connect(server(tmp_path, ASKS), Served(), handler=handler) as rpc:
            box.append(rpc)
            return await rpc.call("ask", {}, seconds=LONG)

    assert asyncio.run(main())["result"] == "meanwhile"


def test_a_handler_that_never_answers_does_not_hold_up_the_end(tmp_path):
    async def main():
        started = asyncio.Event()

        async def handler(method, params):
            started.set()
            await asyncio.Event().wait()

        async with connect(server(tmp_path, ASKS), Served(), handler=handler) as rpc:
            call = asyncio.create_task(rpc.call("ask", {}))
            await started.wait()
        with pytest.raises(BinaryError, match="is closed"):
            await call

    asyncio.run(main())


# --- ends

DIES = """
@on("die")
def _(number, params):
    sys.stderr.write("noise\\n" * 100_000 + "panicked at: no more"); sys.stderr.flush()
    raw('{"id": 1, "res')
    os._exit(9)
"""


def test_a_server_that_dies_fails_all_that_waits_with_its_last_words(tmp_path):
    async def conversation(rpc):
        with rpc.subscribe() as notes:
            calls = [asyncio.create_task(rpc.call("nothing" if n else "die")) for n in reversed(range(3))]
            results = await asyncio.gather(*calls, anext(notes), return_exceptions=True)
            later = await asyncio.gather(rpc.call("x"), rpc.notify("x"), anext(rpc.subscribe()), return_exceptions=True)
        return [*results, *later], rpc.malformed

    source = DIES + '@on("nothing")\ndef _(number, params): pass\n'
    errors, malformed = talk(tmp_path, source, conversation)
    assert malformed == 1
    for error in errors:
        assert isinstance(error, BinaryFailed)
        assert "ended with exit code 9" in error.problem
        assert error.problem.endswith("panicked at: no more")
        assert len(error.problem) < 3000


@pytest.mark.skipif(os.name == "nt", reason="a pipe is not closed by its number there")
def test_a_server_that_closes_its_output_and_lives_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(rpc_module, "_LAST", 0.2)
    source = '@on("mute")\ndef _(number, params):\n    os.close(1)\n    time.sleep(3600)\n'
    with pytest.raises(BinaryFailed, match="does not listen any more"):
        talk(tmp_path, source, lambda rpc: rpc.call("mute"))


@pytest.mark.skipif(os.name == "nt", reason="a pipe is not closed by its number there")
def test_a_server_that_closes_its_input_is_told_of(tmp_path):
    source = (
        '@on("deaf")\ndef _(number, params):\n    os.close(0)\n    send(id=number, result=1)\n    time.sleep(3600)\n'
    )

    async def conversation(rpc):
        assert await rpc.call("deaf") == 1
        with pytest.raises(BinaryFailed, match="does not listen any more"):
            await rpc.call("echo")

    talk(tmp_path, source, conversation)


def test_a_server_that_does_not_read_does_not_hold_up_a_call_past_its_time(tmp_path):
    source = '@on("sleep")\ndef _(number, params): time.sleep(3600)\n'

    async def conversation(rpc):
        await rpc.notify("sleep")
        with pytest.raises(BinaryTimeout):
            await rpc.call("echo", "x" * 5_000_000, seconds=0.5)

    talk(tmp_path, source, conversation)


def test_the_time_of_the_whole_run_ends_the_calls(tmp_path):
    async def conversation(rpc):
        call = asyncio.create_task(rpc.call("never"))
        await rpc.call("echo")
        rpc.child._time_out()
        await call

    with pytest.raises(BinaryTimeout, match="did not end within"):
        talk(tmp_path, '@on("never")\ndef _(number, params): pass\n', conversation)


def test_leaving_ends_the_server_by_the_end_of_its_input(tmp_path):
    async def conversation(rpc):
        await rpc.call("echo")
        return rpc.child

    child = talk(tmp_path, "", conversation)
    assert child.returncode == 0


def test_a_server_that_has_much_to_say_at_its_end_is_not_killed_for_it(tmp_path):
    source = """
import atexit
atexit.register(lambda: [send(method="bye", params="x" * 1000) for _ in range(10_000)])
"""

    async def conversation(rpc):
        await rpc.call("echo")
        return rpc.child

    assert talk(tmp_path, source, conversation).returncode == 0


def test_cancelling_a_call_leaves_the_connection_usable(tmp_path):
    async def conversation(rpc):
        call = asyncio.create_task(rpc.call("never"))
        await rpc.call("echo")
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return await rpc.call("echo", 2)

    assert talk(tmp_path, '@on("never")\ndef _(number, params): pass\n', conversation) == 2


def test_cancelling_the_conversation_leaves_nobody(tmp_path):
    others = set(psutil.Process().children())

    async def main():
        up = asyncio.Event()

        async def conversation():
            async with connect(server(tmp_path), Served()) as rpc:
                await rpc.call("echo")
                up.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(conversation())
        await up.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert set(psutil.Process().children()) <= others

    asyncio.run(main())


# --- the agent's server

THREADS = """
@on("initialize")
def _(number, params):
    send(id=number, result={"userAgent": "fake", "params": params})
@on("initialized")
def _(number, params): pass
@on("thread/start")
def _(number, params):
    send(id=number, result={"thread": {"id": "t1", "path": None, "more": 1}, **params})
@on("turn/start")
def _(number, params):
    send(method="turn/started", params={"threadId": "t1", "turn": {"id": "u1", "status": "inProgress"}})
    send(id=number, result={"turn": {"id": "u1", "status": "inProgress", "items": [], "error": None}})
    for thread, turn in (("t2", "u1"), ("t1", "u0"), ("t1", "u1")):
        send(method="item/completed", params={"threadId": thread, "turnId": turn, "item": {"text": thread + turn}})
    send(method="turn/completed", params={"threadId": "t1", "turn": {"id": "u0", "status": "failed"}})
    if params["input"][0]["text"] != "hang":
        error = {"message": "no"}
        send(method="turn/completed", params={"threadId": "t1", "turn": {"id": "u1", "status": "failed", "error": error}})
@on("turn/interrupt")
def _(number, params):
    open("interrupted", "w").write(json.dumps(params))
    send(id=number, result={})
@on("command/exec")
def _(number, params):
    send(id=number, result={"exitCode": 3, "stdout": json.dumps(params), "stderr": ""} if params["command"] else {"exitCode": "x"})
"""


def served(folder, conversation):
    async def main():
        async with app_server(server(folder, THREADS), Served(), name="test", version="1") as ready:
            return await conversation(ready)

    return asyncio.run(main())


def test_the_handshake_names_the_caller(tmp_path):
    async def conversation(ready):
        return ready.told

    told = served(tmp_path, conversation)
    assert told["params"] == {
        "clientInfo": {"name": "test", "version": "1"},
        "capabilities": {"experimentalApi": False},
    }


def test_a_turn_hears_of_itself_until_it_has_ended(tmp_path):
    async def conversation(ready):
        thread = await ready.start_thread(cwd="/w")
        async with ready.turn(thread.id, "hi") as turn:
            heard = [(note.method, note.params.get("turnId")) async for note in turn]
            return heard, await turn.wait()

    heard, end = served(tmp_path, conversation)
    assert heard == [("turn/started", None), ("item/completed", "u1"), ("turn/completed", None)]
    assert (end.status, end.error.message) == ("failed", "no")
    assert not (tmp_path / "interrupted").exists()


def test_a_turn_that_is_left_is_interrupted(tmp_path):
    async def conversation(ready):
        async with ready.turn("t1", "hang") as turn:
            await anext(turn)

    served(tmp_path, conversation)
    assert json.loads((tmp_path / "interrupted").read_text()) == {"threadId": "t1", "turnId": "u1"}


def test_a_command_gives_its_end(tmp_path):
    async def conversation(ready):
        return await ready.exec(["a", "b"], cwd=tmp_path, seconds=1.5, tty=False)

    done = served(tmp_path, conversation)
    assert (done.exit_code, done.stderr) == (3, "")
    assert json.loads(done.stdout) == {"command": ["a", "b"], "tty": False, "cwd": str(tmp_path), "timeoutMs": 1500}


def test_an_answer_in_another_shape_names_the_call(tmp_path):
    with pytest.raises(BinaryFailed, match=r"command/exec: an answer in a shape that is not known.*exitCode"):
        served(tmp_path, lambda ready: ready.exec([]))
