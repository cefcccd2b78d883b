"""Runs whose commands a model carries out through a server of tools: played by a program of our own, and for real."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Call, Fail, Say, Shell, model, surroundings
from running import check, ended, eventually, marked, new_place, token

from pipeline.errors import AnswerMalformed, CapabilityMissing, UsageError
from pipeline.process.launch import recording
from pipeline.runs import begin, runner
from pipeline.runs.choose import choose
from pipeline.runs.folder import find
from pipeline.runs.poll import poll
from pipeline.runs.review import page, read_error
from pipeline.wrapper.codex import mcp_server
from pipeline.wrapper.codex.turn_events import Turn
from pipeline.wrapper.serving import Policy

AGENT, VERSION, WITHOUT = "codex", "0.125.0", "0.169.0"
# Does what a model did that is told to run the command: the way stands in the environment.
SERVER = """#!{python}
import json, os, subprocess, sys, time

if sys.argv[1:] == ["--version"]:
    print("codex-cli {version}")
    sys.exit()
assert sys.argv[1:] == ["mcp-server"], sys.argv
way = os.environ.get("WAY", "run")

def send(**message):
    print(json.dumps({{"jsonrpc": "2.0"}} | message), flush=True)

def event(kind, **told):
    send(method="codex/event", params={{"msg": {{"type": kind}} | told}})

def run(line, folder):
    event("exec_command_begin", call_id="1", command=["bash", "-lc", line], cwd=folder)
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True)
    end = dict(call_id="1", exit_code=done.returncode, stdout=done.stdout, stderr=done.stderr)
    if way == "unknown shape":
        end["exit_code"] = "zero"
    event("exec_command_end", **end)

for line in sys.stdin:
    asked = json.loads(line)
    method, number = asked.get("method"), asked.get("id")
    if method == "initialize":
        told = {{"protocolVersion": "2025-03-26", "capabilities": {{"tools": {{}}}}, "serverInfo": {{"name": "x", "version": "1"}}}}
        if way == "other protocol":
            told["protocolVersion"] = "1999-01-01"
        send(id=number, result=told)
    elif method == "tools/list":
        send(id=number, result={{"tools": [{{"name": "codex", "inputSchema": {{"type": "object"}}}}]}})
    elif method == "tools/call":
        assert asked["params"]["arguments"]["approval-policy"] == "never"
        folder, prompt = asked["params"]["arguments"]["cwd"], asked["params"]["arguments"]["prompt"]
        words = prompt.split(chr(10) * 2)[1]
        if way == "die":
            print("my last words", file=sys.stderr)
            sys.exit(7)
        elif way == "hang":
            time.sleep(1000)
        elif way == "flood":
            sys.stdout.write("x" * (17 << 20) + chr(10))
            sys.stdout.flush()
            continue
        elif way == "another":
            run("echo another", folder)
        elif way == "elsewhere":
            run(words, "/")
        elif way == "twice":
            run(words, folder)
            run(words, folder)
        elif way == "no end":
            event("exec_command_begin", call_id="1", command=["bash", "-lc", words], cwd=folder)
        elif way == "patch":
            run(words, folder)
            event("patch_apply_begin", call_id="2")
        elif way != "say":
            run(words, folder)
        failed = way == "failed"
        answer = {{"content": [{{"type": "text", "text": "It ended with exit code 0."}}], "isError": failed}}
        if way == "no answer":
            answer = "fine"
        send(id=number, result=answer)
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")


@pytest.fixture
def server(tmp_path: Path) -> Path:
    path = tmp_path / "agent"
    path.write_text(SERVER.format(python=sys.executable, version=VERSION), encoding="utf-8")
    path.chmod(0o755)
    return path


def through(place, binary, *lines, version=VERSION, sandbox="dangerFullAccess", **wish):
    chosen = choose("mcp", AGENT, version, binary, Policy(sandbox))
    assert chosen.transport == "mcp"
    return place.finish(*lines, transport="mcp", agent=chosen.agent, binary=binary, sandbox=sandbox, **wish)


def here(place, monkeypatch, binary, *lines, **wish):
    """The same, carried out in this process."""
    monkeypatch.setattr(begin, "_spawn", lambda *_arguments: 0)
    chosen = choose("mcp", AGENT, VERSION, binary)
    folder = place.start(*lines, transport="mcp", agent=chosen.agent, **wish).folder
    assert runner.main([str(folder.path), str(binary)]) == 1
    return poll(folder)


def failure(polled):
    [failed] = [each for each in polled.manifest.commands if each.status == "failed"]
    return read_error(polled.folder, failed)


# -- what a turn's events say -----------------------------------------------------------------------


WORDS = ["sh", "-c", "echo 'a b'"]


def turn(*events):
    found = Turn(WORDS, Path("/srv"))
    for kind, told in events:
        found.take({"msg": {"type": kind, **told}})
    if found.problem is not None:
        raise found.problem
    return found.result("It ended with exit code 0.")


def begun(*words, cwd="/srv", call="1"):
    return ("exec_command_begin", {"call_id": call, "command": list(words), "cwd": cwd})


def over(code, call="1"):
    return ("exec_command_end", {"call_id": call, "exit_code": code, "stdout": "out", "stderr": "err"})


LINE = """sh -c 'echo '"'"'a b'"'"''"""


@pytest.mark.parametrize("words", [WORDS, ["bash", "-lc", LINE], ["/bin/zsh", "-c", f"{LINE}\n"]])
def test_the_exit_code_is_the_one_of_the_process_that_ran_the_command(words):
    result = turn(("task_started", {}), begun(*words), over(3), ("agent_message", {"message": "exit code 0"}))
    assert (result.exit_code, result.stdout, result.stderr) == (3, "out", "err")


@pytest.mark.parametrize(
    ("events", "part"),
    [
        ((), "did not run; the model says: 'It ended"),
        ((over(0),), "had not begun"),
        ((begun(*WORDS),), "over before"),
        ((begun(*WORDS), over(0, "2")), "had not begun"),
        ((begun(*WORDS), over(0), over(0)), "had not begun"),
        ((begun("true"), over(0)), "another command: true"),
        ((begun("bash", "-lc", f"{LINE} || true"), over(0)), "another command"),
        ((begun("bash", "-lc", "sh -c echo a b"), over(0)), "another command"),
        ((begun("env", "-c", LINE), over(0)), "another command"),
        ((begun(*WORDS, cwd="/"), over(0)), "another folder"),
        ((begun(*WORDS), over(0), begun(*WORDS, call="2"), over(0, "2")), "second command"),
        ((begun(*WORDS), over(0), ("patch_apply_begin", {})), "something else"),
        ((begun(*WORDS), ("exec_approval_request", {}), over(-1)), "nobody is there to answer"),
        ((("exec_command_begin", {"command": "sh"}),), "not known"),
    ],
)
def test_a_turn_that_proves_nothing_of_the_command_is_no_answer(events, part):
    with pytest.raises(AnswerMalformed, match=part):
        turn(*events)


NEUTRAL = [("task_started", {}), ("exec_command_output_delta", {"call_id": "1", "stream": "stdout", "chunk": "eA=="})]
TELLING = [begun(*WORDS), over(0), begun("true", call="2"), over(1, "2"), ("patch_apply_begin", {})]


@given(st.lists(st.sampled_from(NEUTRAL + TELLING), max_size=6))
def test_only_one_beginning_and_its_end_prove_anything(events):
    telling = [event for event in events if event not in NEUTRAL]
    if telling == [begun(*WORDS), over(0)]:
        assert turn(*events).exit_code == 0
    else:
        with pytest.raises(AnswerMalformed):
            turn(*events)


@pytest.mark.parametrize("params", [None, [], {}, {"msg": None}, {"msg": {}}, {"msg": {"type": ["a"]}}])
def test_an_event_of_any_shape_is_heard(params):
    found = Turn(WORDS, Path("/srv"))
    assert (found.take(params), found.problem) == (False, None)


# -- a run ------------------------------------------------------------------------------------------


@posix
def test_a_run_by_a_model_has_the_exit_codes_of_the_processes(place, server):
    polled = through(place, server, "echo hi", """sh -c "echo it\\'s >&2; exit 3" """, "true")
    manifest = check(polled.folder)
    assert [each.exit_code for each in manifest.commands] == [0, 3, None]
    assert failure(polled).details["stderr"] == "it's\n"
    assert f"carried out by mcp, {AGENT} {VERSION}" in page(polled.folder, polled.manifest)


@posix
def test_the_server_is_called_by_the_words_of_the_wrapper(place, server, monkeypatch):
    with recording() as calls:
        here(place, monkeypatch, server, "false")
    assert [list(words[1:]) for words in calls if words[0] == str(server)] == [["--version"], ["mcp-server"]]


@posix
@pytest.mark.parametrize(
    ("way", "reason", "part"),
    [
        ("say", "malformed-tool-response", "did not run"),
        ("another", "malformed-tool-response", "another command"),
        ("elsewhere", "malformed-tool-response", "another folder"),
        ("twice", "malformed-tool-response", "second command"),
        ("patch", "malformed-tool-response", "something else"),
        ("no end", "malformed-tool-response", "over before"),
        ("unknown shape", "malformed-tool-response", "not known"),
        ("no answer", "malformed-tool-response", "no object"),
        ("failed", "tool-invocation-error", "model has failed"),
        ("die", "tool-invocation-error", "my last words"),
        ("flood", "tool-invocation-error", "bytes"),
        ("other protocol", "tool-invocation-error", "1999-01-01"),
    ],
)
def test_what_proves_nothing_is_an_error_with_evidence(place, server, monkeypatch, way, reason, part):
    monkeypatch.setenv("WAY", way)
    polled = here(place, monkeypatch, server, "true", "echo two")
    assert [each.status for each in check(polled.folder).commands] == ["failed", "skipped"]
    assert (polled.detail, failure(polled).reason) == (reason, reason)
    assert part in failure(polled).details["message"]
    assert failure(polled).details["remedy"]


@posix
def test_a_model_that_never_comes_to_the_command_is_given_up(place, server, monkeypatch):
    monkeypatch.setenv("WAY", "hang")
    monkeypatch.setattr(mcp_server, "THOUGHT", 0.2)
    error = failure(here(place, monkeypatch, server, "true"))
    assert error.details["error_code"] == "binary-timeout"


@posix
def test_a_run_by_a_model_is_resumed_with_the_same_binary(place, server):
    folder = through(place, server, "sh -c 'echo one >> ran.txt'", "test -e repaired").folder
    (place.path / "repaired").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="needs the binary"):
        begin.resume(folder, token(folder))
    begin.resume(folder, token(folder), server)
    assert ended(folder).manifest.status == "succeeded"
    assert place.ran == ["one"]


# -- what is refused before a run begins ------------------------------------------------------------


def test_a_version_without_the_server_is_told_which_transports_it_has(tmp_path):
    binary = tmp_path / "agent"
    binary.write_bytes(b"")
    with pytest.raises(CapabilityMissing, match="mcp-server") as caught:
        choose("mcp", AGENT, WITHOUT, binary)
    assert "--transport app-server or --transport local" in caught.value.remedy
    with pytest.raises(CapabilityMissing) as caught:
        choose("mcp", "gemini_cli", "0.61.0", binary)
    assert "use --transport local" in caught.value.remedy


def test_a_server_that_runs_commands_itself_goes_before_one_that_has_a_model_do_it(tmp_path):
    binary = tmp_path / "agent"
    binary.write_bytes(b"")
    assert choose("auto", AGENT, VERSION, binary).transport == "app-server"
    assert choose("mcp", AGENT, VERSION, binary).transport == "mcp"


@pytest.mark.parametrize(
    ("version", "transport"),
    # Its own methods, those of both neighbours that were read, those of the nearest one.
    [("0.61.0", "mcp"), ("0.100.0", "app-server"), ("0.60.0", "mcp"), ("0.171.0", "app-server")],
)
def test_a_server_that_runs_no_commands_is_none(tmp_path, version, transport):
    binary = tmp_path / "agent"
    binary.write_bytes(b"")
    assert choose("auto", AGENT, version, binary).transport == transport


def test_a_server_without_the_method_is_refused_with_those_that_can(tmp_path):
    binary = tmp_path / "agent"
    binary.write_bytes(b"")
    with pytest.raises(CapabilityMissing, match="no `app-server` that answers `command/exec`") as caught:
        choose("app-server", AGENT, "0.61.0", binary)
    assert "--transport mcp or --transport local" in caught.value.remedy


def test_without_the_sdk_the_extra_is_named(tmp_path, monkeypatch):
    binary = tmp_path / "agent"
    binary.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(UsageError) as caught:
        choose("mcp", AGENT, VERSION, binary)
    assert caught.value.remedy == "install cli-parity[mcp]"
    # Nothing else needs it.
    assert choose("auto", AGENT, VERSION, binary).transport == "app-server"


@pytest.mark.parametrize("policy", [Policy(approvals="sometimes"), Policy(profile="mine")])
def test_a_policy_that_a_turn_cannot_keep_is_refused(tmp_path, policy):
    binary = tmp_path / "agent"
    binary.write_bytes(b"")
    with pytest.raises(UsageError):
        choose("mcp", AGENT, VERSION, binary, policy)


# -- the real binaries ------------------------------------------------------------------------------


@pytest.fixture
def real(request, real_binary, monkeypatch):
    """A binary, what surrounds it, and a repository."""
    # Before its home is another: the cache is found by that.
    binary = real_binary(getattr(request, "param", VERSION))
    with surroundings() as there:
        for name, value in there.environment.items():
            monkeypatch.setenv(name, value)
        yield binary, there, new_place(there.folder / "repository")


@pytest.mark.real
@pytest.mark.parametrize(("real", "version"), [(one, one) for one in ("0.61.0", VERSION)], indirect=["real"])
def test_the_real_binary_has_its_model_carry_commands_out(real, version):
    binary, there, place = real
    turns = [(Shell("sh -c 'echo said; echo made > made.txt'"),), (Say("done"),)]
    turns += [(Shell("sh -c 'echo warned >&2; exit 3'"),), (Say("It ended with exit code 0."),)]
    with model(*turns) as asked:
        there.know(asked)
        polled = through(
            place,
            binary,
            "sh -c 'echo said; echo made > made.txt'",
            "sh -c 'echo warned >&2; exit 3'",
            version=version,
            sandbox="workspaceWrite",
        )
    assert [each.exit_code for each in check(polled.folder).commands] == [0, 3]
    assert failure(polled).details["stderr"] == "warned\n"
    assert (place.path / "made.txt").exists()


@pytest.mark.real
@pytest.mark.parametrize(
    ("turns", "part"),
    [
        ([(Say("It ended with exit code 0."),)], "did not run"),
        ([(Shell("true || true"),)], "another command"),
        ([(Shell("true"), Shell("true"))], "second command"),
    ],
)
def test_what_a_real_model_says_is_no_evidence(real, turns, part):
    binary, there, place = real
    with model(*turns) as asked:
        there.know(asked)
        error = failure(through(place, binary, "true"))
    assert error.reason == "malformed-tool-response"
    assert part in error.details["message"]


@pytest.mark.real
def test_an_approval_that_nobody_gives_is_said(real):
    binary, there, place = real
    with model((Shell("touch approved"),)) as asked:
        there.know(asked)
        polled = through(place, binary, "touch approved", approval_policy="untrusted")
    assert failure(polled).reason == "malformed-tool-response"
    assert "nobody is there to answer" in failure(polled).details["message"]
    assert not (place.path / "approved").exists()


@pytest.mark.real
def test_a_real_model_that_fails_is_an_error_of_the_call(real):
    binary, there, place = real
    with model(Fail(500)) as asked:
        there.know(asked)
        assert failure(through(place, binary, "true")).reason == "tool-invocation-error"


@pytest.mark.real
def test_a_command_of_a_real_model_is_stopped_at_its_limit_and_in_its_sandbox(real):
    binary, there, place = real
    words = {"command": ["sh", "-c", "echo begun; sleep 1000"], "timeout_ms": 900_000}
    with model((Shell("sh -c 'echo x > ../outside.txt'"),)) as asked:
        there.know(asked)
        outside = through(place, binary, "sh -c 'echo x > ../outside.txt'", sandbox="workspaceWrite")
    assert failure(outside).reason == "command-failed"
    assert "Read-only file system" in failure(outside).details["stderr"]
    with model((Call("shell", words),)) as asked:
        there.know(asked)
        late = through(place, binary, "sh -c 'echo begun; sleep 1000'", timeout_seconds=3.0)
    assert failure(late).reason == "time-limit"
    assert failure(late).details["stdout"] == "begun\n"
    assert marked(late.folder) == []


@pytest.mark.real
def test_what_a_killed_runner_left_of_a_real_turn_ends_before_it_is_taken_again(real):
    binary, there, place = real
    line = "sh -c 'echo again >> ran.txt; test -e repaired || sleep 1000'"
    words = ["--agent", AGENT, "--agent-version", VERSION, "--binary", str(binary), "--transport", "mcp"]
    with model((Shell(line),), (Shell(line),), (Say("done"),)) as asked:
        there.know(asked)
        parity = [sys.executable, "-P", "-m", "pipeline.cli", "runs"]
        begun = subprocess.run(
            [*parity, "start", "--no-queue", "--command", line, *words],
            cwd=place.path,
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        folder = find(place.path, begun.stdout.strip())
        eventually(lambda: place.ran, "the command is at work")
        psutil.Process(poll(folder).manifest.attempts[-1].pid).kill()
        eventually(lambda: poll(folder).cut_off, "it is seen that the runner is gone")
        (place.path / "repaired").write_text("", encoding="utf-8")
        begin.resume(folder, token(folder), binary)
        manifest = ended(folder).manifest
    assert [each.outcome for each in manifest.attempts] == ["interrupted", "succeeded"]
    assert place.ran == ["again", "again"]
    assert marked(folder) == []
    assert check(folder).commands[0].exit_code == 0
