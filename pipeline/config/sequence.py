"""The phases in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.config.phase_emit import run_emit
from pipeline.config.phase_harden import run_harden
from pipeline.config.phase_inventory import run_inventory
from pipeline.config.phase_plan import run_plan
from pipeline.config.phase_verify import run_verify
from pipeline.config.phases import Done, Job

_RUNS: dict[str, Callable[[Job], Done]] = {
    "P0": run_inventory,
    "P1": run_plan,
    "P2": run_emit,
    "P3": run_verify,
    "P4": run_harden,
}


def run_phase(job: Job, phase: str) -> Done:
    """One phase. Raises GateFailed at its entry."""
    return _RUNS[phase](job)


def run_all(job: Job) -> Iterator[Done]:
    """All phases, until one does not pass."""
    for run in _RUNS.values():
        done = run(job)
        yield done
        if not done.record.passed:
            return
