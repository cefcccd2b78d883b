"""How the process of a command ends where something outside ends it: a signal, or a standard stream that takes nothing.

It unwinds, so that what it started ends with it and a terminal gets its cursor back, and then dies of the same signal,
as whoever waits for it expects. What was not caught before (a shell's `nohup`) stays so.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TextIO

FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)})


class _Ended(BaseException):
    """A signal told the process to end."""


def unwound(main: Callable[[], int]) -> int:
    """What ``main`` returns; does not return after a signal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Whoever started us closed it.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8", newline="\n"))  # noqa: SIM115, PTH123
        elif getattr(stream, "errors", None) == "strict":
            # Names of files need not be text, and not every terminal takes every character.
            stream.reconfigure(errors="backslashreplace")
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    try:
        return main()
    except KeyboardInterrupt:
        return _die(signal.SIGINT)
    except _Ended as ended:
        return _die(ended.args[0])


def let_go(stream: TextIO) -> None:
    """What is still buffered must not fail a second time when the interpreter flushes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _end(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise _Ended(number)


def _die(number: int) -> int:
    if sys.platform == "win32":
        return 128 + number
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
