"""Which unit of one surface is which of another, told by their names.

A unit whose first name is gone goes on as the one that has it among its other names, or whose first name was among
its own. Symmetric: pairing the other way round pairs the same units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

Names = Mapping[str, frozenset[str]]
"""Key → all names of a unit, the key among them."""


@dataclass(frozen=True)
class Pairing:
    """``before`` and ``after`` are the two sides; ``pairs`` is key before → key after."""

    before: Names
    after: Names
    pairs: Mapping[str, str]

    @cached_property
    def _owners(self) -> tuple[dict[str, str], dict[str, str]]:
        return owners_of(self.before), owners_of(self.after)

    @property
    def removed(self) -> list[str]:
        return [key for key in self.before if key not in self.pairs]

    @property
    def added(self) -> list[str]:
        there = set(self.pairs.values())
        return [key for key in self.after if key not in there]

    def merged(self) -> dict[str, str]:
        """A unit that is gone, though its first name is now one of another's."""
        owners = self._owners[1]
        return {key: owners[key] for key in self.removed if key in owners}

    def split(self) -> dict[str, str]:
        """A new unit whose first name was one of another's."""
        owners = self._owners[0]
        return {key: owners[key] for key in self.added if key in owners}

    def lost(self, key: str) -> list[str]:
        """The names that a paired unit has no more, and nobody else has."""
        return sorted(self.before[key] - self.after[self.pairs[key]] - self._owners[1].keys())

    def gained(self, key: str) -> list[str]:
        return sorted(self.after[self.pairs[key]] - self.before[key] - self._owners[0].keys())

    def reassigned(self) -> Iterator[tuple[str, str, str]]:
        """(name, unit before, unit after) of each name that came to mean another unit, unless a merger tells it."""
        before, after = self._owners
        told = {*self.merged(), *self.split()}
        for name in sorted(before.keys() & after.keys() - told):
            if self.pairs.get(before[name]) != after[name]:
                yield name, before[name], after[name]


def paired(before: Names, after: Names) -> Pairing:
    pairs = {key: key for key in before if key in after}
    gone, new = [key for key in before if key not in after], [key for key in after if key not in before]
    renamed = [(one, other) for one in gone for other in new if one in after[other] or other in before[one]]
    taken: set[str] = set()
    for one, other in sorted(renamed, key=lambda pair: (min(pair), max(pair))):
        if not {one, other} & taken:
            pairs[one] = other
            taken |= {one, other}
    return Pairing(before, after, pairs)


def owners_of(names: Names) -> dict[str, str]:
    """Name → the unit that has it; a first name counts before another's alias."""
    found = {name: key for key in sorted(names, reverse=True) for name in names[key]}
    return found | {key: key for key in names}
