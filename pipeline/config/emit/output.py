"""A file of the target as a value, and what an emitter works from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from pipeline.config.mapping import Mapping
from pipeline.config.names import base_of, target_names
from pipeline.config.plan_values import Decision, Plan
from pipeline.config.tree import Tree
from pipeline.config.values import Field, Inventory, Item

Way = Literal["link", "copy", "generated"]


@dataclass(frozen=True, slots=True)
class Emitted:
    """``link`` is the text of a link, and then ``content`` is empty. ``sources`` are paths of the tree.

    ``merge`` says how it is put beside what somebody else wrote at its place: not at all, as a marked block of a
    text, or key by key.
    """

    path: str
    way: Way
    content: bytes = b""
    link: str | None = None
    executable: bool = False
    sources: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    merge: Literal["no", "block", "keys"] = "no"


@dataclass(frozen=True)
class Emission:
    """A plan about to be written. ``copies`` makes a copy of what could be a link."""

    tree: Tree
    inventory: Inventory
    plan: Plan
    mapping: Mapping
    copies: bool = False
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: Tree, inventory: Inventory, plan: Plan, mapping: Mapping, *, copies: bool) -> Emission:
        return cls(tree, inventory, plan, mapping, copies, target_names(inventory.items, mapping))

    def base(self, item: Item) -> str:
        """The folder that an item is for, with a slash behind it; empty: the root."""
        return base_of(item.path, self.mapping.source.folder)

    def whole(self, item: Item) -> Decision:
        return self._decisions[item.id, None]

    def items(self, domain: str) -> list[Item]:
        return [item for item in self.inventory.items if item.domain == domain]

    def writes(self, item: Item, *names: str) -> Iterator[tuple[str, Field]]:
        """The fields of an item that its decisions write, as (what of, field); only those named, if any are."""
        for one in item.fields:
            decision = self._decisions[item.id, one.name]
            write = self._write.get(decision.rule or "", "")
            if write and not decision.missing and (not names or write in names):
                yield write, one

    def rules(self, item: Item) -> tuple[str, ...]:
        """The rules that write something of an item, by name."""
        found = {self._decisions[item.id, one.name].rule or "" for _, one in self.writes(item)}
        return tuple(sorted(found))

    @cached_property
    def _write(self) -> dict[str, str]:
        return {rule.id: rule.write for rule in self.mapping.rules}

    @cached_property
    def _decisions(self) -> dict[tuple[str, str | None], Decision]:
        return {(one.item, one.field): one for one in self.plan.decisions}
