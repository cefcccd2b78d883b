"""A program called and waited for.

argv, environment, folder and bounds in -> exit code, stdout and stderr out. The child has no input. Past the
time limit or the output cap, and when the caller cancels, everything that it started is killed with it.
Refuses, with the command as a person would type it (no absolute path): a binary that cannot be started
(BinaryMissing), that does not end in time (BinaryTimeout) or that prints too much (BinaryOutputTooLarge).
"""

from __future__ import annotations

import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import BinaryError, BinaryOutputTooLarge, BinaryTimeout
from pipeline.process import launch
from pipeline.process.tree import kill_tree

# How often a waiting call looks at its cap, its cancel event and whether the child is gone, in seconds.
# An ordinary call never waits for it: the end of both pipes wakes it up.
TICK = 0.05
# How long the pipes may stay open after the child has ended. Who still holds them is a background process.
GRACE = 0.25
_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Completed:
    """A call that ended by itself. ``returncode`` is negative for a signal, as in ``subprocess``."""

    returncode: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    seconds: float,
    max_bytes: int,
    cancel: threading.Event | None = None,
) -> Completed:
    """Run a program to its end.

    ``seconds`` bounds the whole call, ``max_bytes`` stdout and stderr together. A background process that
    outlives the program and holds its pipes is killed; what was printed until then counts.
    Raises BinaryMissing, BinaryTimeout, BinaryOutputTooLarge, and BinaryError when ``cancel`` is set.
    """
    words = launch.words(argv)
    deadline = time.monotonic() + seconds
    process = _start(words, env, cwd)
    output = _output(process, max_bytes)
    try:
        stopped = _await_end(process, output, deadline, cancel)
    except BaseException:
        kill_tree(process)
        output.close()
        raise
    if stopped is None:
        return Completed(process.returncode, *output.close())
    kill_tree(process)
    output.close()
    command = f"`{launch.spell(words)}`"
    if stopped == "output":
        raise BinaryOutputTooLarge(
            f"{command} printed more than {max_bytes} bytes", remedy="raise limits.output_bytes in agent.toml"
        )
    if stopped == "time":
        raise BinaryTimeout(
            f"{command} did not end within {seconds:g} s", remedy="raise limits.seconds_per_call in agent.toml"
        )
    raise BinaryError(f"{command} was cancelled")


def _start(words: Sequence[str], env: Mapping[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=launch.NEW_SESSION,
            creationflags=launch.FLAGS,
        )
    except (OSError, ValueError) as error:
        raise launch.refusal(error, words, cwd) from None


class _Output:
    """The two pipes of a child, drained side by side, by polling them."""

    def __init__(self, process: subprocess.Popen[bytes], max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
        self._chunks: list[list[bytes]] = [[] for _ in self._pipes]
        self._sizes = [0 for _ in self._pipes]
        self._start()

    def _start(self) -> None:
        self._selector = selectors.DefaultSelector()
        for index, pipe in enumerate(self._pipes):
            self._selector.register(pipe, selectors.EVENT_READ, index)

    def ended(self, seconds: float) -> bool:
        """Wait for something to happen, up to ``seconds``; whether both pipes have ended."""
        for key, _ in self._selector.select(seconds):
            if not self._read(key.data):
                self._selector.unregister(key.fileobj)
        return not self._selector.get_map()

    def _read(self, index: int) -> bool:
        chunk = self._pipes[index].read(_CHUNK)
        self._chunks[index].append(chunk)
        self._sizes[index] += len(chunk)
        return bool(chunk)

    @property
    def too_large(self) -> bool:
        return sum(self._sizes) > self._max_bytes

    def close(self) -> tuple[bytes, bytes]:
        """What was printed."""
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()
        return self._printed()

    def _printed(self) -> tuple[bytes, bytes]:
        stdout, stderr = (b"".join(chunks) for chunks in self._chunks)
        return stdout, stderr


class _ThreadedOutput(_Output):
    """The same with a thread for each pipe, because Windows cannot poll them; 0.2 ms of CPU dearer."""

    def _start(self) -> None:
        self._threads = [threading.Thread(target=self._drain, args=(n,), daemon=True) for n in range(len(self._pipes))]
        for thread in self._threads:
            thread.start()

    def _drain(self, index: int) -> None:
        while not self.too_large and self._read(index):
            pass

    def ended(self, seconds: float) -> bool:
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> tuple[bytes, bytes]:
        # A pipe that a process out of reach still holds is left to its thread.
        for pipe, thread in zip(self._pipes, self._threads, strict=True):
            thread.join(GRACE)
            if not thread.is_alive():
                pipe.close()
        return self._printed()


_output = _ThreadedOutput if sys.platform == "win32" else _Output


def _await_end(
    process: subprocess.Popen[bytes], output: _Output, deadline: float, cancel: threading.Event | None
) -> Literal["output", "time", "cancel"] | None:
    """Wait until the child has ended and its pipes too (None), or say what it must be stopped for."""
    gone_since: float | None = None
    while True:
        ended = output.ended(TICK)
        now = time.monotonic()
        if output.too_large:
            return "output"
        if ended:
            break
        if cancel is not None and cancel.is_set():
            return "cancel"
        if now >= deadline:
            return "time"
        if process.poll() is not None:
            gone_since = gone_since or now
            if now - gone_since >= GRACE:
                kill_tree(process)
                return None
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return "time"
    return None
