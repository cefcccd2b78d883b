"""The pipes of a running child on the event loop: lines in a bounded queue, both ends of stderr, writing.

Reading stops while nobody takes the lines, so that the child waits and memory does not grow. Once the child
has ended it goes on, up to what a pipe can hold: nothing that it printed is lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from pipeline.process.lines import Ends, Lines

# How many bytes of lines wait to be taken before reading stops.
QUEUE = 1 << 20
# How much of each end of stderr is kept, in bytes.
STDERR = 1 << 16
# What may still come out of a pipe whose writer has ended: no pipe holds more. The rest is from somebody else.
_LAST = 4 << 20
_STDIN, _STDOUT, _STDERR = 0, 1, 2


class Pipes(asyncio.SubprocessProtocol):
    """What asyncio calls when something happens; ``on_exit`` is called when the child has ended.

    ``exited`` holds the exit code, ``over`` is done when the pipes have been closed too.
    """

    transport: asyncio.SubprocessTransport

    def __init__(
        self, *, longest_line: int, on_exit: Callable[[], None], on_flood: Callable[[], None], ends: int | None = None
    ) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        self.stderr = Ends(STDERR)
        # In the place of lines, which cost too much where nobody looks at each.
        self.stdout = None if ends is None else Ends(ends)
        self.open = {_STDIN, _STDOUT, _STDERR}
        self._on_exit, self._on_flood = on_exit, on_flood
        self._cutter = Lines(longest_line)
        self._lines: deque[bytes] = deque()
        self._queued = 0
        self._late = 0
        self._discarding = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    async def line(self) -> bytes | None:
        """The next line; None when stdout has ended."""
        while not self._lines:
            if _STDOUT not in self.open:
                return None
            self._news.clear()
            await self._news.wait()
        line = self._lines.popleft()
        self._queued -= len(line)
        if self._queued <= QUEUE // 2:
            self._reader().resume_reading()
        return line

    def discard(self) -> None:
        """Throw away the lines that wait, and those to come."""
        self._discarding = True
        self._lines.clear()
        self._queued = 0
        self._reader().resume_reading()

    async def write(self, data: bytes) -> None:
        """Write to stdin, and wait while the child does not keep up. Raises BrokenPipeError when it reads no more."""
        writer = self._writer()
        if writer is not None:
            writer.write(data)
            await self._writable.wait()
        if self._writer() is None:
            raise BrokenPipeError("the program does not read its input any more")

    def end_input(self, data: bytes = b"") -> None:
        """Write the last of the input, without waiting. A child that does not read it is no error."""
        if writer := self._writer():
            writer.write(data)
            writer.write_eof()

    def close(self) -> None:
        """Close all pipes, whoever holds their other ends. The child must have ended."""
        self._drop_input()
        self.transport.close()

    def _drop_input(self) -> None:
        if _STDIN in self.open:
            writer = cast(asyncio.WriteTransport, self._pipe(_STDIN))
            # What nobody reads would keep it open. To abort one that is empty would close it twice.
            if writer.get_write_buffer_size():
                writer.abort()
            else:
                writer.close()

    def _pipe(self, number: int) -> asyncio.BaseTransport | None:
        return self.transport.get_pipe_transport(number)

    def _reader(self) -> asyncio.ReadTransport:
        return cast(asyncio.ReadTransport, self._pipe(_STDOUT))

    def _writer(self) -> asyncio.WriteTransport | None:
        writer = cast("asyncio.WriteTransport | None", self._pipe(_STDIN))
        return None if writer is None or writer.is_closing() else writer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.SubprocessTransport, transport)
        if self._pipe(_STDIN) is None:
            self.open.discard(_STDIN)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if self.exited.done():
            self._late += len(data)
            if self._late > _LAST:
                self._on_flood()
                return
        if fd == _STDERR:
            self.stderr.write(data)
        elif self.stdout is not None:
            self.stdout.write(data)
        elif not self._discarding:
            for line in self._cutter.feed(data):
                self._add(line)
            if self._queued > QUEUE and not self.exited.done():
                self._reader().pause_reading()

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._queued += len(line)
        self._news.set()

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        self.open.discard(fd)
        if fd == _STDIN:
            self._writable.set()
        elif fd == _STDOUT:
            if not self._discarding:
                for line in self._cutter.end():
                    self._add(line)
            self._news.set()

    def process_exited(self) -> None:
        self.exited.set_result(cast(int, self.transport.get_returncode()))
        self._drop_input()
        self._reader().resume_reading()
        self._on_exit()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.over.set_result(None)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
