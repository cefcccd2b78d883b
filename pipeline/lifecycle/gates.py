"""What a version, or one of its targets, must have earned: the conditions that the rules name, each decided once.

Version metadata, promotion and validation all ask here, so that a pointer cannot rest on what a status does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pipeline.contract.rules import Rules
from pipeline.surface.metadata import Status, SupportCoverage, Validation


class Earned(NamedTuple):
    """The facts of one version that conditions look at; targets in any order."""

    supported: Sequence[str]
    passed: Sequence[str]
    inputs: Sequence[str]
    reasons: Mapping[str, str] = {}

    @classmethod
    def of(cls, coverage: SupportCoverage | None, validation: Validation | None, inputs: Sequence[str]) -> Earned:
        return cls(
            supported=coverage.supported_targets if coverage else (),
            passed=(validation and validation.passed_targets) or (),
            inputs=inputs,
            reasons={one.target_triple: str(one) for one in (coverage and coverage.unsupported_targets) or ()},
        )


class Obstacle(NamedTuple):
    """Why a condition does not hold, and what to do about it."""

    problem: str
    remedy: str


def obstacle(conditions: Iterable[str], earned: Earned, rules: Rules, target: str | None = None) -> Obstacle | None:
    """The first of the named conditions that does not hold; ``target`` is the one asked about, where one is."""
    about = target or rules.union.required_target
    found = (_CONDITIONS[condition](earned, about, rules) for condition in conditions)
    return next((one for one in found if one), None)


def status_obstacle(status: Status, earned: Earned, rules: Rules, *, complete: bool) -> Obstacle | None:
    """What stands between a version and a status; ``complete`` says whether its union is."""
    gates = rules.version_metadata.status_gates
    if status is Status.VALIDATED:
        return obstacle(gates.validated_requires, earned, rules)
    if status is Status.SUPPORTED:
        if rules.version_metadata.supported_policy.requires_union_complete and not complete:
            return Obstacle("its union is not complete", "take the snapshots of the missing targets")
        return obstacle(gates.supported_requires, earned, rules)
    return None


def latest_validated_obstacle(earned: Earned, rules: Rules, *, complete: bool) -> Obstacle | None:
    """What stands between a version and ``latest_validated.txt``, its status aside."""
    policy = rules.union.promotion_policy
    if not complete and not policy.allow_promote_when_incomplete:
        return Obstacle("its union is not complete", "take the snapshots of the missing targets")
    return obstacle(policy.requirements_for_latest_validated_and_current, earned, rules)


def pointer_obstacle(kind: str, target: str, earned: Earned, rules: Rules) -> Obstacle | None:
    """What stands between a version and the pointer of a target; ``kind`` is one of ``layout.POINTERS``."""
    policy = rules.version_metadata.pointer_update_policy
    requires = (
        policy.latest_supported_by_target if kind == "latest_supported" else policy.latest_validated_by_target
    ).requires
    return obstacle(requires, earned, rules, target)


def _supported(earned: Earned, target: str, _rules: Rules) -> Obstacle | None:
    if target in earned.supported:
        return None
    why = f": {earned.reasons[target]}" if target in earned.reasons else ""
    return Obstacle(f"{target} is not supported{why}", "cover or waive what the reports list as missing")


def _supported_everywhere(earned: Earned, _target: str, rules: Rules) -> Obstacle | None:
    return next((one for target in rules.targets if (one := _supported(earned, target, rules))), None)


def _passed(earned: Earned, target: str, rules: Rules) -> Obstacle | None:
    if target in earned.passed:
        return None
    required = "the required target " if target == rules.union.required_target else ""
    return Obstacle(
        f"validation has not passed on {required}{target}",
        f"validate it there and say so with --passed-target {target}",
    )


def _present(earned: Earned, target: str, _rules: Rules) -> Obstacle | None:
    if target in earned.inputs:
        return None
    return Obstacle(f"the union has no snapshot of {target}", "take that snapshot first")


_CONDITIONS: dict[str, Callable[[Earned, str, Rules], Obstacle | None]] = {
    "validation_passed_on_required_target": _passed,
    "validation_passed_on_target": _passed,
    "supported_on_required_target": _supported,
    "supported_on_target": _supported,
    "supported_on_all_expected_targets": _supported_everywhere,
    "required_target_present_in_inputs": _present,
}
