"""The score of a validation: computed from the plan and the evidence, never typed in.

Five categories with weights; a category is a share from 0 to 1 of what passed. What was not run counts as not passed.
Critical failures override every number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pipeline.config.plan_values import Plan
from pipeline.config.verify.evidence import Area, Check, Evidence, Scenario
from pipeline.surface.units import Shape

WEIGHTS = {
    "Capability coverage": 35,
    "Behavioral fidelity": 20,
    "Workflow parity": 20,
    "Verification quality": 15,
    "Documentation quality": 10,
}
LEAST = 90.0
# A category's least share, where it has one: four of five.
CATEGORY_GATES = {"Capability coverage": 0.8, "Workflow parity": 0.8}
_GROUPS: tuple[tuple[str, int, tuple[str, ...], tuple[Area, ...]], ...] = (
    ("instructions", 25, ("instructions", "rules"), ("instructions",)),
    ("skills", 30, ("skills",), ("skills",)),
    ("commands and workflows", 25, ("commands", "agents", "hooks"), ("agents", "hooks")),
    ("discoverability", 20, ("servers", "server-choice", "permissions"), ("config", "servers", "target")),
)
Band = Literal["A", "B", "C", "D", "F"]
_BANDS: tuple[tuple[float, Band], ...] = ((90.0, "A"), (80.0, "B"), (70.0, "C"), (60.0, "D"))


class Category(Shape, frozen=True, kw_only=True):
    """``share`` is a number of ten-thousandths, because an artifact holds no fractions."""

    name: str
    weight: int
    share: int
    passed: bool
    says: str


class Scorecard(Shape, frozen=True, kw_only=True):
    """``overall`` is in hundredths of a point, of 100 points."""

    overall: int
    band: Band
    passed: bool
    categories: tuple[Category, ...]
    critical: tuple[str, ...]

    @property
    def points(self) -> str:
        return f"{self.overall // 100}.{self.overall % 100:02}"


def score(plan: Plan, evidence: Evidence, *, missing_documents: Sequence[str], blockers: Sequence[str]) -> Scorecard:
    """``missing_documents`` are those of earlier phases that are not there or not fresh."""
    shares = {
        "Capability coverage": _coverage(plan, evidence.checks),
        "Behavioral fidelity": _share(_probes(evidence)),
        "Workflow parity": _share(evidence.scenarios),
        "Verification quality": _executed(evidence),
        "Documentation quality": (0.0 if missing_documents else 1.0, f"{len(missing_documents)} documents are missing"),
    }
    critical = tuple(_critical(plan, evidence, missing_documents, blockers))
    categories = tuple(
        Category(
            name=name,
            weight=weight,
            share=round(shares[name][0] * 10_000),
            passed=shares[name][0] >= CATEGORY_GATES.get(name, 0.0),
            says=shares[name][1],
        )
        for name, weight in WEIGHTS.items()
    )
    overall = sum(one.share * one.weight for one in categories) // 100
    points = overall / 100
    return Scorecard(
        overall=overall,
        band=_band(points),
        passed=points >= LEAST and all(one.passed for one in categories) and not critical,
        categories=categories,
        critical=critical,
    )


def _band(points: float) -> Band:
    return next((band for least, band in _BANDS if points >= least), "F")


def _share(rows: Iterable[Check | Scenario]) -> tuple[float, str]:
    states = [one.status if isinstance(one, Check) else one.result for one in rows]
    passed = states.count("pass")
    return (passed / len(states) if states else 1.0, f"{passed} of {len(states)} passed")


def _coverage(plan: Plan, checks: Sequence[Check]) -> tuple[float, str]:
    """Per group: the share of decided items times the share of passed checks."""
    total, told = 0.0, []
    for name, weight, domains, areas in _GROUPS:
        items = [one for one in plan.items() if one.domain in domains]
        decided = [one for one in items if one.classification != "unclassified"]
        share = (len(decided) / len(items) if items else 1.0) * _share(one for one in checks if one.area in areas)[0]
        total += weight / 100 * share
        told.append(f"{name} {share:.2f}")
    return total, ", ".join(told)


def _probes(evidence: Evidence) -> list[Check]:
    """What was tried of denials, questions and edits, in checks and turns."""
    steps = (step for one in evidence.scenarios for step in one.steps)
    return [one for one in (*evidence.checks, *steps) if one.area == "permissions"]


def _executed(evidence: Evidence) -> tuple[float, str]:
    steps = [step for one in evidence.scenarios for step in one.steps]
    rows = [*evidence.checks, *steps]
    run = [one for one in rows if one.status != "not_run"]
    return (len(run) / len(rows) if rows else 0.0, f"{len(run)} of {len(rows)} were run")


def _critical(
    plan: Plan, evidence: Evidence, missing_documents: Sequence[str], blockers: Sequence[str]
) -> Iterable[str]:
    for one in plan.items():
        if one.classification == "unclassified":
            yield f"{one.item} has neither a mapping nor a decision to defer it"
    yield from blockers
    for check in evidence.checks:
        if check.critical and check.status == "fail":
            yield f"{check.id}: {check.observed}"
    for scenario in evidence.scenarios:
        if scenario.result == "not_run":
            yield f"{scenario.id} has no evidence that was run"
        for step in scenario.steps:
            if step.critical and step.status == "fail":
                yield f"{step.id}: {step.observed}"
    for name in missing_documents:
        yield f"{name} is missing or not as its phase left it"
