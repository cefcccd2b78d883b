"""What a semantic diff costs: reading two unions, comparing them, and writing both files.

    python benchmarks/diff.py [--rounds 15]

The minimum and the median of each step in this process, on two committed pairs and on a pair of made-up unions of a
thousand commands. Never fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from pipeline import canonical
from pipeline.history.diffs import diff_of
from pipeline.history.page import render
from pipeline.history.reading import surface_of

MANIFESTS = Path(__file__).resolve().parents[1] / "cli_manifests"
PAIRS = (("codex", "0.125.0", "0.169.0"), ("claude_code", "2.1.29", "2.1.329"))


def milliseconds(rounds: int, work: Callable[[], object]) -> tuple[float, float]:
    """The minimum and the median."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1e3)
    return min(taken), statistics.median(taken)


def made_up(commands: int, *, every: int) -> bytes:
    """A union in which one command of ``every`` lacks a flag."""
    flags = [{"key": f"--flag-{at}", "long": f"--flag-{at}", "takes_value": at % 2 == 0} for at in range(10)]
    found = [{"path": [], "usage": "box"}]
    for at in range(commands):
        own = flags[:-1] if every and at % every == 0 else flags
        found.append({"path": [f"c{at}"], "usage": "box c", "flags": own})
    return json.dumps({"tool": "box", "commands": found}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description="What a semantic diff costs.")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    pairs = {
        f"{agent} {one} → {other}": [
            (MANIFESTS / agent / "snapshots" / version / "union.json").read_bytes() for version in (one, other)
        ]
        for agent, one, other in PAIRS
    }
    pairs["1,000 commands, 50 of them changed"] = [made_up(1000, every=0), made_up(1000, every=20)]
    print(f"{'ms: minimum, median of ' + str(rounds):<40}{'all':>16}{'reading':>16}{'files':>16}")
    for what, (before, after) in pairs.items():

        def read(before: bytes = before, after: bytes = after) -> list[object]:
            return [surface_of(raw, "union") for raw in (before, after)]

        def compare(before: bytes = before, after: bytes = after) -> object:
            return diff_of(surface_of(before, "union"), surface_of(after, "union"))

        found = diff_of(surface_of(before, "union"), surface_of(after, "union"))
        rows = [
            milliseconds(rounds, work)
            for work in (compare, read, lambda found=found: (canonical.encode(found), render(found, "box")))
        ]
        print(f"{what:<40}" + "".join(f"{f'{least:.1f} {median:.1f}':>16}" for least, median in rows))


if __name__ == "__main__":
    main()
