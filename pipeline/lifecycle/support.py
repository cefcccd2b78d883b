"""On which targets does the wrapper support a version? Every unit there must have an allowed level."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contract.rules import Rules
from pipeline.contract.targets import TargetSet
from pipeline.errors import LevelsMixed, NoteMissing
from pipeline.report.resolve import Resolver
from pipeline.report.upstream import Exclusions, Unit, Upstream
from pipeline.surface.coverage import CoveredCommand, Level
from pipeline.surface.metadata import SupportCoverage, UnsupportedTarget


def support_of(upstream: Upstream, coverage: Sequence[CoveredCommand], rules: Rules) -> SupportCoverage:
    """Judge each expected target that is among the union's inputs, in expected order.

    Nobody needs to support what the CLI hides. The resolver is the reports' own, so a waiver counts for its
    subtree here as it does there.
    """
    judged = [target for target in rules.targets if target in upstream.targets]
    targets = TargetSet(rules, upstream.targets)
    resolver = Resolver(coverage, targets, exact=upstream.has_provenance)
    uncovered: dict[str, list[Unit]] = {target: [] for target in judged}
    for unit, exclusion in Exclusions(rules).walk(upstream):
        if exclusion or unit.hidden:
            continue
        for target in judged:
            if target in unit.available_on and not _allowed(unit, resolver, targets.mask((target,)), rules):
                uncovered[target].append(unit)
    supported = tuple(target for target in judged if not uncovered[target])
    reasons = tuple(_reason(target, uncovered.get(target)) for target in rules.targets if target not in supported)
    return SupportCoverage(
        supported_targets=supported,
        supported_required_target=rules.union.required_target in supported,
        unsupported_targets=reasons if upstream.has_provenance and reasons else None,
    )


def _reason(target: str, units: Sequence[Unit] | None) -> UnsupportedTarget:
    if units is None:
        return UnsupportedTarget(target_triple=target, reason="no_snapshot")
    return UnsupportedTarget(
        target_triple=target,
        reason="uncovered_units",
        uncovered_units=len(units),
        first_uncovered=str(units[0]),
    )


def _allowed(unit: Unit, resolver: Resolver, target: int, rules: Rules) -> bool:
    policy = rules.version_metadata.supported_policy
    try:
        [part] = resolver.parts(unit, resolver.claims(unit), resolver.waivers(unit.path), target, target)
        level = part.standing.level
    except LevelsMixed:
        level = None
    except NoteMissing:
        if policy.intentionally_unsupported_requires_note:
            return False
        level = Level.INTENTIONALLY_UNSUPPORTED
    level = level or policy.coverage_requirement.treat_missing_as
    allowed = policy.coverage_requirement
    return level in allowed.allowed_levels and level not in allowed.disallowed_levels
