"""What each wrapper does with an agent: its claims, its standing over versions, its work queue, its left-over flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.rules import Rules
from pipeline.errors import UsageError
from pipeline.history.sightings import Track, Unit
from pipeline.layout import in_order
from pipeline.pages.standing import COVERED, MISSING, Standing, standing
from pipeline.questions.asked import OWN, Asked
from pipeline.questions.queue import Item, Queue
from pipeline.report.elsewhere import in_words
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag


class _Flags(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    flags: tuple[str, ...]


class _Numbers(msgspec.Struct, frozen=True):
    left_over_flags: int
    visible_flags: int


class LeftOver(msgspec.Struct, frozen=True):
    """Of the commands that a foreign wrapper calls: the shown flags that it does not cover (its ``summary.json``)."""

    upstream_version: str
    numbers: _Numbers
    left_over_is: str
    left_over: tuple[_Flags, ...]


class Elsewhere(NamedTuple):
    """A unit that only the wrapper has, and what other versions and targets say of it."""

    unit: Unit
    said: str


@dataclass(frozen=True)
class Wrapper:
    """``label`` is its name for people; ``queue`` is None where no report was made.

    ``elsewhere`` are the claims that the queue's version does not answer to.
    """

    name: str
    label: str
    own: bool
    standing: Standing
    queue: Queue | None
    elsewhere: Sequence[Elsewhere]
    left_over: LeftOver | None
    claims: Mapping[Unit, Sequence[Json]]

    def covered(self, version: str) -> int:
        return self.standing.tallies[version][COVERED]

    def counted(self, version: str) -> int:
        """The units that a wrapper could cover: shown, not excluded and not waived."""
        tally = self.standing.tallies[version]
        return tally[COVERED] + tally[MISSING] + tally["unsupported"] + tally["passed through"]

    @property
    def missing_flags(self) -> list[Item]:
        return [item for item in self.queue.items if item.unit.startswith("-")] if self.queue else []


def wrappers(
    agent: Asked, rules: Rules, looked_at: Mapping[str, tuple[str, ...]], tracks: Mapping[Unit, Track], at: str
) -> Iterator[Wrapper]:
    """Every wrapper that is compared with the agent, the project's own first.

    Of the version ``at`` each unit is told apart.
    """
    for name, coverage in agent.coverages():
        own = name == OWN
        summary = None if own else agent.root.wrapper(name).summary
        raw = canonical.read_bytes(summary) if summary and summary.exists() else None
        reports = _reports(agent, name)
        yield Wrapper(
            name=name,
            label="our own wrapper" if own else name,
            own=own,
            standing=standing(looked_at, tracks, coverage, rules, at),
            queue=_queue(agent, reports),
            elsewhere=tuple(_elsewhere(list(reports.values())[-1])) if reports else (),
            left_over=canonical.decode(raw, LeftOver, summary) if raw else None,
            claims=_by_unit(coverage),
        )


def _reports(agent: Asked, wrapper: str) -> Mapping[str, Path]:
    """The reports on versions that the timeline knows, oldest first."""
    try:
        reports = agent.reports(wrapper)
    except UsageError:
        return {}
    return {version: reports[version] for version in in_order(set(reports) & set(agent.view.versions))}


def _queue(agent: Asked, reports: Mapping[str, Path]) -> Queue | None:
    """The queue of the newest version that is reported on, compared with the report before it."""
    if not reports:
        return None
    *earlier, newest = reports
    return agent.queue_of(reports, newest, earlier[-1] if earlier else None)


def _elsewhere(report: Path) -> Iterator[Elsewhere]:
    lists = canonical.read_json(report)["deltas"]
    for kind in ("commands", "flags", "args"):
        for entry in lists.get(f"wrapper_only_{kind}", ()):
            unit = Unit(tuple(entry["path"]), entry.get("key") or entry.get("name") or "")
            yield Elsewhere(unit, in_words(entry).strip(" ()"))


def _by_unit(coverage: Sequence[CoveredCommand]) -> Mapping[Unit, Sequence[Json]]:
    """A unit has several claims where each of them holds on some targets only."""
    found: dict[Unit, list[Json]] = {}
    for unit, claim in _claims(coverage):
        found.setdefault(unit, []).append(claim)
    return found


def _claims(coverage: Sequence[CoveredCommand]) -> Iterator[tuple[Unit, Json]]:
    for command in coverage:
        unit = Unit(tuple(command.path))
        yield unit, _claim(command)
        yield from ((unit._replace(name=flag.key), _claim(flag)) for flag in command.flags or ())
        yield from ((unit._replace(name=arg.name), _claim(arg)) for arg in command.args or ())


def _claim(entry: CoveredCommand | CoveredFlag | CoveredArg) -> Json:
    """``at`` are places in the wrapper's source, ``by`` the traced calls that emit the unit."""
    evidence = entry.evidence or ()
    scope = entry.scope and (*(entry.scope.platforms or ()), *(entry.scope.target_triples or ()))
    said = {
        "level": str(entry.level),
        "note": entry.note,
        "only": scope,
        "at": [f"{one.file}:{one.line}" for one in evidence if one.file],
        "by": [one.call for one in evidence if one.call],
    }
    return {key: value for key, value in said.items() if value}
