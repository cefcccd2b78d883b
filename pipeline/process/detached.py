"""A program that outlives whoever starts it: in a session of its own, without input, its output in a file.

It is not waited for. Who still knows its id later asks ``alive`` with the start time that belongs to it, because ids
are used again; or with its words, because a clock that is set moves the start time.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.process import launch
from pipeline.process.tree import Family

if TYPE_CHECKING:
    import psutil

# Start times are derived from the time of boot, which follows a corrected clock.
_SAME_START = 2.0
# How long those that were killed may take to die, and how often they are looked after, in seconds.
_DEATH, _LOOK = 10.0, 0.01

_left: list[subprocess.Popen[bytes]] = []


def start(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, output: Path) -> int:
    """Start a program and return its process id; what it prints is appended to ``output``. Raises BinaryMissing."""
    # Those that have ended meanwhile are reaped, or they would look alive as long as this process is.
    _left[:] = [process for process in _left if process.poll() is None]
    words = launch.words(argv)
    with output.open("ab") as stream:
        try:
            process = subprocess.Popen(
                words,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=launch.NEW_SESSION,
                creationflags=launch.FLAGS,
            )
        except (OSError, ValueError) as error:
            raise launch.refusal(error, words, cwd) from None
    _left.append(process)
    return process.pid


def started(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None where there is none, or it has ended and was not reaped."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError, OverflowError):  # of a number that is no id
        return None


def alive(pid: int, began: float, words: Sequence[str] = ()) -> bool:
    """Whether the process that had this id and began then, or was called with all of ``words``, still runs."""
    found = started(pid)
    return found is not None and (abs(found - began) < _SAME_START or _called(pid, words))


def _called(pid: int, words: Sequence[str]) -> bool:
    import psutil

    try:
        return bool(words) and set(words) <= set(psutil.Process(pid).cmdline())
    except (psutil.Error, OSError):
        return False


def kill(pid: int, began: float, words: Sequence[str] = ()) -> None:
    """Kill that process with all that it started."""
    if alive(pid, began, words):
        Family(pid).kill()


def kill_marked(name: str, value: str) -> int:
    """Kill every process in whose environment ``name`` is ``value``, await their end, and say how many there were."""
    import psutil

    seen: set[tuple[int, float]] = set()
    until = time.monotonic() + _DEATH
    # Again and again: one may have started another while they were listed, and who is killed takes a moment to die.
    while (found := list(_marked(name, value))) and time.monotonic() < until:
        for process in found:
            with contextlib.suppress(psutil.Error, OSError):
                seen.add((process.pid, process.create_time()))
                process.kill()
        time.sleep(_LOOK)
    return len(seen)


def _marked(name: str, value: str) -> Iterator[psutil.Process]:
    """Those that still run: of one that has ended and was not reaped no environment is left."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(name) == value:
                yield process
