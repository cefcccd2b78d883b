"""P4 as a phase: what is left, whose it is where a person said so, and the final status against the criteria."""

from __future__ import annotations

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.config.changes import field_changes
from pipeline.config.documents import render
from pipeline.config.gates import Gate, PhaseRecord, digest_of, enter
from pipeline.config.handoff import Question, Told
from pipeline.config.phase_emit import emitted_as_left
from pipeline.config.phase_inventory import INVENTORY
from pipeline.config.phase_plan import PLAN, blockers
from pipeline.config.phase_verify import CARD, EVIDENCE, evidence_of, missing_documents
from pipeline.config.phases import Done, Job, finish, pair
from pipeline.config.plan import RISKS, make_plan
from pipeline.config.plan_values import Decision, Plan
from pipeline.config.score import LEAST, Scorecard
from pipeline.config.values import Inventory
from pipeline.config.verify.evidence import Evidence
from pipeline.layout import in_order
from pipeline.questions.predicates import having, recorded

_REPORT, _LOG = "P4_HARDENING.md", "REFLECTION_LOG.md"
OUTPUTS = (_REPORT, _LOG, *pair("P4"))
_SERIOUS = ("critical", "high", "medium")


def run_harden(job: Job) -> Done:
    """Raises GateFailed at the entry: there is nothing to harden before P3 has passed, on this tree as it is."""
    job.check()
    enter(job.out, "P4")
    emitted_as_left(job)
    plan = canonical.read(job.out / PLAN, Plan)
    evidence = evidence_of(job.out)
    card = canonical.read(job.out / CARD, Scorecard)
    criteria = _criteria(job, plan, card)
    unmet = [name for name, met, _ in criteria if not met]
    accepted = Gate(
        name="quality",
        passed=not unmet,
        says=f"not met: {', '.join(unmet)}" if unmet else "every criterion of acceptance is met",
    )

    def documents(told: Told, record: PhaseRecord) -> dict[str, bytes]:
        words = {**_words(job, plan, evidence), "criteria": criteria, "card": card, "told": told, "record": record}
        return {name: render(name, **words, gates=record.gates) for name in (_REPORT, _LOG)}

    return finish(
        job,
        "P4",
        command="parity config harden",
        told=_told(job, plan, evidence, card),
        machine={},
        documents=documents,
        inputs={name: digest_of((job.out / name).read_bytes()) for name in (PLAN, EVIDENCE, CARD)},
        also=(accepted,),
    )


def _criteria(job: Job, plan: Plan, card: Scorecard) -> list[tuple[str, bool, str]]:
    missing = missing_documents(job, "P4")
    open_ = blockers(plan)
    return [
        ("score", card.overall >= LEAST * 100, f"{card.points} of 100, at least {LEAST:g}"),
        ("category gates", all(one.passed for one in card.categories), "coverage and workflow at least four of five"),
        ("critical failures", not card.critical, f"{len(card.critical)} open"),
        ("critical blockers", not open_, f"{len(open_)} open"),
        ("handoff", not missing, f"{len(missing)} documents of earlier phases missing or changed"),
    ]


def _left(plan: Plan) -> list[Decision]:
    """What is not carried over and matters, the most severe first."""
    rows = [one for one in plan.fields() if one.classification in ("unsupported", "defer") and one.risk in _SERIOUS]
    return sorted(rows, key=lambda one: RISKS.index(one.risk))


def _otherwise(job: Job, plan: Plan) -> list[tuple[str, list[str]]]:
    """Per other version of the target that is known: which fields it would decide on otherwise."""
    inventory = canonical.read(job.out / INVENTORY, Inventory)
    found = []
    for version in in_order(recorded(plan.target)):
        if version != plan.target_version:
            other = make_plan(inventory, job.mapping, having(plan.target, version), job.overrides)
            changes = [
                f"{one.item} {one.field}: {one.before} there, {one.after} here" for one in field_changes(other, plan)
            ]
            found.append((version, changes))
    return found


def _words(job: Job, plan: Plan, evidence: Evidence) -> Json:
    steps = [step for one in evidence.scenarios for step in one.steps]
    leaks = [one for one in evidence.checks if one.id.startswith("guard:") and "; not: " in one.observed]
    return {
        "plan": plan,
        "target": job.mapping.target.title,
        "left": _left(plan),
        "odd": [one for one in (*evidence.checks, *steps) if one.status != "pass"],
        "leaks": leaks,
        "limits": job.mapping.target.limits,
        "otherwise": _otherwise(job, plan),
    }


def _told(job: Job, plan: Plan, evidence: Evidence, card: Scorecard) -> Told:
    left = _left(plan)
    return Told(
        done=(f"The result was held against the criteria: {card.points} of 100, band {card.band}.",),
        why=("What is left must be known by name before anybody relies on the rest.",),
        remains=(
            *(f"{one.path} ({one.place}) {one.field}: {one.classification}. {one.rationale}" for one in left),
            *(f"A limit of the target: {text}" for text in job.mapping.target.limits),
        ),
        blocks=blockers(plan),
        questions=tuple(Question(f"{one.path}: {one.rationale}", one.owner) for one in left if one.owner),
        files=OUTPUTS,
        decided=tuple(f"{one.id}: {one.result}." for one in evidence.scenarios),
        holds=("A new version of the target re-decides: run all phases again when it is known.",),
        more=_REPORT,
        steps=("Run all phases again when the source or the target's version changes.",),
    )
