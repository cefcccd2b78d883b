"""The one resolver of coverage levels: what does the wrapper say of this unit, on these targets?

Sets of targets are bit masks over the expected targets (``TargetSet``). A *claim* is one entry of the
wrapper coverage with the targets on which it holds. A command that is intentionally unsupported waives its
whole subtree: a unit that has no claim of its own takes the nearest waiver among its ancestors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.contract.rules import Rules
from pipeline.errors import LevelsMixed, NoteMissing, ScopeMismatch
from pipeline.report.upstream import Kind, Unit
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level, Scope


class TargetSet:
    """Masks for sets of targets; bit 0 is the first expected target."""

    def __init__(self, rules: Rules, others: Iterable[str] = ()) -> None:
        self.names = tuple(dict.fromkeys((*rules.targets, *others)))
        self._bit = {name: 1 << index for index, name in enumerate(self.names)}
        self.expected = self.mask(rules.targets)
        self._platforms: dict[str, int] = {}
        for target, platform in rules.union.platform_mapping.items():
            self._platforms[platform] = self._platforms.get(platform, 0) | self._bit.get(target, 0)

    def mask(self, targets: Iterable[str]) -> int:
        """The set of the named targets; names that nobody expects count for nothing."""
        found = 0
        for target in targets:
            found |= self._bit.get(target, 0)
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


class Standing(NamedTuple):
    """What holds for a unit: a level and a note; level None means that the wrapper says nothing."""

    level: str | None
    note: str | None


NOTHING = Standing(None, None)
_IDENTITY = tuple[Kind, tuple[str, ...], str]


class Resolver:
    """Answers for one wrapper coverage. Entries keep the order in which the file lists them."""

    def __init__(self, coverage: Sequence[CoveredCommand], targets: TargetSet) -> None:
        self.targets = targets
        self._claims: dict[_IDENTITY, tuple[Claim, ...]] = {}
        for command in coverage:
            everywhere = targets.scope(command.scope)
            self._add(("command", command.path, ""), command, everywhere)
            for flag in command.flags or ():
                self._add(("flag", command.path, flag.key), flag, everywhere)
            for arg in command.args or ():
                self._add(("arg", command.path, arg.name), arg, everywhere)
        self._waivers = {
            path: claims
            for (kind, path, _), claims in self._claims.items()
            if kind == "command" and any(claim.level == Level.INTENTIONALLY_UNSUPPORTED for claim in claims)
        }

    def _add(self, identity: _IDENTITY, entry: CoveredCommand | CoveredFlag | CoveredArg, within: int) -> None:
        claim = Claim(self.targets.scope(entry.scope) & within, entry.level, (entry.note or "").strip() or None)
        self._claims[identity] = (*self._claims.get(identity, ()), claim)

    def units(self) -> Iterator[tuple[_IDENTITY, tuple[Claim, ...]]]:
        """Every unit that the wrapper claims, by path and then by key or name."""
        return iter(sorted(self._claims.items(), key=lambda item: item[0][1:]))

    def claims(self, unit: Unit) -> tuple[Claim, ...]:
        return self._claims.get(unit[:3], ())

    def waivers(self, path: tuple[str, ...]) -> tuple[tuple[Claim, ...], ...]:
        """The claims of the waived commands above (and at) a path, nearest first."""
        if not self._waivers:
            return ()
        above = (path[:depth] for depth in range(len(path), -1, -1))
        return tuple(self._waivers[one] for one in above if one in self._waivers)

    def standing(
        self, unit: Unit, claims: Sequence[Claim], waivers: Sequence[Sequence[Claim]], relevant: int, present: int
    ) -> Standing:
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

    def _inherited(self, unit: Unit, waivers: Sequence[Sequence[Claim]], relevant: int, present: int) -> Standing:
        for claims in waivers:
            waiver = resolve(claims, relevant, unit)
            if waiver.level != Level.INTENTIONALLY_UNSUPPORTED:
                continue
            covered = reach(claims) & present
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


def reach(claims: Iterable[Claim]) -> int:
    """All targets on which any of the claims holds."""
    found = 0
    for claim in claims:
        found |= claim.targets
    return found


def resolve(claims: Iterable[Claim], relevant: int, unit: object) -> Standing:
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
