"""The one resolver of coverage levels: what does the wrapper say of this unit, on these targets?

Sets of targets are bit masks over the expected targets (``TargetSet``). A *claim* is one entry of the
wrapper coverage with the targets on which it holds. A command that is intentionally unsupported waives its
whole subtree: a unit that has no claim of its own takes the nearest waiver among its ancestors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from pipeline.contract.rules import Rules
from pipeline.errors import LevelsMixed, NoteMissing, ScopeMismatch
from pipeline.report.upstream import Kind, Unit
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level, Scope
from pipeline.surface.units import Path


class TargetSet:
    """Masks for sets of targets; bit 0 is the first expected target."""

    def __init__(self, rules: Rules, others: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys((*rules.targets, *others)))
        self._bit = {name: 1 << index for index, name in enumerate(self.names)}
        self._masks: dict[tuple[str, ...], int] = {}
        self.expected = self.mask(rules.targets)
        self._platforms: dict[str, int] = {}
        for target, platform in rules.union.platform_mapping.items():
            self._platforms[platform] = self._platforms.get(platform, 0) | self._bit.get(target, 0)

    def mask(self, targets: tuple[str, ...]) -> int:
        """The set of the named targets; names that nobody expects count for nothing."""
        found = self._masks.get(targets)
        if found is None:
            found = 0
            for target in targets:
                found |= self._bit.get(target, 0)
            self._masks[targets] = found
        return found

    def scope(self, scope: Scope | None) -> int:
        """Where a claim holds: everywhere expected without a scope, else all that the scope names."""
        if scope is None:
            return self.expected
        found = self.mask(scope.target_triples or ())
        for platform in scope.platforms or ():
            found |= self._platforms.get(platform, 0)
        return found & self.expected

    def list(self, mask: int) -> tuple[str, ...]:
        return tuple(name for name, bit in self._bit.items() if mask & bit)


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


NOTHING = Standing(None, None)
UNCLAIMED = Claims()
NO_WAIVERS: tuple[Claims, ...] = ()


class Resolver:
    """Answers for one wrapper coverage. Entries keep the order in which the file lists them."""

    def __init__(self, coverage: Sequence[CoveredCommand], targets: TargetSet) -> None:
        self.targets = targets
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
        targets = within if entry.scope is None else self.targets.scope(entry.scope) & within
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

    def standing(self, unit: Unit, claims: Claims, waivers: Sequence[Claims], relevant: int, present: int) -> Standing:
        """Resolve a unit; ``relevant`` are the targets asked about, ``present`` those where the unit is.

        Raises LevelsMixed if the claims do not agree on the relevant targets, ScopeMismatch if a waiver
        covers the unit on some of its targets only, NoteMissing if a waiver gives no reason.
        """
        found = resolve(claims, relevant, unit)
        if found.level is None:
            found = self._inherited(unit, waivers, relevant, present)
        if found.level == Level.INTENTIONALLY_UNSUPPORTED and not found.note:
            raise NoteMissing(
                f"{unit} is intentionally unsupported without a note",
                where="wrapper coverage",
                remedy="say in a note why it is left out",
            )
        return found

    def _inherited(self, unit: Unit, waivers: Sequence[Claims], relevant: int, present: int) -> Standing:
        for claims in waivers:
            waiver = resolve(claims, relevant, unit)
            if waiver.level != Level.INTENTIONALLY_UNSUPPORTED:
                continue
            covered = claims.reach & present
            if covered == present:
                return waiver
            if covered:
                some, rest = self.targets.list(covered), self.targets.list(present & ~covered)
                raise ScopeMismatch(
                    f"a waiver above {unit} covers it on {', '.join(some)} but not on {', '.join(rest)}",
                    where="wrapper coverage",
                    remedy="widen the waiver's scope, or declare the unit on its own",
                )
        return NOTHING


def resolve(claims: Claims, relevant: int, unit: object) -> Standing:
    """The level that the claims agree on for the relevant targets, with the first note that says something."""
    held = [claim for claim in claims if claim.targets & relevant]
    if not held:
        return NOTHING
    levels = {claim.level for claim in held}
    if len(levels) > 1:
        raise LevelsMixed(
            f"{unit} has several levels for the same question: {', '.join(sorted(levels))}",
            where="wrapper coverage",
            remedy="give each target one level; reports over several targets need the same level on all of them",
        )
    return Standing(levels.pop(), next((claim.note for claim in held if claim.note), None))
