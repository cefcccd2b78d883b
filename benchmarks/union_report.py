"""Union and report of a synthetic CLI against what orjson alone needs for the same files.

The reference parses every input file's bytes with ``orjson.loads`` (reading them is not counted), encodes
every output document with ``orjson.dumps`` and writes those bytes as durably as the stage does
(``canonical.write``). Stage and reference take turns, each time in a process of its own, as a stage runs in a
build; ratios are of the minima over the rounds. "gc off" is the ratio to a reference that has switched the
garbage collector off. Prints a table, never fails.

    python benchmarks/union_report.py [--commands 2000 20000] [--rounds 5] [--plain] [--distinct] [--bare]
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import orjson
import synthetic

from pipeline import canonical
from pipeline.contract.rules import read_rules
from pipeline.layout import Root
from pipeline.report.stage import write_reports
from pipeline.union.build import write_union

GOALS = {"union": 1.2, "report": 1.5}
GROWTH_GOAL = 10.5
TINY = 20


@dataclass
class Stage:
    """One stage on one folder: how to run it, and the files that go in and come out."""

    run: Callable[[], object]
    inputs: Sequence[Path]
    outputs: Sequence[Path]


def stage_of(name: str, folder: Path) -> Stage:
    root = Root(folder)
    union = root.union(synthetic.VERSION)
    if name == "union":
        rules = read_rules(root.rules)
        return Stage(
            lambda: write_union(root, synthetic.VERSION, rules, collected_at=synthetic.EPOCH),
            [root.snapshot(synthetic.VERSION, target) for target in synthetic.TARGETS],
            [union],
        )
    modes = ("any", *synthetic.TARGETS, "all")
    return Stage(
        lambda: write_reports(root, synthetic.VERSION, generated_at=synthetic.EPOCH, program="demo"),
        [union, root.wrapper_coverage, root.rules],
        [root.report(synthetic.VERSION, mode, suffix) for mode in modes for suffix in (".json", ".md")],
    )


def seconds_of_stage(name: str, folder: Path, tiny: Path) -> float:
    """Runs on a tiny folder first: what a process does once (compiling types, say) is not the question."""
    stage_of(name, tiny).run()
    stage = stage_of(name, folder)
    for path in stage.outputs:
        path.unlink(missing_ok=True)  # an unchanged file would not be written at all
    started = time.perf_counter()
    stage.run()
    return time.perf_counter() - started


def seconds_of_reference(name: str, folder: Path, scratch: Path, collector: bool) -> float:
    """One file at a time, so that the reference never holds more than it must."""
    if not collector:
        gc.disable()
    stage = stage_of(name, folder)
    total = 0.0
    for path in stage.inputs:
        raw = path.read_bytes()
        started = time.perf_counter()
        orjson.loads(raw)
        total += time.perf_counter() - started
    for path in stage.outputs:
        raw = path.read_bytes()
        # Markdown is no JSON: writing it is all that anybody must do for it.
        document = orjson.loads(raw) if path.suffix == ".json" else None
        started = time.perf_counter()
        content = raw if document is None else orjson.dumps(document, option=orjson.OPT_INDENT_2)
        canonical.write(scratch / path.name, content)
        total += time.perf_counter() - started
        (scratch / path.name).unlink()
    return total


@dataclass
class Result:
    """Minima over the rounds in seconds: the stage, the reference, the reference without a collector."""

    stage: str
    commands: int
    megabytes: tuple[float, float]
    ours: float
    reference: float
    reference_without_collector: float


def measure(asked: argparse.Namespace) -> list[Result]:
    """All sizes take turns within a round: the machine is shared, and its slow minutes must not hit only one."""
    with (
        tempfile.TemporaryDirectory(prefix="union-report-", dir=asked.folder) as temporary,
        ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool,
    ):
        folder = Path(temporary)
        for commands in (TINY, *asked.commands):
            root = synthetic.make(
                folder / str(commands),
                commands,
                provenance=not asked.plain,
                distinct=asked.distinct,
                wrapped=not asked.bare,
            )
            for name in GOALS:
                stage_of(name, root.path).run()
        cases: dict[tuple[str, int], list[tuple[float, float, float]]] = {
            (name, commands): [] for commands in asked.commands for name in GOALS
        }
        for _ in range(asked.rounds):
            for (name, commands), times in cases.items():
                place = folder / str(commands)
                calls = (
                    pool.submit(seconds_of_stage, name, place, folder / str(TINY)),
                    pool.submit(seconds_of_reference, name, place, folder / "scratch", collector=True),
                    pool.submit(seconds_of_reference, name, place, folder / "scratch", collector=False),
                )
                ours, reference, without_collector = (call.result() for call in calls)
                times.append((ours, reference, without_collector))
        found = []
        for (name, commands), times in cases.items():
            stage = stage_of(name, folder / str(commands))
            sizes = megabytes(stage.inputs), megabytes(stage.outputs)
            found.append(Result(name, commands, sizes, *map(min, zip(*times, strict=True))))
        return found


def megabytes(paths: Sequence[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / 1e6


def print_table(results: Sequence[Result], asked: argparse.Namespace) -> None:
    variant = ", ".join(word for word in ("plain", "distinct", "bare") if getattr(asked, word)) or "default"
    print(f"{variant}: minimum of {asked.rounds} rounds, seconds")
    print("stage    commands   MB in  MB out     ours   orjson  ratio  goal  gc off")
    for one in results:
        print(
            f"{one.stage:<8}{one.commands:>9,}{one.megabytes[0]:>8.1f}{one.megabytes[1]:>8.1f}{one.ours:>9.3f}"
            f"{one.reference:>9.3f}{one.ours / one.reference:>7.2f}{GOALS[one.stage]:>6}"
            f"{one.ours / one.reference_without_collector:>8.2f}"
        )
    for stage in GOALS:
        small, *_, big = sorted((one for one in results if one.stage == stage), key=lambda one: one.commands) * 2
        if small.commands < big.commands:
            growth = big.ours / small.ours * 10 * small.commands / big.commands
            print(f"ten times the commands cost {growth:.1f} times as much in {stage}, goal {GROWTH_GOAL}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Union and report against orjson alone.")
    parser.add_argument("--commands", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    parser.add_argument("--plain", action="store_true", help="snapshots without provenance")
    parser.add_argument("--distinct", action="store_true", help="worst case: another text on every target")
    parser.add_argument("--bare", action="store_true", help="a wrapper that covers nothing")
    asked = parser.parse_args()
    print_table(measure(asked), asked)


if __name__ == "__main__":
    main()
