"""Whole turns of the real binaries, driven by the typed wrapper against a model on the loopback interface."""

from __future__ import annotations

import asyncio
import os
import subprocess

import psutil
import pytest
from loopback import Fail, Hang, Patch, Say, Shell, Think, model, surroundings
from running import LONG, assert_gone

from pipeline.errors import RpcError
from pipeline.wrapper.client import Client
from pipeline.wrapper.codex import Exec, ExecResume, SandboxMode
from pipeline.wrapper.codex.app_server import app_server
from pipeline.wrapper.codex.events import (
    Error,
    ItemCompleted,
    ItemStarted,
    ThreadStarted,
    TurnCompleted,
    TurnFailed,
    TurnStarted,
    events,
)
from pipeline.wrapper.codex.items import AgentMessage, CommandExecution, FileChange, Reasoning, UnknownItem

pytestmark = pytest.mark.real

VERSIONS = ("0.61.0", "0.125.0", "0.169.0")
SERVERS = ("0.125.0", "0.169.0")
FREE = SandboxMode.DANGER_FULL_ACCESS
PROMPT = "- edit it, bitte größer\nand \"quote\" '$HOME' `x`\n\n--json\0\n"


@pytest.fixture
def place():
    """A home for the binary, with a fresh repository in it."""
    with surroundings() as there:
        for words in (["init", "-q"], ["add", "."]):
            there.folder.joinpath("greeting.txt").write_text("hello\n", encoding="utf-8")
            subprocess.run(["git", *words], cwd=there.folder, env=there.environment, check=True)
        yield there


@pytest.fixture
def client(place, real_binary):
    def opened(version):
        return asyncio.run(Client.open(real_binary(version), env=place.environment, cwd=place.folder, seconds=LONG))

    return opened


def read(client, command):
    """Run a command: its events, and its end."""

    async def main():
        async with events(client, command) as stream:
            return [event async for event in stream], await stream.wait()

    return asyncio.run(main())


def kinds(seen):
    return {type(event) for event in seen}


def done(seen, kind):
    return [event.item for event in seen if isinstance(event, ItemCompleted) and isinstance(event.item, kind)]


async def sleeping(pid, count):
    """A process with those that it has started, once `count` of them are at `sleep`.

    A file that the shell makes tells too little: the one that made it may be gone a moment later, and the next
    may not have been started.
    """
    async with asyncio.timeout(LONG):
        while True:
            root = psutil.Process(pid)
            members = [root, *root.children(recursive=True)]
            if sum(named(member, "sleep") for member in members) >= count:
                return members
            await asyncio.sleep(0.01)


def named(process, name):
    try:
        return process.name() == name
    except psutil.NoSuchProcess:
        return False


async def hangs(server):
    """Wait until the model was asked something that it does not answer."""
    assert await asyncio.to_thread(server.hanging.wait, LONG), "the model was not asked"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_turn_runs_a_command_and_edits_a_file_and_can_be_resumed(version, place, client):
    own = client(version)
    assert own.version == version
    edit = Patch(
        ("*** Update File: greeting.txt", "@@", "-hello", "+good evening", "*** Add File: new dir/ü.txt", "+new")
    )
    with model((Think("hmm"), Shell("printf 'out'; exit 3")), (edit,), (Say("Ready."),), (Say("Again."),)) as server:
        place.know(server)
        seen, end = read(own, Exec(prompt=PROMPT, json=True, sandbox=FREE))
        assert server.requests[0]["input"][-1]["content"][0]["text"] == PROMPT

        again = ExecResume(prompt="go on", session_id=end.thread_id, json=version != "0.61.0")
        more, last = read(own, Exec(json=True, sandbox=FREE, command=again))
        # The model is told what was said before.
        assert "Ready." in str(server.requests[-1]["input"])

    assert [type(event) for event in (seen[0], seen[-1])] == [ThreadStarted, TurnCompleted]
    assert {TurnStarted, ItemStarted, ItemCompleted} <= kinds(seen)
    assert (end.returncode, end.turn, end.malformed, end.thread_id) == (0, seen[-1], 0, seen[0].thread_id)
    assert end.turn.usage.output_tokens == 3 * 13
    assert [item.text for item in done(seen, Reasoning)] == ["hmm"]
    (command,) = done(seen, CommandExecution)
    assert (command.exit_code, command.aggregated_output, command.status) == (3, "out", "failed")
    assert "printf" in command.command
    (change,) = done(seen, FileChange)
    changed = {os.path.relpath(one.path, place.folder): one.kind for one in change.changes}
    assert (changed, change.status) == ({"greeting.txt": "update", "new dir/ü.txt": "add"}, "completed")
    assert [item.text for item in done(seen, AgentMessage)] == ["Ready."]
    assert (place.folder / "greeting.txt").read_text(encoding="utf-8") == "good evening\n"
    assert (place.folder / "new dir" / "ü.txt").read_text(encoding="utf-8") == "new\n"
    assert all(event.misread == () for event in seen)
    assert not done(seen, UnknownItem)

    assert (last.returncode, last.thread_id) == (0, end.thread_id)
    assert [item.text for item in done(more, AgentMessage)] == ["Again."]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_prompt_of_megabytes_arrives(version, place, client):
    # No more characters are allowed by the newer ones.
    prompt = "ü\n" * (1 << 19)
    with model((Say("Read."),)) as server:
        place.know(server)
        _, end = read(client(version), Exec(prompt=prompt, json=True))
        assert server.requests[0]["input"][-1]["content"][0]["text"] == prompt
    assert end.returncode == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failing_model_fails_the_turn(version, place, client):
    with model(Fail(500)) as server:
        place.know(server)
        seen, end = read(client(version), Exec(prompt="x", json=True))
    assert isinstance(seen[-1], TurnFailed)
    assert Error in kinds(seen)
    assert (end.returncode, end.turn) == (1, seen[-1])
    assert end.turn.error.message


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("how", ["cancel", "leave"])
def test_stopping_in_a_turn_leaves_no_process_behind(version, how, place, client):
    own = client(version)
    members = []

    async def turn(busy):
        async with events(own, Exec(prompt="x", json=True, sandbox=FREE)) as stream:
            async for event in stream:
                if isinstance(event, ItemStarted) and isinstance(event.item, CommandExecution):
                    members.extend(await sleeping(stream.child.pid, 2))
                    busy.set()
                    if how == "leave":
                        break

    async def main():
        busy = asyncio.Event()
        task = asyncio.create_task(turn(busy))
        await asyncio.wait([task, asyncio.create_task(busy.wait())], return_when=asyncio.FIRST_COMPLETED)
        if how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.wait([task])

    with model((Shell("sleep 3600 & trap '' INT TERM; sleep 3600; sleep 3600"),)) as server:
        place.know(server)
        asyncio.run(main())
    # The program, a shell, and what it has started.
    assert len(members) >= 4
    assert_gone(*(member.pid for member in members))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_turn_that_was_cancelled_while_the_model_thinks_can_be_resumed(version, place, client):
    own = client(version)

    async def main(server):
        async with events(own, Exec(prompt="first", json=True)) as stream:
            await hangs(server)
            async for event in stream:
                if isinstance(event, TurnStarted):
                    break
        return stream

    with model(Hang(), (Say("Again."),)) as server:
        place.know(server)
        stream = asyncio.run(main(server))
        assert (stream.turn, stream.child.returncode is None) == (None, False)
        again = ExecResume(prompt="second", session_id=stream.thread_id, json=version != "0.61.0")
        seen, end = read(own, Exec(json=True, command=again))
    assert (end.returncode, end.thread_id) == (0, stream.thread_id)
    assert [item.text for item in done(seen, AgentMessage)] == ["Again."]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_program_that_is_killed_in_a_turn_ends_the_stream_and_it_says_so(version, place, client):
    async def main(server):
        seen = []
        async with events(client_, Exec(prompt="x", json=True)) as stream:
            # It may ask its model before it says that the turn has begun.
            async for event in stream:
                seen.append(event)
                if isinstance(event, TurnStarted):
                    break
            await hangs(server)
            psutil.Process(stream.child.pid).kill()
            return [*seen, *[event async for event in stream]], await stream.wait()

    client_ = client(version)
    with model(Hang()) as server:
        place.know(server)
        seen, end = asyncio.run(main(server))
    assert [type(event) for event in seen if not isinstance(event, ItemCompleted)] == [ThreadStarted, TurnStarted]
    assert (end.returncode, end.turn, end.thread_id) == (-9, None, seen[0].thread_id)


@pytest.mark.parametrize("version", SERVERS)
def test_the_server_runs_commands_and_turns(version, place, client):
    asked = []

    async def handler(method, params):
        asked.append(method)
        return {"decision": "accept"}

    async def main():
        async with app_server(client_, name="tests", version="1", handler=handler) as server:
            assert version in server.told["userAgent"]
            policy = {"type": "dangerFullAccess"}
            words = ["sh", "-c", "printf 'a b\\nü'; printf err >&2; exit 3"]
            ran = await server.exec(words, cwd=place.folder, seconds=LONG, sandboxPolicy=policy)
            assert (ran.exit_code, ran.stdout, ran.stderr) == (3, "a b\nü", "err")

            with pytest.raises(RpcError) as caught:
                await server.rpc.call("no/such/method", seconds=LONG)
            assert caught.value.number == -32600

            thread = await server.start_thread(
                cwd=str(place.folder), sandbox="danger-full-access", approvalPolicy="untrusted"
            )
            async with server.turn(thread.id, PROMPT) as turn:
                told = [note async for note in turn]
                end = await turn.wait()

            async with server.turn(thread.id, "and now wait") as turn:
                await hangs(model_)
                await turn.interrupt()
                interrupted = await turn.wait()
            return told, end, interrupted, server.rpc

    client_ = client(version)
    with model((Shell("touch approved"),), (Say("Ready."),), Hang()) as model_:
        place.know(model_)
        told, end, interrupted, rpc = asyncio.run(main())

    assert (end.status, end.error, interrupted.status) == ("completed", None, "interrupted")
    assert told[-1].method == "turn/completed"
    items = [note.params["item"] for note in told if note.method == "item/completed"]
    assert [item["text"] for item in items if item["type"] == "agentMessage"] == ["Ready."]
    assert [item["content"][0]["text"] for item in items if item["type"] == "userMessage"] == [PROMPT]
    assert (asked, (place.folder / "approved").exists()) == (["item/commandExecution/requestApproval"], True)
    assert (rpc.child.returncode, rpc.malformed, rpc.unmatched) == (0, 0, 0)


@pytest.mark.parametrize("version", SERVERS)
def test_leaving_the_server_in_a_turn_leaves_no_process_behind(version, place, client):
    async def main():
        async with app_server(client_, name="tests", version="1") as server:
            thread = await server.start_thread(
                cwd=str(place.folder), sandbox="danger-full-access", approvalPolicy="never"
            )
            async with server.turn(thread.id, "x"):
                return await sleeping(server.rpc.child.pid, 2)

    client_ = client(version)
    with model((Shell("sleep 3600 & sleep 3600; true"),)) as server_model:
        place.know(server_model)
        members = asyncio.run(main())
    assert len(members) >= 4
    assert_gone(*(member.pid for member in members))
