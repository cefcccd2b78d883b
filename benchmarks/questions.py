"""What a question to a timeline costs, and how a timeline grows.

    python benchmarks/questions.py [--rounds 9]

A synthetic CLI of Codex's size changes five units from version to version. `parity which` and `explain` are whole
processes, taking turns with one that starts Python and does nothing. Never fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.history import History, read_timeline
from pipeline.questions.argv import MANNERS
from pipeline.questions.view import View
from pipeline.questions.which import may_pass, which

COMMANDS, FLAGS, CHANGES = 80, 9, 5
GOAL_MS = 150
ASKED = ["command-7", "--flag-3", "x", "--changing-4", "--flag-8"]


def surface(version: int) -> bytes:
    """A snapshot as far as a timeline reads it. Of the changing flags each version has five others."""
    commands: list[dict[str, Any]] = [{"path": [], "args": [{"name": "PROMPT"}]}]
    for number in range(COMMANDS):
        flags: list[dict[str, Any]] = [
            {"long": f"--flag-{at}", "takes_value": at % 2 == 1, "short": f"-{chr(97 + at)}"} for at in range(FLAGS)
        ]
        if number == version % COMMANDS:
            flags += [{"long": f"--changing-{(version + at) % 50}"} for at in range(CHANGES)]
        commands.append({"path": [f"command-{number}"], "flags": flags})
    return json.dumps({"tool": "synthetic", "generator": {"dialect": "clap"}, "commands": commands}).encode()


def grown(versions: int) -> History:
    history = History()
    for number in range(versions):
        history.add(f"0.{number}.0", {"x86_64-unknown-linux-musl": surface(number)}, "synthetic")
    return history


def least(rounds: int, *works: Callable[[], object]) -> list[float]:
    """Milliseconds of each, taking turns."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            started = time.perf_counter()
            work()
            best[at] = min(best[at], (time.perf_counter() - started) * 1e3)
    return best


def process(folder: Path, *words: str) -> Callable[[], object]:
    return lambda: subprocess.run((sys.executable, *words), cwd=folder, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Questions to a timeline.")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print(f"{'versions':>8}{'timeline, kB':>14}{'build, s':>10}{'read, ms':>10}{'which, ms':>11}{'may_pass, ms':>14}")
    with tempfile.TemporaryDirectory(prefix="questions-") as scratch:
        for versions in (10, 100, 1000):
            started = time.perf_counter()
            content = canonical.encode(grown(versions).timeline())
            built = time.perf_counter() - started
            path = Path(scratch, f"{versions}.json")
            path.write_bytes(content)
            view = View(read_timeline(path))
            last, manners = view.versions[-1], MANNERS["clap"]
            read, asked, passed = least(
                rounds,
                lambda path=path: read_timeline(path),  # type: ignore[misc]
                lambda view=view, manners=manners: which(view, ASKED, manners),  # type: ignore[misc]
                lambda view=view, manners=manners, last=last: may_pass(view, ASKED, last, manners),  # type: ignore[misc]
            )
            print(f"{versions:>8}{len(content) / 1e3:>14.0f}{built:>10.2f}{read:>10.1f}{asked:>11.2f}{passed:>14.3f}")
        folder = Path(scratch, "cli_manifests", "box")
        folder.mkdir(parents=True)
        (folder / "RULES.json").write_bytes(Path("cli_manifests/codex/RULES.json").read_bytes())
        (folder / "timeline.json").write_bytes(Path(scratch, "100.json").read_bytes())
        nothing, *ours = least(
            rounds,
            process(Path(scratch), "-c", ""),
            process(Path(scratch), "-m", "pipeline.cli", "which", "box", "--", *ASKED),
            process(Path(scratch), "-m", "pipeline.cli", "explain", "box", "command-7", "--flag-3"),
        )
    print(
        f"\nwhole processes with 100 versions, against Python that does nothing ({nothing:.0f} ms); goal {GOAL_MS} ms"
    )
    for name, one in zip(("which", "explain"), ours, strict=True):
        print(f"{name:<8}{one:>6.0f} ms{one / nothing:>7.2f}")


if __name__ == "__main__":
    main()
