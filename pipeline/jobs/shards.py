"""Work for CI, split into jobs: cells (one snapshot each) -> balanced shards, never more than a provider runs at once.

A cell belongs to one runner, and so does a shard. Costs are in pages of help: what takes a snapshot's time is the
number of pages, and fetching a binary takes about as long as ``FETCH`` of them. The same cells give the same shards,
in whatever order they come. Refuses more runners than jobs, and a number of jobs that no provider has.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import UsageError

# What GitHub takes in one matrix.
LIMIT = 256
FETCH = 40
# The pages of a CLI of which no version was read yet.
UNKNOWN = 60


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """One snapshot to take: the task's name without its stage (``agent:version:target``)."""

    name: str
    runner: str
    cost: int = FETCH + UNKNOWN


@dataclass(frozen=True, slots=True)
class Shard:
    """What one job does, one cell after the other."""

    runner: str
    cells: tuple[Cell, ...]

    @property
    def cost(self) -> int:
        return sum(cell.cost for cell in self.cells)


def shards(cells: Iterable[Cell], jobs: int = LIMIT) -> list[Shard]:
    """At most ``jobs`` shards that hold every cell once, the dearest first among equals of a runner.

    A cell for each job as long as there are no more cells than jobs. Raises UsageError.
    """
    if not 1 <= jobs <= LIMIT:
        raise UsageError(f"{jobs} jobs are no matrix", remedy=f"ask for 1 to {LIMIT} shards")
    by_runner: dict[str, list[Cell]] = {}
    for cell in sorted(set(cells)):
        by_runner.setdefault(cell.runner, []).append(cell)
    if len(by_runner) > jobs:
        raise UsageError(
            f"{len(by_runner)} runners cannot share {jobs} jobs", remedy=f"ask for {len(by_runner)} shards or more"
        )
    numbers = _jobs_of(by_runner, jobs)
    return [shard for runner, own in sorted(by_runner.items()) for shard in _balanced(runner, own, numbers[runner])]


def _jobs_of(by_runner: Mapping[str, Sequence[Cell]], jobs: int) -> dict[str, int]:
    """How many jobs each runner gets: one more always goes where a job has most to do."""
    numbers = dict.fromkeys(by_runner, 1)
    load = {runner: sum(cell.cost for cell in own) for runner, own in by_runner.items()}
    waiting = [(-float(load[runner]), runner) for runner, own in sorted(by_runner.items()) if len(own) > 1]
    heapq.heapify(waiting)
    for _ in range(jobs - len(numbers)):
        if not waiting:
            break
        _, runner = heapq.heappop(waiting)
        numbers[runner] += 1
        if numbers[runner] < len(by_runner[runner]):
            heapq.heappush(waiting, (-load[runner] / numbers[runner], runner))
    return numbers


def _balanced(runner: str, cells: Sequence[Cell], jobs: int) -> list[Shard]:
    """The dearest cell that is left goes to the job that has least to do: at most a third above the best there is."""
    loads: list[tuple[int, int]] = [(0, job) for job in range(jobs)]
    held: list[list[Cell]] = [[] for _ in range(jobs)]
    for cell in sorted(cells, key=lambda cell: (-cell.cost, cell.name)):
        load, job = heapq.heappop(loads)
        held[job].append(cell)
        heapq.heappush(loads, (load + cell.cost, job))
    return [Shard(runner, tuple(sorted(own))) for own in held]
