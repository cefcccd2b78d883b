"""Runs: listing and summing up a thousand of them, and two readers beside a runner that writes for a while.

python -m benchmarks.runs [--runs 1000] [--seconds 60]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from pipeline import canonical
from pipeline.runs import begin, metrics, queue
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import RunFolder
from pipeline.runs.poll import poll

_ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run(["git", "init", "-q"], cwd=place, check=True)
        one = _finished(place, "true", "false")
        _copies(one, arguments.runs)
        for words in (("list",), ("summarize", "--task", "bench")):
            print(f"{' '.join(words)} of {arguments.runs} runs: {_best(place, words):.2f} s")
        _readers(place, arguments.seconds)


def _finished(place: Path, *lines: str) -> RunFolder:
    commands = queue.commands(queue.typed(lines), place)
    folder = begin.start(place, commands, begin.Wish(task="bench")).folder
    while not poll(folder).over:
        time.sleep(0.05)
    return folder


def _copies(one: RunFolder, number: int) -> None:
    """As many runs in all, each with its line."""
    manifest = shapes.read(one.manifest)
    lines = []
    for each in range(number - 1):
        folder = RunFolder(one.path.with_name(f"20200101T000000Z-{each:08x}"))
        (folder.path / "commands").mkdir(parents=True)
        copied = msgspec.structs.replace(manifest, run_id=folder.run_id)
        folder.manifest.write_bytes(shapes.encode(copied))
        folder.log.write_bytes(one.log.read_bytes())
        lines += metrics.lines_of(folder, copied)
    metrics.record(one.task_folder, lines)


def _best(place: Path, words: tuple[str, ...]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        argv = [sys.executable, "-P", "-m", "pipeline.cli", "runs", *words]
        subprocess.run(argv, cwd=place, check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - began)
    return best


def _readers(place: Path, seconds: float) -> None:
    """Two readers who look all the time at runs that follow each other."""
    looks, over = [0, 0], threading.Event()
    current: list[RunFolder] = []

    def look(number: int) -> None:
        while not over.is_set():
            for folder in current[-1:]:
                poll(folder)
                canonical.loads(folder.manifest.read_bytes(), folder.manifest)
                looks[number] += 1

    readers = [threading.Thread(target=look, args=(number,)) for number in range(2)]
    for reader in readers:
        reader.start()
    end, runs = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        commands = queue.commands(queue.typed(["true"] * 50), place)
        current.append(begin.start(place, commands, begin.Wish(task="readers")).folder)
        while not poll(current[-1]).over:
            time.sleep(0.05)
        runs += 1
    over.set()
    for reader in readers:
        reader.join()
    print(f"{sum(looks)} looks of two readers at {runs} runs in {seconds:g} s: each was whole")


if __name__ == "__main__":
    main()
