"""How long a unit was what it was: its spans, joined over the versions that say nothing of it.

A version says nothing of a unit that only other targets have than those on which it was looked at: neither that it was
there nor that it was not. So what was read on many targets now and then, and on one of them at each release in between,
still has one life.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.questions.view import View
from pipeline.surface.timeline import Span
from pipeline.surface.units import State

_Targets = frozenset[str]


class Life(NamedTuple):
    """``first`` and ``last`` are versions that were looked at, between which nothing says otherwise.

    ``after`` and ``before`` are the nearest versions outside that say otherwise; None: nothing was looked at beyond.
    ``targets`` None: all that were looked at. ``state`` None: of a value or a fact.
    """

    first: str
    last: str
    state: State | None
    targets: tuple[str, ...] | None
    after: str | None
    before: str | None


@dataclass
class _Run:
    """``having`` of the targets ``looked_at`` from ``start`` to ``end`` (places in the order of versions)."""

    start: int
    end: int
    state: State | None
    having: _Targets
    looked_at: _Targets

    def is_same_on_targets(self, other: _Run) -> bool:
        both = self.looked_at & other.looked_at
        return self.state == other.state and self.having & both == other.having & both

    def join(self, other: _Run) -> None:
        self.end = max(self.end, other.end)
        self.having |= other.having
        self.looked_at |= other.looked_at


def lives(view: View, spans: Sequence[Span]) -> tuple[Life, ...]:
    """The lives of a unit, oldest first."""
    looked_at = [frozenset(one.targets) for one in view.timeline.versions]
    runs: list[_Run] = []
    for span in spans:
        start, end = view.order[span.first], view.order[span.last]
        seen = frozenset[str]().union(*looked_at[start : end + 1])
        run = _Run(start, end, span.state, frozenset(span.targets) if span.targets else seen, seen)
        for one in reversed(runs):
            silent = all(targets.isdisjoint(one.having) for targets in looked_at[one.end + 1 : start])
            if silent and one.is_same_on_targets(run):
                one.join(run)
                break
        else:
            runs.append(run)
    return tuple(_life(view, runs, at, looked_at) for at in range(len(runs)))


def unbroken(view: View, spans: Sequence[Span], until: str | None = None) -> Life | None:
    """The last stretch in which a unit was there, whatever its state and targets; None for one that never was.

    Its ``before`` is None if it is there still. With ``until``, what came later than this version does not count.
    """
    stretch: Life | None = None
    for life in sorted(lives(view, spans), key=lambda life: view.order[life.first]):
        if until and view.order[life.first] > view.order[until]:
            break
        if stretch is None or (stretch.before and view.order[life.first] > view.order[stretch.before]):
            stretch = life
        elif view.order[life.last] >= view.order[stretch.last]:
            stretch = life._replace(first=stretch.first, after=stretch.after)
    return stretch


def _life(view: View, runs: Sequence[_Run], at: int, looked_at: Sequence[_Targets]) -> Life:
    run, versions = runs[at], view.versions
    earlier = [one for one in runs[:at] if one.state == run.state and one.end < run.start]
    later = [one for one in runs[at + 1 :] if one.state == run.state and one.start > run.end]
    before, after = _other(run, earlier[-1:]), _other(run, later[:1])
    return Life(
        versions[run.start],
        versions[run.end],
        run.state,
        tuple(sorted(run.having, key=_targets(view).index)) if run.having != run.looked_at else None,
        next((versions[place] for place in range(run.start - 1, -1, -1) if looked_at[place] & before), None),
        next((versions[place] for place in range(run.end + 1, len(versions)) if looked_at[place] & after), None),
    )


def _other(run: _Run, beside: Sequence[_Run]) -> _Targets:
    """The targets of which a version speaks that says otherwise than this run."""
    for one in beside:
        if differing := one.having ^ run.having:
            return differing
    return run.having


def _targets(view: View) -> list[str]:
    return list(dict.fromkeys(target for one in view.timeline.versions for target in one.targets))
