"""What a child prints, kept within bounds: stdout cut into lines, the two ends of stderr."""

from __future__ import annotations

import re
from collections.abc import Iterator

# CSI, OSC (ended by BEL or ST) and the two-character escapes, in this order of length.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def plain(text: str) -> str:
    """Text without what only a terminal obeys."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


class Lines:
    r"""Pieces of output in, lines out, as a file gives them: each with its newline.

    A line without one is not whole: it is the last, or was cut off after ``longest`` bytes; what came after them
    is dropped. Only ``\n`` ends a line.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held = bytearray()
        self._cut = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that ``data`` ends."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._hold(part)
            if not self._cut:
                self._held += b"\n"
            yield self._take()
        self._hold(rest)

    def end(self) -> Iterator[bytes]:
        """What no newline has ended."""
        if self._held:
            yield self._take()

    def _hold(self, part: bytes) -> None:
        # Slicing copies, which only a line that is too long should pay.
        if len(self._held) + len(part) > self._longest:
            part, self._cut = part[: self._longest - len(self._held)], True
        self._held += part

    def _take(self) -> bytes:
        line = bytes(self._held)
        self._held.clear()
        self._cut = False
        return line


class Ends:
    """The first and the last ``size`` bytes of what is written to it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._first = bytearray()
        self._last = bytearray()
        self._written = 0

    def write(self, data: bytes) -> None:
        self._written += len(data)
        room = self._size - len(self._first)
        self._first += data[:room]
        self._last += data[room:]
        # Not at every write: each removal moves what stays.
        if len(self._last) > 2 * self._size:
            del self._last[: -self._size]

    def __bytes__(self) -> bytes:
        last = self._last[-self._size :]
        if missing := self._written - len(self._first) - len(last):
            return bytes(self._first) + b"\n[%d bytes left out]\n" % missing + bytes(last)
        return bytes(self._first + last)
