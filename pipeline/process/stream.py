"""A program that runs beside the caller: read line by line, written to, stopped with all that it started.

    async with stream((binary, "exec"), env=env, cwd=folder, stdin=prompt) as child:
        async for line in child:
            ...
        code = await child.wait()

Leaving the block stops what still runs, whatever the reason: an early exit, an exception, a cancelled task, or
the time limit before. The program is asked first (end of its input if that was held open, then SIGINT where
there is one), and POLITE seconds after each it is killed with everything that it started, in sessions of their
own too as far as it could be seen while the program lived. Then it is reaped; the block is left after that.
Cancelling once more while it is being asked kills at once.

A program that ends by itself may leave processes in the background; who holds its pipes longer than GRACE is
killed, and delays nobody. Of a program that a signal has ended, what is left of its session is killed.

Refuses what cannot be started (BinaryMissing) and tells a run past its time limit (BinaryTimeout) to whoever
reads or waits. An exit code, whichever, is a value.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pipeline.process import launch
from pipeline.process.child import Child, outlast

__all__ = ["LONGEST_LINE", "Child", "stream"]

# The longest line that is handed out whole, in bytes: an event may carry a picture.
LONGEST_LINE = 16 << 20


@contextlib.asynccontextmanager
async def stream(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes | Literal["open"] | None = None,
    seconds: float | None = None,
    longest_line: int = LONGEST_LINE,
    ends: int | None = None,
) -> AsyncIterator[Child]:
    """Start a program.

    ``stdin`` is written while the output is read; with "open" the caller writes; without, input is empty.
    ``seconds`` bounds the time from here to the program's end. With ``ends`` there are no lines: so many bytes of both
    ends of stdout are kept, however much there is. Raises BinaryMissing.
    """
    words = launch.words(argv)
    child = Child(words, held=stdin == "open", longest_line=longest_line, ends=ends)
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            lambda: child.pipes,
            *words,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=launch.NEW_SESSION,
            creationflags=launch.FLAGS,
        )
    )
    # A start that is given up half-way would leave a process that nobody knows.
    cancelled = await outlast(starting)
    if isinstance(error := starting.exception(), OSError | ValueError):
        raise cancelled or launch.refusal(error, words, cwd)
    starting.result()
    try:
        if cancelled is not None:
            raise cancelled
        child.begin(stdin, seconds)
        yield child
    finally:
        await child.close()
