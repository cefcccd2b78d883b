"""Two rewards: the share of goals passed, and the rank in a cohort."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import UsageError
from pipeline.evaluation.harness import Result

# A rank tells nothing of one alone.
_FEWEST = 2


def share(result: Result) -> float:
    """Goals and assertions that passed, of all; 1.0 where there are none."""
    checks = [*(goal.status == "passed" for goal in result.goals), *(one.passed for one in result.assertions)]
    return round(sum(checks) / len(checks), 4) if checks else 1.0


def ranks(cohort: Sequence[Result]) -> dict[str, float]:
    """Scenario → 1.0 for the best to 0.0 for the last: by share, then by goals' durations, then by id.

    Raises UsageError for fewer than two.
    """
    if len(cohort) < _FEWEST:
        raise UsageError("a cohort has two members at least", remedy="name more scenarios")
    ordered = sorted(cohort, key=lambda one: (-share(one), sum(goal.duration_seconds for goal in one.goals), one.id))
    last = len(ordered) - 1
    return {one.id: round((last - at) / last, 4) for at, one in enumerate(ordered)}
