"""On which targets does the wrapper support a version? Every unit there must have an allowed level."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contract.rules import Rules
from pipeline.errors import LevelsMixed, NoteMissing
from pipeline.report.resolve import Resolver, TargetSet
from pipeline.report.upstream import Exclusions, Unit, Upstream
from pipeline.surface.coverage import CoveredCommand, Level
from pipeline.surface.metadata import SupportCoverage, UnsupportedTarget


def support_of(upstream: Upstream, coverage: Sequence[CoveredCommand], rules: Rules) -> SupportCoverage:
    """Judge each expected target that is among the union's inputs, in expected order.

    Nobody needs to support what the CLI hides. The resolver is the reports' own; whether a waiver counts for
    its subtree is the rules' to say.
    """
    judged = [target for target in rules.targets if target in upstream.targets]
    targets = TargetSet(rules, upstream.targets)
    resolver = Resolver(coverage, targets)
    uncovered: dict[str, list[Unit]] = {target: [] for target in judged}
    for unit, exclusion in Exclusions(rules).walk(upstream):
        if exclusion or unit.hidden:
            continue
        for target in judged:
            if target in unit.available_on and not _allowed(unit, resolver, targets.mask((target,)), rules):
                uncovered[target].append(unit)
    supported = tuple(target for target in judged if not uncovered[target])
    reasons = tuple(
        UnsupportedTarget(target_triple=target, uncovered_units=len(units), first_uncovered=str(units[0]))
        for target, units in uncovered.items()
        if units
    )
    return SupportCoverage(
        supported_targets=supported,
        supported_required_target=rules.union.required_target in supported,
        unsupported_targets=reasons if upstream.has_provenance and reasons else None,
    )


def _allowed(unit: Unit, resolver: Resolver, target: int, rules: Rules) -> bool:
    policy = rules.version_metadata.supported_policy
    waivers = resolver.waivers(unit.path) if policy.waivers_cover_subtrees else ()
    try:
        level = resolver.standing(unit, resolver.claims(unit), waivers, target, target).level
    except LevelsMixed:
        level = None
    except NoteMissing:
        if policy.intentionally_unsupported_requires_note:
            return False
        level = Level.INTENTIONALLY_UNSUPPORTED
    level = level or policy.coverage_requirement.treat_missing_as
    allowed = policy.coverage_requirement
    return level in allowed.allowed_levels and level not in allowed.disallowed_levels
