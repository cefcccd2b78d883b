"""What the wrapper costs: deriving its coverage, building and guarding a command line, and reading a program.

    python benchmarks/wrapper.py [--rounds 9]

Each row takes turns with its reference in this process; the ratio is made of the minima. Never fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.process import run
from pipeline.process.stream import stream
from pipeline.wrapper.codex import Exec, SandboxMode
from pipeline.wrapper.codex.events import event_of
from pipeline.wrapper.guard import Guard
from pipeline.wrapper.registry import wrapper
from pipeline.wrapper.scenario import scenarios

LINES = 200_000
_PRINT = f"import sys; sys.stdout.write(('x' * 99 + chr(10)) * {LINES})"
_EVENT = b'{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"' + b"x" * 200 + b'"}}\n'
HERE = Path.cwd()
ENVIRONMENT = dict(os.environ)


def least(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Seconds of each, taking turns."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            started = time.perf_counter()
            work()
            best[at] = min(best[at], time.perf_counter() - started)
    return best


def streamed(*words: str) -> int:
    async def main() -> int:
        async with stream((sys.executable, *words), env=ENVIRONMENT, cwd=HERE) as child:
            return sum([len(line) async for line in child])

    return asyncio.run(main())


def piped(*words: str) -> int:
    """The same with the standard library's blocking pipe, line by line."""
    with subprocess.Popen((sys.executable, *words), stdout=subprocess.PIPE) as child:
        return sum(len(line) for line in child.stdout or ())


def main() -> None:
    parser = argparse.ArgumentParser(description="What the wrapper costs.")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    codex, guard = wrapper("codex"), Guard.of("codex")
    commands = [scenario.command for scenario in scenarios(codex.commands)]
    command = Exec(prompt="x", json=True, model="m", sandbox=SandboxMode.READ_ONLY)
    line = command.line()
    empty = ("-I", "-S", "-c", "")

    rows = [
        (
            f"coverage of {len(commands)} scenarios / building their lines",
            least(rounds, codex.coverage, lambda: [one.line() for one in commands]),
        ),
        (
            "1,000 guarded lines / 1,000 lines",
            least(
                rounds,
                lambda: [guard.check(command.line(), "0.169.0") for _ in range(1000)],
                lambda: [command.line() for _ in range(1000)],
            ),
        ),
        (
            f"{LINES:,} lines as they come / a blocking pipe",
            least(rounds, lambda: streamed("-c", _PRINT), lambda: piped("-c", _PRINT)),
        ),
        (
            "a program that does nothing: async / blocking",
            least(
                rounds,
                lambda: streamed(*empty),
                lambda: run((sys.executable, *empty), env=ENVIRONMENT, cwd=HERE, seconds=60, max_bytes=10),
            ),
        ),
    ]
    print(f"minimum of {rounds} rounds")
    for what, (ours, reference) in rows:
        print(f"{what:<56}{ours * 1e3:>9.1f} ms{reference * 1e3:>9.1f} ms{ours / reference:>7.2f}")
    [seconds] = least(rounds, lambda: [event_of(_EVENT) for _ in range(10_000)])
    print(f"typed events: {10_000 / seconds:,.0f} a second; argv: {line.argv}")


if __name__ == "__main__":
    main()
