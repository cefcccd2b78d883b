"""A running program in the hands of a coroutine: what it prints, and the ways in which it ends.

``pipeline.process.stream`` makes it and tells what holds for it. Stopping is driven by the loop's timers, not by
a task, so that no cancellation can interrupt it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.errors import BinaryTimeout
from pipeline.process import launch
from pipeline.process.call import GRACE
from pipeline.process.pipes import Pipes
from pipeline.process.tree import Family, kill_session

# How long a program that was asked to end may take for it, in seconds. Agents write their session down then.
POLITE = 2.0
# How often somebody who was asked to end is looked after, in seconds.
_LOOK = 0.1


class Child:
    """A program that ``stream`` has started.

    Iterating gives the lines of stdout until it ends, each with its newline. A line without one is not whole: it
    is the last, or longer than ``longest_line`` and cut off there. While nobody iterates the program waits.
    """

    def __init__(self, words: Sequence[str], *, held: bool, longest_line: int, ends: int | None = None) -> None:
        self.longest_line = longest_line
        self.pipes = Pipes(longest_line=longest_line, on_exit=self._ended, on_flood=self._leave, ends=ends)
        self._words = words
        self._held = held
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._seconds: float | None = None
        self._timed_out = False
        self._closing = False
        self._leaving = False
        self._family: Family | None = None

    @property
    def command(self) -> str:
        """The command as a person would type it."""
        return launch.spell(self._words)

    @property
    def pid(self) -> int:
        return self.pipes.transport.get_pid()

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.pipes.exited.result() if self.pipes.exited.done() else None

    @property
    def stdout(self) -> bytes:
        """What it has printed to stdout until now, where only its ends were asked for: as ``stderr``."""
        return bytes(self.pipes.stdout or b"")

    @property
    def stderr(self) -> bytes:
        """What it has printed to stderr until now: the first and the last 64 KiB, and how much lies between."""
        return bytes(self.pipes.stderr)

    def __aiter__(self) -> Child:
        return self

    async def __anext__(self) -> bytes:
        line = await self.pipes.line()
        if line is None:
            self._check_time()
            raise StopAsyncIteration
        return line

    async def write(self, data: bytes) -> None:
        """Write to an open stdin. Raises BrokenPipeError when the program reads no more."""
        await self.pipes.write(data)

    def end_input(self) -> None:
        """Close an open stdin, once what was written has been read."""
        self.pipes.end_input()

    async def wait(self) -> int:
        """Wait for the program's end; lines that were not read by now are thrown away. Raises BinaryTimeout."""
        self.pipes.discard()
        await asyncio.wait([self.pipes.over])
        self._check_time()
        return self.pipes.exited.result()

    def stop(self) -> None:
        """Begin to stop the program: it is asked, and killed if it does not obey. Returns at once."""
        if self._family is None and not self.pipes.exited.done():
            self._family = Family(self.pid)
            asks = [self.end_input] if self._held else []
            if sys.platform != "win32":
                asks.append(self._family.interrupt)
            self._press(self._family, asks, 0.0)

    def kill(self) -> None:
        """Kill the program and all that it started, now."""
        if self.pipes.over.done():
            return
        self._stop_timer()
        if self._family is None and not self.pipes.exited.done():
            self._family = Family(self.pid)
        if self._family is not None:
            self._family.kill()
        kill_session(self.pid)

    def begin(self, stdin: bytes | str | None, seconds: float | None) -> None:
        """Called once it runs."""
        if isinstance(stdin, bytes):
            self.pipes.end_input(stdin)
        if seconds is not None:
            self._seconds = seconds
            self._timer = self._loop.call_later(seconds, self._time_out)

    async def close(self) -> None:
        """Stop the program if it runs, and free what it holds. A cancellation hurries this, but does not end it."""
        self._closing = True
        # Who has to write before it ends shall not wait for a reader.
        self.pipes.discard()
        if self.pipes.exited.done():
            self._leave()
            self.pipes.close()
        else:
            self.stop()
        cancelled = await outlast(self.pipes.over, self.kill)
        self._stop_timer()
        if cancelled is not None:
            raise cancelled

    def _press(self, family: Family, asks: list[Callable[[], None]], until: float) -> None:
        """Ask in the next way when the time for the last one is up; see meanwhile who else is there."""
        self._stop_timer()
        family.look()
        if self._loop.time() >= until:
            if not asks:
                self.kill()
                return
            asks.pop(0)()
            until = self._loop.time() + POLITE
        self._timer = self._loop.call_later(_LOOK, self._press, family, asks, until)

    def _time_out(self) -> None:
        self._timed_out = True
        self.stop()

    def _ended(self) -> None:
        self._stop_timer()
        # Who ends by itself may leave somebody in the background; who was stopped or killed may not.
        if self._family is not None or self.pipes.exited.result() < 0:
            self.kill()
        if self._closing:
            self.pipes.close()
        else:
            self._timer = self._loop.call_later(GRACE, self._leave)

    def _leave(self) -> None:
        """The program is gone, and others hold its pipes: end them, and listen no longer."""
        if self.pipes.open and not self._leaving:
            self._leaving = True
            self.kill()
            self._timer = self._loop.call_later(GRACE, self.pipes.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _check_time(self) -> None:
        if self._timed_out:
            raise BinaryTimeout(f"`{self.command}` did not end within {self._seconds:g} s", remedy="give it more time")


async def outlast(future: asyncio.Future[Any], hurry: Callable[[], None] = lambda: None) -> BaseException | None:
    """Wait for a future whether or not the task is cancelled meanwhile; the last cancellation, to be raised then."""
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
            hurry()
    return cancelled
