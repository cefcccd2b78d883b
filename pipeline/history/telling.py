"""How a difference of one unit becomes a finding: its rule's severity, its targets, and the call that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.history.calls import Judge, names_of
from pipeline.history.facts import compared, follows, on_targets
from pipeline.history.pairing import Names, Pairing
from pipeline.history.rule import BREAKING, RISKY
from pipeline.history.rules import BY_CODE
from pipeline.history.sides import Facts, Offered, Surface
from pipeline.history.witnesses import Case, first_refused
from pipeline.surface.diff import Finding, Witness
from pipeline.surface.units import Path

Kind = Literal["command", "flag", "arg"]
Reach = tuple[str, ...]
"""The targets that have a command."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of either side: its ``facts``, and ``on`` which targets it is."""

    kind: Kind
    path: Path
    key: str
    facts: Facts
    on: Reach

    @classmethod
    def of(cls, kind: Kind, path: Path, key: str, facts: Facts, reach: Reach) -> Unit:
        """``reach`` are the targets of the command that it is of; of a command, all."""
        return cls(kind, path, key, facts, on_targets(facts, reach))


@dataclass(frozen=True, slots=True)
class Teller:
    """Two surfaces of the same targets."""

    before: Surface
    after: Surface

    def offered(self, one: Path, other: Path) -> tuple[Offered, Offered]:
        """A command of both; an empty one where a root is missing."""
        nothing = Offered(path=(), facts={})
        return self.before.commands.get(one, nothing), self.after.commands.get(other, nothing)

    def reach(self, one: Path, other: Path) -> tuple[Reach, Reach]:
        before, after = self.offered(one, other)
        return on_targets(before.facts, self.before.targets), on_targets(after.facts, self.after.targets)

    def told(self, code: str, unit: Unit, value: str | None = None, on: Reach | None = None, **said: Any) -> Finding:
        """The finding; one that would break something, without a call that shows it, is risky."""
        rule, targets = BY_CODE[code], unit.on if on is None else on
        words = None
        # A call uses what was there before: of a new unit, the command without it.
        if rule.severity == BREAKING and rule.shown and unit.path in self.before.commands:
            target = next(iter(targets), None)
            before, after = Judge(self.before, target, surely=True), Judge(self.after, target)
            case = Case(before, after, at=unit.path, unit=unit.kind, key=unit.key, facts=unit.facts, value=value)
            call = first_refused(case, rule.shown(case))
            words = call.words() if call else None
        return Finding(
            code=code,
            severity=RISKY if rule.severity == BREAKING and words is None else rule.severity,
            unit=unit.kind,
            path=unit.path,
            key=unit.key if unit.kind == "flag" else None,
            name=unit.key if unit.kind == "arg" else None,
            value=value,
            targets=self.where(targets),
            witness=Witness(argv=words, state="untried") if words is not None else None,
            **said,
        )

    def where(self, targets: Reach) -> Reach | None:
        """The targets, unless they are all that are compared."""
        return None if set(targets) == set(self.before.targets) else targets

    def changed(self, unit: Unit, facts: Facts, had: Reach, has: Reach) -> Iterator[Finding]:
        """What differs in the facts of a unit that both sides have, of a command on these targets."""
        for change in compared(unit.kind, unit.facts, facts):
            yield self.told(change.code, unit, change.value, before=change.before, after=change.after)
        then, now = unit.on, on_targets(facts, has)
        above = ((), ()) if unit.kind == "command" else (had, has)
        for code, targets in follows(then, now, *above):
            yield self.told(code, unit, on=targets, before=list(then), after=list(now))

    def names(
        self, pairing: Pairing, unit_of: Callable[[str], Unit], told_elsewhere: Callable[[str, str], bool]
    ) -> Iterator[Finding]:
        """Renamed units, and names that came, went or changed hands."""
        for key, name in sorted(pairing.pairs.items()):
            if told_elsewhere(key, name):
                continue
            unit = unit_of(key)
            if key != name:
                yield self.told(f"{unit.kind}-renamed", unit, before=key, after=name)
            for lost in pairing.lost(key):
                yield self.told(f"{unit.kind}-name-lost", unit, lost)
            for gained in pairing.gained(key):
                yield self.told(f"{unit.kind}-name-gained", unit, gained)
        for name, one, other in pairing.reassigned():
            if not told_elsewhere(one, other):
                unit = unit_of(one)
                yield self.told(f"{unit.kind}-name-reassigned", unit, name, before=one, after=other)


def flag_names(flags: Mapping[str, Facts]) -> Names:
    return {key: frozenset(names_of(key, facts)) for key, facts in flags.items()}


def needed(code: str, facts: Facts) -> str:
    """The code for a flag or arg that must be given, where this one must."""
    return f"required-{code}" if facts.get("required") else code
