"""All files of the target, by path. A pure function of the tree's bytes, the inventory and the plan."""

from __future__ import annotations

from pipeline.config.emit.guard import guard_files
from pipeline.config.emit.hooks import hook_files
from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.policy import policy_files
from pipeline.config.emit.roles import role_files
from pipeline.config.emit.settings import config_files
from pipeline.config.emit.skills import skill_files
from pipeline.config.emit.texts import text_files
from pipeline.config.mapping import Mapping
from pipeline.config.plan_values import Plan
from pipeline.config.tree import Tree
from pipeline.config.values import Inventory


def emit(tree: Tree, inventory: Inventory, plan: Plan, mapping: Mapping, *, copies: bool = False) -> list[Emitted]:
    """``copies``: a copy of everything that could be a link, for where links do not work."""
    emission = Emission.of(tree, inventory, plan, mapping, copies=copies)
    found = [
        *text_files(emission),
        *skill_files(emission),
        *role_files(emission),
        *config_files(emission),
        *policy_files(emission),
        *guard_files(emission),
        *hook_files(emission),
    ]
    return sorted(found, key=lambda one: one.path)
