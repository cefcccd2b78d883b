"""What both ways of calling a program do alike: how it is started, recorded, named and refused."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.errors import BinaryMissing

NEW_SESSION = sys.platform != "win32"
# Named one by one because the names of the flags exist on Windows only.
FLAGS = 0
if sys.platform == "win32":
    FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW

_recordings: list[list[tuple[str, ...]]] = []


def words(argv: Sequence[str | Path]) -> list[str]:
    """The words of a call that is about to be made; it counts for every ``recording``."""
    spoken = [str(word) for word in argv]
    for calls in _recordings:
        calls.append(tuple(spoken))
    return spoken


@contextlib.contextmanager
def recording() -> Iterator[list[tuple[str, ...]]]:
    """The argv of every call made inside the block, by any thread: how tests and benchmarks count spawns."""
    calls: list[tuple[str, ...]] = []
    _recordings.append(calls)
    try:
        yield calls
    finally:
        # By identity: two recordings may hold the same calls.
        _recordings[:] = [each for each in _recordings if each is not calls]


def refusal(error: OSError | ValueError, argv: Sequence[str], cwd: Path) -> OSError | BinaryMissing:
    """What to raise for a program that could not be started; a missing folder is not the binary's fault.

    A ValueError is Python's of a word, or a variable, that no system takes.
    """
    if isinstance(error, OSError) and not cwd.is_dir():
        return error
    said = error.strerror if isinstance(error, OSError) else None
    return BinaryMissing(
        f"`{spell(argv)}` cannot be started: {said or error}",
        remedy="give the path of an executable file that is built for this machine",
    )


def spell(argv: Sequence[str], longest: int = 120) -> str:
    """The command as a person would type it, cut where it is long."""
    # An emulated or interpreted program stands behind the one that runs it.
    shown = (Path(word).name if Path(word).is_absolute() else word for word in argv[1:])
    text = " ".join((Path(argv[0]).name, *shown))
    return text if len(text) <= longest else f"{text[:longest].rsplit(' ', 1)[0]} …"
