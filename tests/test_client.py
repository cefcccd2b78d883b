"""Contract of the client: what a command says is what is run, and what the guard refuses is not."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, replace

import fake_cli
import psutil
import pytest
from running import LONG

from pipeline import process
from pipeline.errors import (
    BinaryFailed,
    BinaryMissing,
    BinaryOutputTooLarge,
    BinaryTimeout,
    CapabilityMissing,
    UsageError,
)
from pipeline.wrapper.client import Client
from pipeline.wrapper.codex import Exec
from pipeline.wrapper.declare import Line


@dataclass(frozen=True)
class Said:
    """A command that says what a test wants."""

    argv: tuple[str, ...] = ()
    stdin: bytes | None = None

    def line(self):
        return Line(self.argv, self.stdin, ())


class Guard:
    """Refuses one word, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def check(self, line, version):
        self.asked.append((line, version))
        if "--new" in line.argv:
            raise CapabilityMissing(f"{version} has no --new")


def client(folder, source, **options):
    return Client(fake_cli.script(folder, "program", source), cwd=folder, seconds=LONG, **options)


def run(running, command):
    return asyncio.run(running.run(command))


ECHO = "import os, sys; sys.stdout.buffer.write(os.fsencode('|'.join(sys.argv[1:])) + b'|' + sys.stdin.buffer.read())"


def test_words_and_input_of_a_command_arrive(tmp_path):
    prompt = "-\nwith \0, ü and \u2028\n" + "long " * 1_000_000
    done = run(client(tmp_path, ECHO), Exec(prompt=prompt, json=True))
    assert done == process.Completed(0, b"exec|--json|--|-|" + prompt.encode(), b"")


def test_a_command_without_input_reads_an_end(tmp_path):
    assert run(client(tmp_path, ECHO), Said(("a b", "ü"))).stdout == "a b|ü|".encode()


def test_an_exit_code_is_a_value(tmp_path):
    done = run(client(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(9)"), Said())
    assert (done.returncode, done.stdout.split(), done.stderr.split()) == (9, [b"out"], [b"err"])


def test_the_environment_is_the_callers_unless_another_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("MARK", "1")
    source = "import os; print(os.environ.get('MARK'), os.environ.get('OTHER'))"
    own = client(tmp_path, source)
    assert run(own, Said()).stdout.split() == [b"1", b"None"]
    given = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ} | {"OTHER": "2"}
    assert run(replace(own, env=given), Said()).stdout.split() == [b"None", b"2"]


def test_a_relative_program_is_the_callers_not_the_folders(tmp_path, monkeypatch):
    binary = fake_cli.script(tmp_path / "bin", "program", ECHO)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path)
    there = Client(binary.relative_to(tmp_path), cwd=tmp_path / "work", seconds=LONG)
    assert run(there, Said(("x",))).stdout == b"x|"


@pytest.mark.skipif(os.name == "nt", reason="a script needs its extension there")
def test_a_bare_name_is_looked_up_in_the_path(tmp_path):
    fake_cli.script(tmp_path / "bin", "program", ECHO)
    named = Client("program", env={"PATH": str(tmp_path / "bin")}, cwd=tmp_path, seconds=LONG)
    assert run(named, Said(("x",))).stdout == b"x|"


def test_paths_may_hold_blanks_and_any_letters(tmp_path):
    folder = tmp_path / "größer ✓ folder"
    assert run(client(folder, ECHO), Said(("x",))).stdout == b"x|"


def test_output_past_the_cap_is_an_error(tmp_path):
    capped = client(tmp_path, "while True: print('x' * 99_999)", max_bytes=1_000_000)
    with pytest.raises(BinaryOutputTooLarge, match="more than 1000000 bytes"):
        run(capped, Said())


def test_output_of_exactly_the_cap_is_whole_even_as_one_line(tmp_path):
    capped = client(tmp_path, "import sys; sys.stdout.write('x' * 1000)", max_bytes=1000)
    assert run(capped, Said()).stdout == b"x" * 1000


def test_a_run_past_its_time_is_told_with_the_command(tmp_path):
    slow = replace(client(tmp_path, "import time; time.sleep(600)"), seconds=1.0)
    with pytest.raises(BinaryTimeout, match=r"`program(\.cmd)? exec` did not end within 1 s"):
        run(slow, Said(("exec",)))


def test_a_missing_program_is_told(tmp_path):
    with pytest.raises(BinaryMissing, match="`nowhere x` cannot be started"):
        run(Client(tmp_path / "nowhere", cwd=tmp_path), Said(("x",)))


def test_a_stream_is_read_while_it_runs(tmp_path):
    source = "import sys, time\nprint('up', flush=True)\nprint('err', file=sys.stderr, flush=True)\ntime.sleep(600)"

    async def main():
        async with client(tmp_path, source).stream(Said()) as running:
            first = await anext(running)
            while not running.stderr:
                await asyncio.sleep(0.01)
            return first.strip(), running.stderr.strip(), running.returncode

    assert asyncio.run(main()) == (b"up", b"err", None)


def test_a_long_line_is_cut_as_the_client_says(tmp_path):
    async def main():
        async with client(tmp_path, "print('x' * 20_000_000)", longest_line=100).stream(Said()) as running:
            return [line async for line in running]

    assert asyncio.run(main()) == [b"x" * 100]


def test_a_held_input_is_written_by_the_caller(tmp_path):
    async def main():
        async with client(tmp_path, ECHO).stream(Said(("a",)), held=True) as running:
            await running.write(b"by ")
            await running.write(b"hand")
            running.end_input()
            return b"".join([line async for line in running])

    assert asyncio.run(main()) == b"a|by hand"


def test_an_input_cannot_be_held_and_given(tmp_path):
    with pytest.raises(UsageError, match="its own standard input"):
        client(tmp_path, ECHO).stream(Said(stdin=b"x"), held=True)


def test_what_the_guard_refuses_is_never_spawned(tmp_path):
    guard = Guard()
    guarded = client(tmp_path, ECHO, version="1.2.3", guard=guard)
    with process.recording() as calls:
        with pytest.raises(CapabilityMissing, match=r"1\.2\.3 has no --new"):
            run(guarded, Said(("--new",)))
        assert not calls
        assert run(guarded, Said(("--old",))).stdout == b"--old|"
    assert [(line.argv, version) for line, version in guard.asked] == [(("--new",), "1.2.3"), (("--old",), "1.2.3")]
    assert len(calls) == 1


def test_a_value_that_does_not_fit_is_never_spawned(tmp_path):
    with process.recording() as calls, pytest.raises(UsageError):
        run(client(tmp_path, ECHO), Exec(prompt="x", model=3))
    assert not calls


def test_a_guard_without_a_version_is_refused(tmp_path):
    with pytest.raises(UsageError, match="needs to know the version"):
        Client(tmp_path / "program", guard=Guard())


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("codex-cli 0.169.0", "0.169.0"),
        ("2.1.329 (Claude Code)", "2.1.329"),
        ("tool v1.2.0-alpha.3+x", "1.2.0-alpha.3+x"),
        ("warning: 2 of 3\ntool 0.5", "0.5"),
    ],
)
def test_opening_asks_for_the_version_once(tmp_path, printed, version):
    binary = fake_cli.script(
        tmp_path, "program", f"import sys; assert sys.argv[1:] == ['--version']; print({printed!r})"
    )
    guard = Guard()
    with process.recording() as calls:
        opened = asyncio.run(Client.open(binary, guard=guard, cwd=tmp_path, seconds=LONG))
    assert (opened.version, opened.guard, opened.seconds, len(calls)) == (version, guard, LONG, 1)
    assert guard.asked == []


@pytest.mark.parametrize("source", ["print('no number')", "print('tool 1.2.3'); raise SystemExit(1)"])
def test_opening_refuses_a_program_that_says_no_version(tmp_path, source):
    binary = fake_cli.script(tmp_path, "program", source)
    with pytest.raises(BinaryFailed, match="says no version"):
        asyncio.run(Client.open(binary, cwd=tmp_path))


def test_runs_of_one_client_stand_beside_each_other(tmp_path):
    one = client(tmp_path, ECHO)

    async def main():
        return await asyncio.gather(*(one.run(Said((str(number),), b"in")) for number in range(12)))

    assert [done.stdout for done in asyncio.run(main())] == [b"%d|in" % number for number in range(12)]


def test_a_cancelled_run_leaves_nobody(tmp_path):
    others = set(psutil.Process().children())

    async def main():
        task = asyncio.create_task(client(tmp_path, "import time; time.sleep(3600)").run(Said()))
        while not set(psutil.Process().children()) - others:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # It may have been cancelled before anybody watched its program, which is reaped a moment later then.
        async with asyncio.timeout(LONG):
            while set(psutil.Process().children()) - others:
                await asyncio.sleep(0.01)

    asyncio.run(main())


def test_importing_the_client_does_not_need_posix():
    # What exists on one system only is named behind a check of the system.
    source = "import signal, os\nfor name in ('SIGKILL', 'SIGSTOP'): delattr(signal, name)\ndel os.killpg\nimport pipeline.wrapper.client, pipeline.wrapper.codex.app_server"
    done = asyncio.run(Client(sys.executable, seconds=LONG).run(Said(("-c", source))))
    assert (done.returncode, done.stderr) == (0, b"")
