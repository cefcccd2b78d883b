"""The one resolver of coverage levels: what does the wrapper say of this unit, on these targets?

Sets of targets are bit masks over the expected targets (``TargetSet``). A *claim* is one entry of the
wrapper coverage with the targets on which it holds. A command that is intentionally unsupported waives its
whole subtree: a unit that has no claim of its own takes the nearest waiver among its ancestors.

Where the levels of a unit differ by target, each target gets its own (``Part``). Two levels on one target are
a contradiction, and an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from pipeline.contract.targets import TargetSet
from pipeline.errors import LevelsMixed, NoteMissing
from pipeline.report.upstream import Kind, Unit
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level
from pipeline.surface.units import Path


class Claim(NamedTuple):
    targets: int
    level: str
    note: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """All claims on one unit, with all targets on which any of them holds.

    Units with equal claims share one object, so that the object can stand for them in keys.
    """

    all: tuple[Claim, ...] = ()
    reach: int = 0

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.all)


class Standing(NamedTuple):
    """What holds for a unit: a level and a note; level None means that the wrapper says nothing."""

    level: str | None
    note: str | None


class Part(NamedTuple):
    """What holds for a unit on some of the targets asked about."""

    targets: int
    standing: Standing


NOTHING = Standing(None, None)
UNCLAIMED = Claims()
NO_WAIVERS: tuple[Claims, ...] = ()


class Resolver:
    """Answers for one wrapper coverage. Entries keep the order in which the file lists them.

    ``exact``: a claim says nothing of targets that it does not name. The earlier tool takes a claim that
    holds on one target for an answer on all of them, which its files need to come out as they are.
    """

    def __init__(self, coverage: Sequence[CoveredCommand], targets: TargetSet, *, exact: bool) -> None:
        self._exact = exact
        self._targets = targets
        self._shared: dict[tuple[Claim, ...], Claims] = {}
        self._claims: dict[Path, dict[tuple[Kind, str], Claims]] = {}
        for command in coverage:
            everywhere = targets.scope(command.scope)
            here = self._claims.setdefault(command.path, {})
            self._add(here, ("command", ""), command, everywhere)
            for flag in command.flags or ():
                self._add(here, ("flag", flag.key), flag, everywhere)
            for arg in command.args or ():
                self._add(here, ("arg", arg.name), arg, everywhere)
        self._waived = {
            path: claims
            for path, here in self._claims.items()
            if (claims := here.get(("command", "")))
            and any(claim.level == Level.INTENTIONALLY_UNSUPPORTED for claim in claims)
        }

    def _add(
        self,
        here: dict[tuple[Kind, str], Claims],
        unit: tuple[Kind, str],
        entry: CoveredCommand | CoveredFlag | CoveredArg,
        within: int,
    ) -> None:
        targets = within if entry.scope is None else self._targets.scope(entry.scope) & within
        claims: tuple[Claim, ...] = (Claim(targets, entry.level, (entry.note or "").strip() or None),)
        if earlier := here.get(unit):
            claims = (*earlier.all, *claims)
        shared = self._shared.get(claims)
        if shared is None:
            shared = self._shared[claims] = Claims(claims, reduce(or_, (claim.targets for claim in claims)))
        here[unit] = shared

    def units(self) -> Iterator[tuple[Kind, Path, str, Claims]]:
        """Every unit that the wrapper claims, by path and then by key or name."""
        for path, here in sorted(self._claims.items()):
            for (kind, key), claims in sorted(here.items(), key=lambda item: item[0][1]):
                yield kind, path, key, claims

    def claims(self, unit: Unit) -> Claims:
        here = self._claims.get(unit.path)
        return UNCLAIMED if here is None else here.get((unit.kind, unit.key), UNCLAIMED)

    def waivers(self, path: Path) -> tuple[Claims, ...]:
        """The claims of the waived commands above (and at) a path, nearest first."""
        if not self._waived:
            return NO_WAIVERS
        above = (path[:depth] for depth in range(len(path), -1, -1))
        return tuple(self._waived[one] for one in above if one in self._waived)

    def parts(
        self, unit: Unit, claims: Claims, waivers: Sequence[Claims], relevant: int, present: int
    ) -> Sequence[Part]:
        """Resolve a unit; ``relevant`` are the targets asked about, ``present`` those where the unit is.

        One part, unless the targets differ; then each target is in one part, in expected order. Raises
        LevelsMixed if claims contradict each other on one target, NoteMissing if a waiver gives no reason.
        """
        found: list[Part] = []
        for claimed in self.resolve(claims, relevant, present, unit):
            found += [claimed] if claimed.standing.level else self._inherited(unit, waivers, claimed.targets)
        for _, (level, note) in found:
            if level == Level.INTENTIONALLY_UNSUPPORTED and not note:
                raise NoteMissing(
                    f"{unit} is intentionally unsupported without a note",
                    where="wrapper coverage",
                    remedy="say in a note why it is left out",
                )
        return found

    def _inherited(self, unit: Unit, waivers: Sequence[Claims], targets: int) -> Iterator[Part]:
        """What the waivers above a unit say of it, nearest first; what none of them covers has no level."""
        left = targets
        for claims in waivers:
            if not left & claims.reach:
                continue
            for covered, waiver in self.resolve(claims, left, left & claims.reach, unit):
                if waiver.level == Level.INTENTIONALLY_UNSUPPORTED:
                    yield Part(covered, waiver)
                    left &= ~covered
        if left:
            yield Part(left, NOTHING)

    def resolve(self, claims: Claims, relevant: int, present: int, unit: object) -> Sequence[Part]:
        """The level that the claims agree on for the relevant targets, with the first note that says something.

        Where they do not agree, what each of the targets that are ``present`` is told.
        """
        held = [claim for claim in claims if claim.targets & relevant]
        if not held:
            return (Part(present, NOTHING),)
        agreed = len({claim.level for claim in held}) == 1
        if agreed and not (self._exact and present & ~claims.reach):
            return (Part(present, Standing(held[0].level, next((claim.note for claim in held if claim.note), None))),)
        if not agreed and not relevant & (relevant - 1):
            raise LevelsMixed(
                f"{unit} has several levels on one target: {', '.join(sorted({claim.level for claim in held}))}",
                where="wrapper coverage",
                remedy="give each target one level: narrow the scopes until no two of them hold on the same target",
            )
        by_standing: dict[Standing, int] = {}
        for bit in _bits(present):
            for targets, standing in self.resolve(claims, bit, bit, unit):
                by_standing[standing] = by_standing.get(standing, 0) | targets
        return [Part(targets, standing) for standing, targets in by_standing.items()]


def _bits(mask: int) -> Iterator[int]:
    """Each target of a set on its own, in expected order."""
    while mask:
        yield mask & -mask
        mask &= mask - 1
