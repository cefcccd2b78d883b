"""A recording executable in place of a CLI: made in a folder, called by a foreign wrapper, read afterwards.

The folder goes first on the PATH of the traced command; a wrapper that wants an explicit path finds it in
``CLI_PARITY_STAND_IN``, and ``{stand_in}`` in the command's words becomes it. What the stand-in says is scripted
(``Rule``); without a rule it prints nothing, reads its input to the end and exits with 0.

A driver tells the name of its next call, the options that it sets and the flags that it passes through the wrapper's
own escape hatch in environment variables of the call (``recorder.VARIABLES``); lists are separated by blanks.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline import canonical, process
from pipeline.errors import BinaryFailed, BinaryTimeout
from pipeline.trace.answers import Rule, encoded
from pipeline.trace.recorded import Call, calls

VARIABLE = "CLI_PARITY_STAND_IN"
_OUTPUT_BYTES = 64_000_000
_SHOWN = 600


def make(folder: Path, program: str, answers: Sequence[Rule] = ()) -> Path:
    """Make the stand-in for ``program`` in ``folder``, which is its own, and return the executable's path.

    On Windows that is a ``.cmd`` file: its callers' quoting is cmd.exe's, so words with newlines or percent signs
    do not arrive as they were sent there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "recorder.py"
    canonical.write(script, canonical.read_bytes(Path(__file__).with_name("recorder.py")))
    canonical.write(folder / "answers.json", encoded(answers))
    # Without the site and the caller's settings Python starts in a third of the time, and alike everywhere.
    if sys.platform == "win32":
        path = folder / f"{program}.cmd"
        path.write_bytes(f'@"{sys.executable}" -I -S "{script}" %*\r\n'.encode())
        return path
    path = folder / program
    # A shell, since the first line of a script holds neither blanks nor long paths; `exec` keeps the process.
    words = shlex.join((sys.executable, "-I", "-S", str(script)))
    path.write_bytes(f'#!/bin/sh\nexec {words} "$@"\n'.encode())
    path.chmod(0o755)
    return path


def run(
    command: Sequence[str],
    stand_in: Path,
    *,
    cwd: Path,
    seconds: float,
    env: Mapping[str, str],
) -> tuple[Call, ...]:
    """Run a wrapper's program to its end with the stand-in in its way, and return the calls that it made, in order.

    ``env`` is all of its environment but for PATH's first folder and ``CLI_PARITY_STAND_IN``. Raises BinaryFailed
    when it fails, or ends without having called the stand-in; BinaryMissing, BinaryTimeout, BinaryOutputTooLarge.
    """
    words = [word.replace("{stand_in}", str(stand_in)) for word in command]
    path = os.pathsep.join((str(stand_in.parent), env.get("PATH", os.defpath)))
    surroundings = {**env, "PATH": path, VARIABLE: str(stand_in)}
    # Without places of this machine, as in all messages.
    spelled = f"`{' '.join(Path(word).name if Path(word).is_absolute() else word for word in command)}`"
    try:
        done = process.run(words, env=surroundings, cwd=cwd, seconds=seconds, max_bytes=_OUTPUT_BYTES)
    except BinaryTimeout:
        raise BinaryTimeout(
            f"{spelled} did not end within {seconds:g} s, {len(calls(stand_in.parent))} calls after it began",
            remedy="give it more seconds, or a rule that answers what it waits for",
        ) from None
    told = done.stderr.decode("utf-8", "replace").strip()[-_SHOWN:]
    if done.returncode:
        raise BinaryFailed(
            f"{spelled} failed (exit {done.returncode}): {told or 'no reason given'}",
            remedy="let it exit with 0 when it has made its calls; what the CLI answers is in the answers file",
        )
    found = calls(stand_in.parent)
    if not found:
        raise BinaryFailed(
            f"{spelled} ended without a call of {stand_in.stem}" + (f"; it says: {told}" if told else ""),
            remedy=f"let it start {stand_in.stem!r} from the PATH, or the file that {VARIABLE} names",
        )
    return found
