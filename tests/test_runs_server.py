"""Runs through an agent's server: the protocol played by a program of our own, and the real binaries."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from loopback import surroundings
from running import check, ended, new_place, token

from pipeline.errors import BinaryMissing, CapabilityMissing, UsageError
from pipeline.runs import begin
from pipeline.runs.choose import choose
from pipeline.runs.poll import poll
from pipeline.runs.review import page, read_error

AGENT, VERSION = "codex", "0.169.0"
SERVER = """#!{python}
import json, os, subprocess, sys, time

if sys.argv[1:] == ["--version"]:
    print("codex-cli {version}")
    sys.exit()
assert sys.argv[1:] == ["app-server"], sys.argv
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        answer = {{}}
    elif asked.get("method") == "command/exec":
        command = asked["params"]["command"]
        what = command[0]
        if what == "die":
            print("\\x1b[31mmy last words\\x1b[0m in", os.getcwd(), file=sys.stderr)
            sys.exit(7)
        if what == "hang":
            time.sleep(1000)
        if what == "flood":
            sys.stdout.write("x" * (17 << 20) + "\\n")
            sys.stdout.flush()
            continue
        done = subprocess.run(command, cwd=asked["params"]["cwd"], capture_output=True, text=True)
        answer = {{"exitCode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}}
        if os.environ.get("MALFORMED"):
            answer = {{"exitCode": "zero"}}
    else:
        continue
    print(json.dumps({{"id": asked["id"], "result": answer}}), flush=True)
"""


@pytest.fixture
def server(tmp_path: Path) -> Path:
    path = tmp_path / "agent"
    path.write_text(SERVER.format(python=sys.executable, version=VERSION), encoding="utf-8")
    path.chmod(0o755)
    return path


def through(place, binary, *lines, version=VERSION, **wish):
    chosen = choose("auto", AGENT, version, binary)
    assert chosen.transport == "app-server"
    return place.finish(
        *lines, transport=chosen.transport, agent=chosen.agent, binary=binary, sandbox="dangerFullAccess", **wish
    )


def failure(polled):
    [failed] = [each for each in polled.manifest.commands if each.status == "failed"]
    return read_error(polled.folder, failed)


posix = pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")


@posix
def test_a_server_gives_real_exit_codes_and_the_page_names_its_version(place, server):
    polled = through(place, server, "echo hi", "sh -c 'exit 3'", "true")
    assert [each.exit_code for each in check(polled.folder).commands] == [0, 3, None]
    assert f"{AGENT} {VERSION}" in page(polled.folder, polled.manifest)
    assert str(server) not in polled.folder.manifest.read_text(encoding="utf-8")


@posix
def test_a_run_through_a_server_goes_on_with_the_same_binary_only(place, server, tmp_path):
    folder = through(place, server, "echo one", "test -e repaired").folder
    (place.path / "repaired").write_text("", encoding="utf-8")
    other = tmp_path / "other"
    other.write_text(server.read_text(encoding="utf-8") + "# another\n", encoding="utf-8")
    with pytest.raises(UsageError, match="needs the binary"):
        begin.resume(folder, token(folder))
    with pytest.raises(UsageError, match="not the binary"):
        begin.resume(folder, token(folder), other)
    begin.resume(folder, token(folder), server)
    assert ended(folder).manifest.status == "succeeded"


@posix
@pytest.mark.parametrize(
    ("line", "reason", "part"),
    [("die", "tool-invocation-error", "my last words in {repository}"), ("flood", "tool-invocation-error", "bytes")],
)
def test_a_server_that_dies_or_floods_is_an_error_with_evidence(place, server, line, reason, part):
    polled = through(place, server, "echo one", line, "echo three")
    assert [each.status for each in polled.manifest.commands] == ["succeeded", "failed", "skipped"]
    error = failure(polled)
    assert error.reason == reason
    assert part in error.details["message"]
    assert "\x1b" not in error.details["message"]
    assert error.details["remedy"]
    check(polled.folder)
    assert str(place.path) not in polled.folder.manifest.read_text(encoding="utf-8")


@posix
def test_a_server_that_hangs_is_given_up(place, server, monkeypatch):
    from pipeline.runs import runner
    from pipeline.wrapper.codex import app_server

    monkeypatch.setattr(app_server, "_SLACK", 0.1)
    monkeypatch.setattr(begin, "_spawn", lambda *_arguments: 0)
    chosen = choose("auto", AGENT, VERSION, server)
    folder = place.start(
        "hang", transport=chosen.transport, agent=chosen.agent, sandbox="dangerFullAccess", timeout_seconds=0.1
    ).folder
    assert runner.main([str(folder.path), str(server)]) == 1
    assert failure(poll(folder)).details["error_code"] == "binary-timeout"


@posix
def test_an_answer_in_another_shape_has_a_reason_of_its_own(place, server, monkeypatch):
    monkeypatch.setenv("MALFORMED", "1")
    assert failure(through(place, server, "true")).reason == "malformed-tool-response"


@posix
def test_a_binary_of_another_version_is_refused_with_evidence(place, server):
    error = failure(through(place, server, "true", version="0.125.0"))
    assert error.details["error_code"] == "identity-mismatch"
    assert VERSION in error.details["message"]


def test_what_cannot_be_carried_out_is_refused_before_a_run_begins(tmp_path):
    binary = tmp_path / "agent"
    with pytest.raises(BinaryMissing):
        choose("auto", AGENT, VERSION, binary)
    binary.write_bytes(b"")
    with pytest.raises(UsageError, match="which codex"):
        choose("auto", AGENT, None, binary)
    with pytest.raises(UsageError, match="an agent"):
        choose("app-server", None, None, None)
    with pytest.raises(UsageError, match="nobody"):
        choose("auto", "nobody", "1.0.0", binary)


def test_a_version_without_a_server_is_told_which_transport_it_has(tmp_path):
    binary = tmp_path / "agent"
    binary.write_bytes(b"")
    # Its line `gemini app-server` is a prompt: what counts is that there is no such command.
    with pytest.raises(CapabilityMissing) as caught:
        choose("app-server", "gemini_cli", "0.61.0", binary)
    assert "--transport local" in caught.value.remedy
    chosen = choose("auto", "gemini_cli", "0.61.0", binary)
    assert chosen.transport == "local"
    assert "beside the agent" in chosen.note


@pytest.mark.real
@pytest.mark.parametrize("version", ["0.125.0", "0.169.0"])
def test_the_real_binary_carries_commands_out(real_binary, version, monkeypatch):
    binary = real_binary(version)
    with surroundings() as there:
        for name, value in there.environment.items():
            monkeypatch.setenv(name, value)
        place = new_place(there.folder / "repository")
        line = "sh -c 'echo said; echo warned >&2; echo made > made.txt'"
        [first] = check(through(place, binary, line, version=version).folder).commands
        assert first.exit_code == 0
        assert (place.path / "made.txt").exists()
        polled = through(place, binary, "sleep 1000", version=version, timeout_seconds=1.0)
        [second] = check(polled.folder).commands
        assert second.exit_code == 124
        assert failure(polled).reason == "time-limit"


# What a person may configure beside a run's own sandbox.
LOCKED = """
[permissions.locked]
extends = ":workspace"
[permissions.locked.filesystem.":workspace_roots"]
"**/*.env" = "deny"
"""


@pytest.fixture
def sandboxed(real_binary, monkeypatch):
    """Carries a line out through the real server: the run that has ended."""
    binary = real_binary(VERSION)
    with surroundings() as there:
        for name, value in there.environment.items():
            monkeypatch.setenv(name, value)
        (there.home / "codex" / "config.toml").write_text(LOCKED, encoding="utf-8")
        place = new_place(there.folder / "repository")
        (place.path / "some.env").write_text("secret\n", encoding="utf-8")
        chosen = choose("app-server", AGENT, VERSION, binary)

        def carried_out(line, **wish):
            return place.finish(line, transport=chosen.transport, agent=chosen.agent, binary=binary, **wish)

        yield carried_out


@pytest.mark.real
@pytest.mark.parametrize(
    ("wish", "line", "code", "said"),
    [
        ({"sandbox": "workspaceWrite"}, "echo x > inside.txt; exit 3", 3, ""),
        ({"sandbox": "workspaceWrite"}, "echo x > ../outside.txt", 2, "../outside.txt: Read-only file system"),
        ({"sandbox": "readOnly"}, "echo x > inside.txt", 2, "inside.txt: Read-only file system"),
        ({"permission_profile": "locked"}, "cat some.env", 1, "some.env: Permission denied"),
    ],
)
def test_the_real_sandbox_lets_a_command_do_what_was_allowed(sandboxed, wish, line, code, said):
    polled = sandboxed(f"sh -c '{line}'", **wish)
    error, repository = failure(polled), polled.folder.repository
    assert (error.reason, error.details["exit_code"]) == ("command-failed", code)
    assert said in error.details["stderr"]
    assert not (repository.parent / "outside.txt").exists()
    assert (repository / "inside.txt").exists() == (not said)
    told = page(polled.folder, check(polled.folder))
    assert f"permission profile {wish.get('permission_profile', 'none')}" in told
    assert f"sandbox {wish.get('sandbox', 'none')}" in told


@pytest.mark.real
def test_a_profile_that_nobody_has_made_is_an_error_of_the_call(sandboxed):
    error = failure(sandboxed("true", permission_profile="missing"))
    assert (error.reason, error.details["error_code"]) == ("tool-invocation-error", "rpc-error")
    assert "`missing`" in error.details["message"]


@pytest.mark.real
def test_a_real_version_whose_server_runs_no_commands_says_so(real_binary, monkeypatch):
    binary = real_binary("0.61.0")
    with surroundings() as there:
        for name, value in there.environment.items():
            monkeypatch.setenv(name, value)
        place = new_place(there.folder / "repository")
        # As it is with a version that nobody has read.
        agent = choose("local", AGENT, "0.61.0", binary).agent
        error = failure(place.finish("true", transport="app-server", agent=agent, binary=binary))
        assert "command/exec" in error.details["message"]
        assert "local" in error.details["remedy"]
