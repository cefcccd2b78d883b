"""evaluate:<suite> and fetch-projects:<suite> (uses the network): the learning library on published projects.

Never default, and nothing depends on them: a report rests on projects that are in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from tasks.step import Step, asked_for

_FOLDER = Path("evaluations")


def task_fetch_projects() -> Iterator[dict[str, Any]]:
    """Fetch the published projects of a suite into the cache (uses the network)"""
    for suite in _suites():
        yield asked_for(
            "fetch-projects", suite.stem, f"fetch the projects of {suite.as_posix()}", partial(_fetch, suite)
        )


def task_evaluate() -> Iterator[dict[str, Any]]:
    """Carry a suite's scenarios out on fetched projects, and write the report"""
    for suite in _suites():
        report = suite.with_suffix(".report.json")
        lock = suite.with_suffix(".lock.json")
        yield Step(
            stage="evaluate",
            name=suite.stem,
            doc=f"the report of {suite.as_posix()}",
            inputs=(suite, *([lock] if lock.exists() else [])),
            outputs=(report,),
            rooms=("acquire", "declared", "evaluation", "patterns", "process"),
            detached=True,
            call=partial(_evaluate, suite, report),
        ).task()


def _suites() -> list[Path]:
    return sorted(_FOLDER.glob("*.toml"))


def _fetch(suite: Path) -> None:
    from pipeline.evaluation.projects import fetch
    from pipeline.evaluation.scenario import read_suite
    from pipeline.progress import Progress

    read = read_suite(suite)
    fetch(suite, read, read.scenarios, Progress())


def _evaluate(suite: Path, path: Path) -> TaskFailed | None:
    from pipeline import canonical
    from pipeline.evaluation.projects import carry_out, report

    results = carry_out(suite)
    canonical.write(path, report(results))
    failed = [one.id for one in results if not one.passed]
    return TaskFailed(f"these scenarios failed: {', '.join(failed)}; {path} says where") if failed else None


# doit names a creator's group after the function; the stage's word has a hyphen.
task_fetch_projects.basename = "fetch-projects"  # type: ignore[attr-defined]
