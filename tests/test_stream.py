"""Contract of the asynchronous door: hostile programs, bytes both ways, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import LONG, assert_gone

from pipeline import process
from pipeline.errors import BinaryMissing, BinaryTimeout
from pipeline.process import child as door
from pipeline.process.lines import Ends, Lines
from pipeline.process.stream import stream

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX sessions and signals")


def program(folder, source, *words):
    """The command line of a program written in Python."""
    body = folder / "program.py"
    body.write_text(source, encoding="utf-8", newline="\n")
    return (sys.executable, "-IS", body, *words)


def child(folder, source, *words, env=None, cwd=None, seconds=LONG, **options):
    environment = dict(os.environ) if env is None else env
    return stream(program(folder, source, *words), env=environment, cwd=cwd or folder, seconds=seconds, **options)


def read(folder, source, *words, **options):
    """Run a program to its end: its lines, exit code and stderr."""

    async def main():
        async with child(folder, source, *words, **options) as running:
            lines = [line async for line in running]
            return lines, await running.wait(), running.stderr

    return asyncio.run(main())


def assert_reaped(pid):
    assert pid not in {own.pid for own in psutil.Process().children()}


def test_lines_come_as_they_are_printed_and_the_exit_code_is_kept(tmp_path):
    source = """
import sys
for n in range(3):
    print(n, flush=True)
    assert sys.stdin.readline() == f"got {n}\\n"
sys.exit(7)
"""

    async def main():
        async with child(tmp_path, source, stdin="open") as running:
            seen = []
            async for line in running:
                seen.append(line)
                await running.write(b"got " + line)
            return seen, await running.wait()

    assert asyncio.run(main()) == ([b"0\n", b"1\n", b"2\n"], 7)


@posix
def test_newlines_of_other_systems_do_not_end_a_line(tmp_path):
    lines, _, _ = read(tmp_path, r"import sys; sys.stdout.buffer.write(b'a\rb\x85c\r\nd\n\n')")
    assert lines == [b"a\rb\x85c\r\n", b"d\n", b"\n"]


@posix
def test_a_program_that_dies_in_a_line_gives_what_it_printed(tmp_path):
    source = "import os, sys; os.write(1, b'whole\\npart'); os.write(2, b'dying'); os.kill(os.getpid(), 9)"
    assert read(tmp_path, source) == ([b"whole\n", b"part"], -9, b"dying")


@pytest.mark.parametrize(
    "prompt",
    [b"", b"-\n--flag\n", b"a\0b\nc", "ä \u2028 \U0001f600\n".encode(), b"\xff\xfe", os.urandom(1 << 12) * 2048],
    ids=["empty", "dashes", "nul", "unicode", "not UTF-8", "8 MiB"],
)
def test_input_arrives_byte_for_byte(tmp_path, prompt):
    # Printed while it is read: whoever writes first and reads afterwards stands still.
    source = "import sys\nwhile piece := sys.stdin.buffer.read(1000): sys.stdout.buffer.write(piece)"
    lines, code, _ = read(tmp_path, source, stdin=prompt)
    assert (b"".join(lines), code) == (prompt, 0)


@pytest.mark.parametrize(
    "source",
    ["import sys; sys.exit(3)", "import os, sys; os.close(0); print('closed', flush=True); sys.exit(3)"],
    ids=["ends", "closes it"],
)
def test_a_program_that_does_not_read_its_input_is_no_error(tmp_path, source):
    assert read(tmp_path, source, stdin=b"x" * (8 << 20))[1] == 3


def test_a_program_that_never_reads_can_be_left(tmp_path):
    async def main():
        async with child(tmp_path, WAITS, stdin=b"x" * (8 << 20)) as running:
            assert await anext(running) == b"up\n"
        assert_reaped(running.pid)

    asyncio.run(main())


def test_writing_waits_for_a_slow_reader_and_says_when_there_is_none(tmp_path):
    source = "import sys; print(len(sys.stdin.buffer.read(1 << 20)), flush=True)"

    async def pour(running):
        while True:
            await running.write(b"x" * 100_000)

    async def main():
        async with child(tmp_path, source, stdin="open") as running:
            with pytest.raises(BrokenPipeError):
                await pour(running)
            return [line async for line in running]

    assert asyncio.run(main()) == [b"1048576\n"]


def test_without_input_the_program_reads_an_end(tmp_path):
    assert read(tmp_path, "import sys; print(sys.stdin.read() == '')")[0][0].split() == [b"True"]


def test_environment_folder_and_words_arrive_as_given(tmp_path, monkeypatch):
    monkeypatch.setenv("LEAKED", "1")
    folder = tmp_path / "a folder, größer ✓"
    folder.mkdir()
    source = "import os, sys; sys.stdout.buffer.write(os.fsencode('\\0'.join([os.getcwd(), str('LEAKED' in os.environ), *sys.argv[1:]])))"
    words = ["--x y", "é\n", "*", ""]
    lines, _, _ = read(folder, source, *words, env=process.clean_environment(folder, {}))
    assert os.fsdecode(b"".join(lines)).split("\0") == [str(folder), "False", *words]


def test_a_flood_on_stderr_leaves_both_its_ends(tmp_path):
    source = """
import sys
sys.stderr.write("first")
for _ in range(800): sys.stderr.write("x" * 65536)
sys.stderr.write("last")
print("done")
"""
    lines, code, stderr = read(tmp_path, source)
    assert (lines[0].split(), code) == ([b"done"], 0)
    assert stderr.startswith(b"first")
    assert stderr.endswith(b"last")
    assert len(stderr) < 200_000
    assert b"bytes left out" in stderr


def test_a_line_that_is_too_long_is_cut_and_the_next_one_whole(tmp_path):
    source = "import sys; sys.stdout.buffer.write(b'x' * 20_000_000 + b'\\nnext\\n')"
    lines, code, _ = read(tmp_path, source, longest_line=1_000_000)
    assert ([len(line) for line in lines], code) == ([1_000_000, 5], 0)
    assert not lines[0].endswith(b"\n")


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path):
    async def main():
        source = (
            "import sys\nprint('x' * 50_000_000, end='', flush=True)\nprint('up', file=sys.stderr, flush=True)\n"
            + SLEEP
        )
        async with child(tmp_path, source, longest_line=1000) as running:
            while b"up" not in running.stderr:
                await asyncio.sleep(0.01)
            assert len(running.pipes._cutter._held) == 1000

    asyncio.run(main())


def test_a_program_whose_lines_nobody_takes_waits(tmp_path):
    source = "import sys\nfor n in range(300_000): print('x' * 99)\nprint('done', file=sys.stderr)"

    async def main():
        async with child(tmp_path, source) as running:
            first = await anext(running)
            # Reading has stopped: what is on the way stands in the queue and in the pipe.
            while running.pipes._reader().is_reading():
                await asyncio.sleep(0.01)
            assert running.pipes._queued < 4 << 20
            assert running.returncode is None
            return [first, *[line async for line in running]], await running.wait()

    lines, code = asyncio.run(main())
    assert ({len(line.strip()) for line in lines}, len(lines), code) == ({99}, 300_000, 0)


def test_waiting_throws_away_what_was_not_read(tmp_path):
    async def main():
        async with child(tmp_path, "for n in range(300_000): print('x' * 99)") as running:
            assert await running.wait() == 0
            assert [line async for line in running] == []

    asyncio.run(main())


# --- ends


SLEEP = "import time; time.sleep(3600)\n"
WAITS = "print('up', flush=True)\n" + SLEEP
IGNORES = "import signal\nfor number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
# A child, a child that ignores all that can be ignored, one with a session of its own, and a grandchild with one.
FAMILY = (
    IGNORES
    + """
import os, subprocess, sys
code = "import time; time.sleep(3600)"
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + code
nested = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-IS', '-c', %r], start_new_session=True); print(p.pid, flush=True); p.wait()" % code
plain = subprocess.Popen([sys.executable, "-IS", "-c", code])
deaf = subprocess.Popen([sys.executable, "-IS", "-c", stubborn])
apart = subprocess.Popen([sys.executable, "-IS", "-c", code], start_new_session=True)
deep = subprocess.Popen([sys.executable, "-IS", "-c", nested], stdout=subprocess.PIPE, text=True, start_new_session=True)
print(os.getpid(), plain.pid, deaf.pid, apart.pid, deep.pid, int(deep.stdout.readline()), flush=True)
"""
)
# Short naps: a signal that comes just before a long one is only looked at after it.
NAPS = "while True: time.sleep(0.01)\n"
OBEYS = (
    "import os, signal, time\nsignal.signal(signal.SIGINT, lambda *_: os._exit(5))\n"
    + FAMILY.removeprefix(IGNORES)
    + NAPS
)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(door, "POLITE", 0.2)


async def family(running):
    return [int(pid) for pid in (await anext(running)).split()]


@posix
@pytest.mark.parametrize("source", [FAMILY + SLEEP, OBEYS], ids=["stubborn", "obeys"])
def test_leaving_early_ends_the_whole_family(tmp_path, source, monkeypatch):
    monkeypatch.setattr(door, "POLITE", LONG if source == OBEYS else 0.2)

    async def main():
        async with child(tmp_path, source) as running:
            pids = await family(running)
        assert_reaped(running.pid)
        return pids, running.returncode

    pids, code = asyncio.run(main())
    assert code == (5 if source == OBEYS else -9)
    assert_gone(*pids)


@posix
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_cancelling_the_task_ends_the_whole_family(tmp_path, times):
    async def main():
        pids = []
        up = asyncio.Event()

        async def reading():
            async with child(tmp_path, FAMILY + SLEEP) as running:
                pids.extend(await family(running))
                up.set()
                await anext(running)

        task = asyncio.create_task(reading())
        await up.wait()
        # The second hurries: otherwise the program has its whole time to end.
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.2)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert_reaped(pids[0])
        return pids

    assert_gone(*asyncio.run(main()))


@posix
def test_cancelling_twice_kills_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(door, "POLITE", 3600.0)
    test_cancelling_the_task_ends_the_whole_family(tmp_path, 2)


@posix
@pytest.mark.parametrize("way", ["read", "wait"])
def test_the_time_limit_ends_the_whole_family_and_is_told(tmp_path, way, impatient):
    async def main():
        pids = []
        async with child(tmp_path, FAMILY + SLEEP) as running:
            pids.extend(await family(running))
            running._time_out()
            with pytest.raises(BinaryTimeout, match="did not end within 300 s"):
                await (anext(running) if way == "read" else running.wait())
        return pids

    assert_gone(*asyncio.run(main()))


def test_what_was_printed_before_the_time_limit_is_read_first(tmp_path, impatient):
    async def main():
        async with child(tmp_path, "print('one\\ntwo', flush=True)\n" + SLEEP) as running:
            first = await anext(running)
            running._time_out()
            second = await anext(running)
            with pytest.raises(BinaryTimeout):
                await anext(running)
            return [first.strip(), second.strip()]

    assert asyncio.run(main()) == [b"one", b"two"]


def test_the_time_limit_holds_when_the_pipes_are_closed(tmp_path, impatient):
    with pytest.raises(BinaryTimeout):
        read(tmp_path, "import os; os.close(1); os.close(2)\n" + SLEEP, seconds=1.0)


@posix
def test_a_program_that_obeys_is_not_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(door, "POLITE", LONG)
    source = (
        "import os, signal, time\nsignal.signal(signal.SIGINT, lambda *_: os._exit(4))\nprint('up', flush=True)\n"
        + NAPS
    )

    async def main():
        async with child(tmp_path, source) as running:
            await anext(running)
        return running.returncode

    assert asyncio.run(main()) == 4


def test_a_held_open_input_ends_first(tmp_path, monkeypatch):
    monkeypatch.setattr(door, "POLITE", LONG)
    source = "import sys\nprint('up', flush=True)\nsys.stdin.read()\nsys.exit(6)"

    async def main():
        async with child(tmp_path, source, stdin="open") as running:
            await anext(running)
        return running.returncode

    assert asyncio.run(main()) == 6


HOLDS = """
import os, subprocess, sys
code = "import time; time.sleep(3600)"
holder = subprocess.Popen([sys.executable, "-IS", "-c", code], start_new_session={apart})
print(holder.pid, flush=True)
"""


JOBS = """
import os, signal, subprocess, sys, time
code = "import time; time.sleep(3600)"
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
job = subprocess.Popen([sys.executable, "-IS", "-c", code], process_group=0, **quiet)
print(job.pid, flush=True)
"""


@posix
def test_a_program_that_is_killed_leaves_nobody_in_its_session(tmp_path):
    lines, code, _ = read(tmp_path, JOBS + "os.kill(os.getpid(), signal.SIGKILL)")
    assert code == -9
    assert_gone(int(lines[0]))


@posix
def test_a_program_that_ends_by_itself_may_leave_somebody_in_the_background(tmp_path):
    lines, code, _ = read(tmp_path, JOBS)
    assert code == 0
    left = psutil.Process(int(lines[0]))
    assert left.is_running()
    left.kill()


@posix
@pytest.mark.parametrize("apart", [False, True], ids=["in its group", "in a session of its own"])
def test_a_background_process_that_holds_the_pipes_delays_nobody(tmp_path, apart):
    lines, code, _ = read(tmp_path, HOLDS.format(apart=apart), stdin=b"x" * (1 << 20))
    assert code == 0
    holder = int(lines[0])
    if apart:
        # Its parent is gone and nothing leads to it any more.
        psutil.Process(holder).kill()
    assert_gone(holder)


@posix
def test_a_background_process_that_floods_the_pipes_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(door, "GRACE", 5.0)
    source = """
import subprocess, sys
flood = "import os\\nwhile True: os.write(1, b'x' * 99 + b'\\\\n')"
holder = subprocess.Popen([sys.executable, "-IS", "-c", flood])
print(holder.pid, flush=True)
"""
    lines, code, _ = read(tmp_path, source)
    holder = next(int(line) for line in lines if line.strip().isdigit())
    assert (code, sum(map(len, lines)) < 16 << 20) == (0, True)
    assert_gone(holder)


@posix
def test_a_slow_reader_gets_all_that_a_program_printed_before_its_end(tmp_path):
    async def main():
        async with child(tmp_path, "for n in range(30_000): print(f'{n:099}')") as running:
            lines = []
            async for line in running:
                lines.append(line)
                if len(lines) % 3000 == 0:
                    await asyncio.sleep(door.GRACE / 2)
            return lines

    assert [int(line) for line in asyncio.run(main())] == list(range(30_000))


def test_an_exception_in_the_block_passes_through(tmp_path):
    async def main():
        async with child(tmp_path, WAITS) as running:
            await anext(running)
            raise ZeroDivisionError
        assert_reaped(running.pid)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


def test_cancelling_at_any_moment_of_a_start_leaves_nobody(tmp_path):
    # Other tests in this process may have left one that ended and that nobody waits for.
    others = set(psutil.Process().children())

    async def main():
        for turns in range(12):

            async def starting():
                async with child(tmp_path, WAITS) as running:
                    await running.wait()

            task = asyncio.create_task(starting())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # A program that ended before anybody watched it is reaped a moment later.
            async with asyncio.timeout(LONG):
                while set(psutil.Process().children()) - others:
                    await asyncio.sleep(0.01)

    asyncio.run(main())


def test_many_run_beside_each_other(tmp_path):
    async def one(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with child(folder, f"print({number})", stdin=b"x") as running:
            return [int(line) async for line in running], await running.wait()

    async def main():
        return await asyncio.gather(*(one(number) for number in range(16)))

    assert asyncio.run(main()) == [([number], 0) for number in range(16)]


# --- starts


def test_a_missing_binary_is_named_without_its_folder(tmp_path):
    async def main():
        async with stream((tmp_path / "nowhere", "exec"), env={}, cwd=tmp_path):
            pass

    with pytest.raises(BinaryMissing) as caught:
        asyncio.run(main())
    assert "`nowhere exec` cannot be started" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_word_that_no_system_takes_is_refused(tmp_path):
    async def main():
        async with stream((sys.executable, "a\0b"), env={}, cwd=tmp_path):
            pass

    with pytest.raises(BinaryMissing, match="cannot be started"):
        asyncio.run(main())


def test_a_missing_folder_is_not_blamed_on_the_binary(tmp_path):
    with pytest.raises(OSError, match="absent"):
        read(tmp_path, "", cwd=tmp_path / "absent")


def test_recording_sees_both_ways(tmp_path):
    with process.recording() as calls:
        read(tmp_path, "")
    assert [Path(argv[0]) for argv in calls] == [Path(sys.executable)]


# --- laws


@given(st.lists(st.binary(max_size=12) | st.just(b"\n")), st.integers(1, 9))
def test_lines_do_not_depend_on_how_output_comes_in_pieces(pieces, longest):
    def lines(parts):
        cutter = Lines(longest)
        return [*(line for part in parts for line in cutter.feed(part)), *cutter.end()]

    text = b"".join(pieces)
    assert lines(pieces) == lines([text]) == lines([bytes([byte]) for byte in text])
    assert all(len(line.removesuffix(b"\n")) <= longest for line in lines(pieces))
    if longest > max((len(part) for part in text.split(b"\n")), default=0):
        assert b"".join(lines(pieces)) == text
    assert len(lines(pieces)) == text.count(b"\n") + (not text.endswith(b"\n") and text != b"")


@given(st.lists(st.binary(max_size=20)), st.integers(1, 9))
def test_the_ends_are_the_first_and_the_last_bytes(pieces, size):
    kept = Ends(size)
    for piece in pieces:
        kept.write(piece)
    text = b"".join(pieces)
    missing = len(text) - 2 * size
    gap = b"" if missing <= 0 else b"\n[%d bytes left out]\n" % missing
    assert bytes(kept) == (text if missing <= 0 else text[:size] + gap + text[-size:])


def test_where_only_ends_are_asked_for_a_flood_of_short_lines_costs_no_more_than_its_bytes(tmp_path):
    async def flood():
        words = ["sh", "-c", "echo first; yes | head -c 300000000; echo last"]
        async with stream(words, env=os.environ, cwd=tmp_path, seconds=60, ends=64) as child:
            assert await child.wait() == 0
            return child.stdout

    kept = asyncio.run(flood())
    assert kept.startswith(b"first\ny\n")
    assert b"bytes left out" in kept
    assert kept.endswith(b"y\nlast\n")
