"""A suite carried out, with its published projects: pinned in ``<suite>.lock.json`` beside it, kept in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import to_builtins

from pipeline import canonical
from pipeline.acquire import sources
from pipeline.evaluation.harness import Result, evaluate, timeless
from pipeline.evaluation.scenario import Scenario, Suite, chosen, needs, read_suite
from pipeline.progress import Progress


def carry_out(
    path: Path, names: Sequence[str] = (), *, fetching: bool = False, progress: Progress | None = None
) -> list[Result]:
    """The results of the scenarios of these names, or of all, in the suite's order.

    Raises as ``read_suite`` and ``chosen`` do; where a project is not in the cache BinaryMissing, or with ``fetching``
    what ``sources.fetch`` raises.
    """
    progress = progress or Progress()
    suite = read_suite(path)
    scenarios = chosen(suite, list(names))
    archives = fetch(path, suite, scenarios, progress) if fetching else cached(path, suite, scenarios)
    folder = path.resolve().parent
    return [evaluate(suite, one, folder, archives) for one in progress.each("scenarios", scenarios)]


def report(results: Sequence[Result]) -> bytes:
    """All results without what differs from one time to the next."""
    return canonical.encode([to_builtins(timeless(one)) for one in results])


def fetch(path: Path, suite: Suite, scenarios: Sequence[Scenario], progress: Progress) -> dict[str, Path]:
    """The archives that scenarios need, by project, from the cache or the network; what is new is pinned."""
    lock = lock_of(path)
    return {
        one.id: sources.fetch(lock, one.name, one.version, progress=progress)
        for one in suite.projects
        if any(one.id in needs(scenario) for scenario in scenarios)
    }


def cached(path: Path, suite: Suite, scenarios: Sequence[Scenario]) -> dict[str, Path]:
    """The same from the cache alone. Raises BinaryMissing, which says how to get it."""
    lock = lock_of(path)
    remedy = f"run `parity evaluate --fetch {path.as_posix()}`"
    return {
        one.id: sources.cached(lock, one.name, one.version, remedy=remedy)
        for one in suite.projects
        if any(one.id in needs(scenario) for scenario in scenarios)
    }


def lock_of(suite: Path) -> Path:
    """Where the projects of a suite are pinned."""
    return suite.with_suffix(".lock.json")
