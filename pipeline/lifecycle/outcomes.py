"""The outcomes of a version's validation: which targets passed, failed or were skipped, and whether that can be."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import NamedTuple

from msgspec import structs

from pipeline.contract.rules import Rules
from pipeline.surface.metadata import Validation


class OutcomeProblem(NamedTuple):
    """What is wrong with the outcomes of a validation; ``code`` is that of the finding."""

    code: str
    message: str
    remedy: str


def outcome_problems(validation: Validation, rules: Rules) -> Iterator[OutcomeProblem]:
    """The contract of the three sets: expected targets, each in one set, the required one in exactly one."""
    contract, required = rules.version_metadata.validation_contract, rules.union.required_target
    sets = {name.partition("_")[0]: targets or () for name, targets in structs.asdict(validation).items()}
    expected = f"name one of {', '.join(rules.targets)}"
    for name, targets in sets.items():
        for target in dict.fromkeys(targets):
            if target not in rules.targets:
                message = f"{target} is not an expected target, and is among the {name} ones"
                yield OutcomeProblem("VALIDATION_TARGET_NOT_EXPECTED", message, expected)
    if contract.disjoint_sets_required:
        once = "a target either passed, failed or was skipped"
        for (one, left), (other, right) in combinations_with_replacement(sets.items(), 2):
            both = {target for target in left if (target in right if left is not right else left.count(target) > 1)}
            if both:
                where = f"the {one} targets" if one == other else f"the {one} targets and the {other} ones"
                message = f"{', '.join(sorted(both))} is named twice, among {where}"
                yield OutcomeProblem("VALIDATION_TARGET_SETS_OVERLAP", message, once)
    named = sum(required in targets for targets in sets.values())
    if contract.require_explicit_outcome_for_required_target and named != 1:
        message = f"the required target {required} has {'no outcome' if not named else 'several outcomes'}"
        yield OutcomeProblem(
            "VALIDATION_REQUIRED_TARGET_NOT_EXPLICIT", message, "say whether it passed, failed or was skipped"
        )
