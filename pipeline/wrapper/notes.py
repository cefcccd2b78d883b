"""What a server tells without being asked, for whoever wants to hear it.

A subscriber that does not keep up must not hold up the answers behind its notifications, nor fill the memory: past
``LIMIT`` bytes of unread messages the oldest ones are dropped, and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pipeline.errors import BinaryError

LIMIT = 64 << 20


@dataclass(frozen=True, slots=True)
class Notification:
    """A message that wants no answer."""

    method: str
    params: Any


class Subscription:
    """An iterator over notifications; a context manager that unsubscribes.

    It ends when it is closed, and raises what ended the connection (BinaryError) after the last notification.
    """

    def __init__(self, methods: frozenset[str], leave: Callable[[Subscription], None]) -> None:
        self.dropped = 0
        self._methods = methods
        self._leave = leave
        self._notes: deque[tuple[Notification, int]] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._closed = False
        self._over: BinaryError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        while not self._notes:
            if self._closed:
                raise StopAsyncIteration
            if self._over is not None:
                raise self._over
            self._news.clear()
            await self._news.wait()
        note, size = self._notes.popleft()
        self._size -= size
        return note

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hear nothing more; what has not been read by now is gone."""
        self._leave(self)
        self._notes.clear()
        self._closed = True
        self._news.set()

    def add(self, note: Notification, size: int) -> None:
        """Called for each notification; ``size`` is its length in bytes."""
        if self._methods and note.method not in self._methods:
            return
        self._notes.append((note, size))
        self._size += size
        # The newest is kept, however large.
        while self._size > LIMIT and len(self._notes) > 1:
            self._size -= self._notes.popleft()[1]
            self.dropped += 1
        self._news.set()

    def end(self, over: BinaryError) -> None:
        """Called when nothing more will come."""
        self._over = over
        self._leave(self)
        self._news.set()
