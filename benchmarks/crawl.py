"""How close a snapshot of a real binary comes to what the machine allows.

    python benchmarks/crawl.py --binary B [--agent cli_manifests/codex/agent.toml] [--rounds 9]

A crawl cannot be faster than its calls: their number, times the CPU time of one call, over the cores. Each
round measures the crawl and then its very calls one after the other, because a shared machine changes its
speed between rounds. Then the
same snapshot again, from memory: it must spawn nothing and hash nothing. Exit code 1 when it does.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from pipeline import process
from pipeline.cache import VARIABLE, cache_folder
from pipeline.contract.agent import read_agent
from pipeline.snapshot import Subject, build, default_target, snapshot_bytes, take_snapshot

STAMP = "2026-01-01T00:00:00Z"


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def call_seconds(subject: Subject, home: Path, calls: list[tuple[str, ...]]) -> tuple[float, float]:
    """CPU seconds per call of the crawl's own calls made one after the other: the child's and our side's."""
    environment = process.clean_environment(home, subject.environment)
    child, own = children_seconds(), own_seconds()
    for argv in calls:
        process.run(argv, env=environment, cwd=home, seconds=60, max_bytes=10_000_000)
    return (children_seconds() - child) / len(calls), (own_seconds() - own) / len(calls)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--agent", type=Path, default=Path("cli_manifests/codex/agent.toml"))
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    agent = read_agent(asked.agent)
    subject = Subject(
        binary=asked.binary.absolute(),
        program=agent.program,
        tool=agent.tool,
        target=default_target(asked.binary),
        help=agent.help,
        environment=agent.environment,
        limits=agent.limits,
        features=agent.features,
        oracles=agent.oracles,
        excluded_stages=("removed",),
    )
    work = cache_folder() / "benchmark"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        os.environ[VARIABLE] = folder
        home = Path(folder) / "home"
        (home / "tmp").mkdir(parents=True)
        for value in subject.environment.values():
            Path(value.replace("{home}", str(home))).mkdir(parents=True, exist_ok=True)
        crawl(subject, home, asked.rounds)
        return warm(subject)


def crawl(subject: Subject, home: Path, rounds: int) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    walls, costs, own, calls, commands = [], [], [], 0, 0
    for _ in range(rounds):
        with process.recording() as made:
            started = time.perf_counter()
            commands = len(take_snapshot(subject, collected_at=STAMP, sha256="0" * 64).commands)
            walls.append(time.perf_counter() - started)
        calls = len(made)
        child, ours = call_seconds(subject, home, list(made))
        costs.append(child)
        own.append(ours)
    bound = calls * min(costs) / cores
    paired = sorted(wall * cores / (calls * cost) for wall, cost in zip(walls, costs, strict=True))
    print(f"commands         {commands}, {calls / commands:.3f} calls each (goal 1.1)")
    print(f"calls            {calls} with {subject.limits.workers} workers on {cores} cores")
    print(f"one call         {min(costs) * 1e3:.2f} ms CPU, our side of it {min(own) * 1e3:.2f} ms")
    print(f"cold crawl       {min(walls):.3f} s (minimum of {rounds})")
    print(f"bound            {bound:.3f} s")
    middle = paired[len(paired) // 2]
    print(f"ratio            {min(walls) / bound:.3f} of minima, {middle:.3f} median of pairs (goal 1.25)")


def warm(subject: Subject) -> int:
    hashed: list[int] = []
    digest_of = build.digest_of

    def counted(binary: Path) -> str:
        hashed.append(binary.stat().st_size)
        return digest_of(binary)

    build.digest_of = counted
    started = time.perf_counter()
    first = snapshot_bytes(subject, collected_at=STAMP)
    cold = time.perf_counter() - started
    hashed.clear()
    with process.recording() as made:
        started = time.perf_counter()
        second = snapshot_bytes(subject, collected_at=STAMP)
        wall = time.perf_counter() - started
    print(f"whole snapshot   {cold:.3f} s with the digest, {len(first)} bytes")
    print(f"again            {wall * 1e3:.1f} ms, {len(made)} spawned, {sum(hashed)} bytes hashed")
    return int(bool(made or hashed or first != second))


if __name__ == "__main__":
    sys.exit(main())
