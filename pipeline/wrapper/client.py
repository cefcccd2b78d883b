"""Running declared commands: a typed command in, what the program says out.

    client = await Client.open(binary, guard=guard, cwd=repository)
    done = await client.run(List())
    async with client.stream(Exec(prompt="hi")) as run:
        async for line in run: ...

A command says its words and its standard input by ``line()``; the guard may refuse it before anything is spawned.
How programs are started, read, bounded and stopped is told by ``pipeline.process.stream``. The binary is the one
that is given: nothing here looks for another, downloads or updates one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Protocol, Self

from pipeline.errors import BinaryFailed, BinaryOutputTooLarge, UsageError
from pipeline.process import Completed
from pipeline.process.stream import LONGEST_LINE, Child, stream
from pipeline.wrapper.declare import Line

_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*(?:[-+][0-9A-Za-z.+-]+)?")
_VERSION_SECONDS = 30.0


class Runnable(Protocol):
    """A declared command, or whatever else can say a line."""

    def line(self) -> Line: ...


class Refusing(Protocol):
    """What knows the versions of a program."""

    def check(self, line: Line, version: str) -> None:
        """Raise CapabilityMissing for a line that the version would not understand."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program, and how it is run. Use ``dataclasses.replace`` for another folder or limit.

    ``env`` None is the environment of the caller, ``cwd`` None its folder; ``seconds`` bounds each run. ``max_bytes``
    is what ``run`` takes of stdout, ``longest_line`` what ``stream`` hands out as one line.
    """

    program: Path | str
    _: KW_ONLY
    version: str | None = None
    guard: Refusing | None = None
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    seconds: float | None = None
    max_bytes: int = 64 << 20
    longest_line: int = LONGEST_LINE

    def __post_init__(self) -> None:
        if self.guard is not None and self.version is None:
            raise UsageError("a guard needs to know the version", remedy="give it, or use Client.open, which asks")

    @classmethod
    async def open(
        cls,
        program: Path | str,
        *,
        guard: Refusing | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        seconds: float | None = None,
    ) -> Self:
        """A client whose version is what the program says of itself, asked once.

        Raises what ``run`` raises, and BinaryFailed when the answer holds no version.
        """
        client = cls(program, env=env, cwd=cwd, seconds=seconds)
        done = await replace(client, seconds=_VERSION_SECONDS, max_bytes=1 << 16).run(_AskVersion())
        found = _VERSION.search(done.stdout.decode("utf-8", "replace"))
        if done.returncode != 0 or found is None:
            problem = f"`{Path(program).name} --version` exited with {done.returncode} and says no version"
            raise BinaryFailed(problem, remedy="give a program that says its version, or say it yourself")
        return replace(client, version=found[0], guard=guard)

    async def run(self, command: Runnable) -> Completed:
        """Run a command to its end. Of a long stderr the first and the last 64 KiB are kept.

        Raises UsageError, CapabilityMissing, BinaryMissing, BinaryTimeout and BinaryOutputTooLarge; no exit code is
        an error here.
        """
        whole = replace(self, longest_line=self.max_bytes + 1)
        async with whole.stream(command) as child:
            lines, size = [], 0
            async for line in child:
                size += len(line)
                if size > self.max_bytes:
                    raise BinaryOutputTooLarge(
                        f"`{child.command}` printed more than {self.max_bytes} bytes",
                        remedy="read it as a stream, or allow more",
                    )
                lines.append(line)
            return Completed(await child.wait(), b"".join(lines), child.stderr)

    def stream(self, command: Runnable, *, held: bool = False) -> AbstractAsyncContextManager[Child]:
        """Run a command and read it meanwhile. Leaving the block stops it, with all that it started.

        ``held`` keeps its standard input open, to be written to. Raises UsageError and CapabilityMissing at once,
        BinaryMissing when the block is entered, BinaryTimeout from whatever waits in it.
        """
        line = command.line()
        if self.guard is not None and self.version is not None:
            self.guard.check(line, self.version)
        if held and line.stdin is not None:
            raise UsageError("the command brings its own standard input", remedy="leave it out, or do not hold it open")
        return stream(
            (self._program(), *line.argv),
            env=os.environ if self.env is None else self.env,
            cwd=self.cwd or Path.cwd(),
            stdin="open" if held else line.stdin,
            seconds=self.seconds,
            longest_line=self.longest_line,
        )

    def _program(self) -> Path | str:
        # A path is the caller's, not one below the folder that the program runs in; a bare name is looked up.
        path = Path(self.program)
        return self.program if str(self.program) == path.name else path.absolute()


class _AskVersion:
    def line(self) -> Line:
        return Line(("--version",), None, ())
