"""Two rewards: the share of checks passed, and the rank in a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.errors import UsageError
from pipeline.evaluation.harness import Result

# A rank tells nothing of one alone.
_FEWEST = 2


class Member(NamedTuple):
    """One of a cohort. Where ``seconds`` are left out, of all of them, the order depends on no clock."""

    id: str
    share: float
    seconds: float = 0.0


def part(passed: int, total: int) -> float:
    """The share of checks that passed, with four decimals; 1.0 where there are none."""
    return round(passed / total, 4) if total else 1.0


def share(result: Result) -> float:
    """Goals and assertions of a scenario that passed, of all."""
    checks = [*(goal.status == "passed" for goal in result.goals), *(one.passed for one in result.assertions)]
    return part(sum(checks), len(checks))


def member(result: Result) -> Member:
    """A scenario as one of a cohort, with the time that its goals took."""
    return Member(result.id, share(result), sum(goal.duration_seconds for goal in result.goals))


def ranks(cohort: Sequence[Member]) -> dict[str, float]:
    """Member → 1.0 for the best to 0.0 for the last: by share, then by seconds, then by id.

    Raises UsageError for fewer than two.
    """
    if len(cohort) < _FEWEST:
        raise UsageError("a cohort has two members at least", remedy="name more of them")
    ordered = sorted(cohort, key=lambda one: (-one.share, one.seconds, one.id))
    last = len(ordered) - 1
    return {one.id: round((last - at) / last, 4) for at, one in enumerate(ordered)}
