"""The build of what is committed: `doit` with nothing to do, and the whole rebuild from the snapshots.

Works in a temporary clone of this checkout, so it measures HEAD. Doing nothing is compared with importing
doit (whole processes, alternately, minima); a rebuild starts without any file that a default task writes and
without doit's database, and must leave ``git status`` clean. Prints a table, never fails.

    python benchmarks/build.py [--rounds 25]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
IDLE_GOAL = 1.8
REBUILD_GOAL = 2.0
_RECORD = re.compile(r"/versions/|/timeline\.json$")
_STEERING = ("SOURCE_DATE_EPOCH", "DOIT_CONFIG", "PYTHONPATH")


def run(folder: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in _STEERING}
    return subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def seconds(folder: Path, *words: str) -> float:
    started = time.perf_counter()
    run(folder, sys.executable, *words)
    return time.perf_counter() - started


def idle(checkout: Path, rounds: int) -> tuple[float, float]:
    """Seconds of a `doit` with nothing to do, and of importing doit."""
    times = [(seconds(checkout, "-m", "doit"), seconds(checkout, "-c", "import doit")) for _ in range(rounds)]
    ours, reference = zip(*times, strict=True)
    return min(ours), min(reference)


def rebuild(checkout: Path) -> tuple[float, int, str]:
    """Seconds of a rebuild, the number of files that it writes, and what git then sees (nothing, if all is well)."""
    rows = json.loads(run(checkout, sys.executable, "-m", "doit", "plan", "--json"))
    # A version's metadata holds a status that it has earned, the timeline versions without snapshots: records, which
    # nothing derives.
    outputs = [checkout / output for row in rows for output in row["outputs"] if not _RECORD.search(output)]
    for path in (*outputs, *checkout.glob(".doit.db*")):
        path.unlink()
    return seconds(checkout, "-m", "doit"), len(outputs), run(checkout, "git", "status", "--porcelain")


def main() -> None:
    parser = argparse.ArgumentParser(description="The build: nothing to do, and everything to do.")
    parser.add_argument("--rounds", type=int, default=25)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        checkout = Path(folder, "checkout")
        run(REPOSITORY, "git", "clone", "--quiet", str(REPOSITORY), str(checkout))
        run(checkout, sys.executable, "-m", "doit")  # compiles the modules, fills the database
        ours, reference = idle(checkout, asked.rounds)
        times, counts, changes = zip(*(rebuild(checkout) for _ in range(3)), strict=True)

    print(f"minimum of {asked.rounds} rounds (nothing to do) and of {len(times)} (rebuild)")
    print(f"{'what':<22}{'ours':>8}{'reference':>15}{'ratio':>8}{'goal':>8}")
    print(
        f"{'nothing to do':<22}{ours * 1e3:>5.0f} ms{reference * 1e3:>12.0f} ms{ours / reference:>8.2f}{IDLE_GOAL:>8}"
    )
    print(f"{f'rebuild of {counts[0]} files':<22}{min(times):>6.2f} s{'':>23}{REBUILD_GOAL:>6} s")
    print(f"git status after it: {'clean' if not any(changes) else ' '.join(changes[-1].split())}")


if __name__ == "__main__":
    main()
