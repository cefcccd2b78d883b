"""Runs of a program that are killed at the n-th change that they make to a folder, for every n.

    for _ in kills(["pipeline.cli", "promote", …], watch=root):
        ...  # look at the folder, and put back what was there

``failures`` is the same with a disk that is full at the n-th change, and only then.

Python tells an audit hook of each change before it is made, so the n-th kill leaves n - 1 of them done; a file that is
opened for writing counts twice, the second time as the system has opened (emptied) it. Changes of modes and times do
not count, nor does what a child process or C code does. SIGKILL: nothing is flushed, no ``finally`` runs.

What counts is below ``watch`` (a file or folder) or beside it as ``.name.…``, and not in ``__pycache__``.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
# Where an event's paths stand among its arguments, each with the place of its dir_fd (None: it has none).
_PLACES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "open": ((0, None),),
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
}
# What a killed process exits with where there are no signals.
_KILLED = 137
_ENOUGH = 5000
_REACHED = "killing.py: reached"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: by itself with ``code``, unless ``killed``; ``reached`` the change that was asked for or not."""

    killed: bool
    reached: bool
    code: int
    out: str
    err: str


def kills(
    argv: Sequence[str],
    *,
    watch: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    code: int = 0,
    first: int = 1,
    step: int = 1,
) -> Iterator[int]:
    """Run ``python -m argv…`` again and again, killed at change ``first``, ``first + step`` … of ``watch``.

    Yields that number after each kill: the caller looks at the folder and restores it. Ends when a run came to its
    own end, which must be with exit code ``code``, and must not be the first one.
    """
    for at in itertools.count(first, step):
        outcome = run_until_killed(argv, at, watch=watch, cwd=cwd, env=env)
        if not outcome.reached:
            assert outcome.code == code, f"exit code {outcome.code}: {outcome.out}{outcome.err}"
            assert at > first, f"the run changed nothing in {watch}"
            return
        assert outcome.killed, outcome.err
        assert at < _ENOUGH, f"no end after {at} changes"
        yield at


def failures(
    argv: Sequence[str], *, watch: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Outcome]:
    """As ``kills``, but change 1, 2 … raises OSError (no space left) instead; yields how each run ended."""
    for at in itertools.count(1):
        outcome = _run("fail", argv, at, watch=watch, cwd=cwd, env=env)
        if not outcome.reached:
            assert at > 1, f"the run changed nothing in {watch}"
            return
        assert at < _ENOUGH, f"no end after {at} changes"
        yield outcome


def run_until_killed(
    argv: Sequence[str], at: int, *, watch: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Outcome:
    """Run ``python -m argv…``, killed at its change number ``at`` (from 1) of ``watch``."""
    return _run("kill", argv, at, watch=watch, cwd=cwd, env=env)


def run_until_full(
    argv: Sequence[str], at: int, *, watch: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Outcome:
    """The same, with a disk that is full at that change and only then."""
    return _run("fail", argv, at, watch=watch, cwd=cwd, env=env)


def _run(
    end: str, argv: Sequence[str], at: int, *, watch: Path, cwd: Path | None, env: Mapping[str, str] | None
) -> Outcome:
    done = subprocess.run(
        [sys.executable, __file__, end, str(at), str(watch.resolve()), "--", *argv],
        cwd=cwd,
        env=env,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    killed = done.returncode in (-getattr(signal, "SIGKILL", _KILLED), _KILLED)
    return Outcome(killed, _REACHED in done.stderr, done.returncode, done.stdout, done.stderr)


class _Hook:
    """An audit hook that calls ``end`` at change ``at`` of ``watch``, a resolved path."""

    def __init__(self, end: Callable[[], None], at: int, watch: Path) -> None:
        self._end = end
        self._left = at
        self._watch = str(watch)
        self._below = f"{watch}{os.sep}"
        self._beside = str(watch.parent / f".{watch.name}.")

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._left <= 0 or event not in _PLACES or (event == "open" and not _opens_for_writing(arguments)):
            return
        if not any(self._counts(arguments, *place) for place in _PLACES[event]):
            return
        self._left -= 1
        if not self._left:
            self._reached(f"before {event} {arguments[0]}")
        elif event == "open":
            self._left -= 1
            if not self._left:
                with contextlib.suppress(OSError):
                    os.close(os.open(arguments[0], arguments[2], 0o600))
                self._reached(f"after {event} {arguments[0]}")

    def _reached(self, what: str) -> None:
        os.write(2, f"{_REACHED} {what}\n".encode(errors="backslashreplace"))
        self._end()

    def _counts(self, arguments: tuple[Any, ...], place: int, folder: int | None) -> bool:
        if isinstance(arguments[place], int):  # an open file
            return False
        path = Path(os.fsdecode(arguments[place]))
        if folder is not None and arguments[folder] >= 0:
            path = Path(f"/dev/fd/{arguments[folder]}").readlink() / path
        path = path.parent.resolve() / path.name
        if "__pycache__" in path.parts:
            return False
        return str(path) == self._watch or str(path).startswith((self._below, self._beside))


def _opens_for_writing(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[2] & _WRITING)


def _kill() -> None:
    if sys.platform == "win32":
        os._exit(_KILLED)
    os.kill(os.getpid(), signal.SIGKILL)


def _fail() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def main() -> None:
    """``killing.py kill N WATCH -- MODULE ARGUMENT…``: ``python -m MODULE ARGUMENT…``, killed at change N of WATCH."""
    end, at, watch, _, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    sys.path[0] = str(Path.cwd())
    sys.addaudithook(_Hook({"kill": _kill, "fail": _fail}[end], int(at), Path(watch)))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
