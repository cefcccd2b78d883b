"""P1 as a phase: the plan, the gap analysis and the decision log. A field without a decision fails the phase."""

from __future__ import annotations

from collections import Counter, defaultdict

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.config.documents import render
from pipeline.config.gates import Gate, PhaseRecord, digest_of, enter
from pipeline.config.handoff import Question, Told
from pipeline.config.phase_inventory import INVENTORY, inventory_of, optional_domains, spoken
from pipeline.config.phases import Done, Job, finish, pair
from pipeline.config.plan import RISKS, make_plan, read_overrides
from pipeline.config.plan_values import Decision, Plan
from pipeline.config.values import Inventory
from pipeline.errors import GateFailed
from pipeline.questions.predicates import having

PLAN = "plan.json"
_GAP, _LOG = "P1_GAP_ANALYSIS.md", "parity-decision-log.md"
OUTPUTS = (PLAN, _GAP, _LOG, *pair("P1"))


def read_inventory(job: Job) -> Inventory:
    """The inventory of P0. Raises GateFailed where the tree is no longer what it says."""
    path = job.out / INVENTORY
    inventory = canonical.read(path, Inventory)
    now = inventory_of(job)
    if (now.items, now.findings, now.present) != (inventory.items, inventory.findings, inventory.present):
        raise GateFailed("the tree has changed since P0", where=path, remedy="run the phase inventory again")
    return inventory


def read_plan(job: Job) -> tuple[Inventory, Plan]:
    """P1's plan, and the inventory that it decides on.

    Raises GateFailed where the tree, or what a person decided on it, is no longer what the plan rests on.
    """
    inventory = read_inventory(job)
    plan = canonical.read(job.out / PLAN, Plan)
    if read_overrides(job.overrides)[1] != plan.overrides_sha256:
        again = "run the phase plan again, and those after it"
        raise GateFailed("it has changed since P1", where=job.overrides, remedy=again)
    return inventory, plan


def run_plan(job: Job) -> Done:
    """Raises GateFailed at the entry, UsageError for a version of the target that is not known."""
    job.check()
    enter(job.out, "P1")
    inventory = read_inventory(job)
    version = having(job.mapping.target.agent, job.version)
    plan = make_plan(inventory, job.mapping, version, job.overrides)
    unclassified = [one for one in plan.fields() if one.classification == "unclassified"]
    decided = Gate(
        name="quality",
        passed=not unclassified,
        says=f"{len(unclassified)} fields are unclassified" if unclassified else "every field is classified",
    )

    def documents(told: Told, record: PhaseRecord) -> dict[str, bytes]:
        values = {**_words(plan, job), "told": told, "gates": record.gates, "record": record}
        return {_GAP: render(_GAP, **values), _LOG: render(_LOG, **values)}

    return finish(
        job,
        "P1",
        command="parity config plan",
        told=_told(plan, job),
        machine={PLAN: canonical.encode(plan)},
        documents=documents,
        inputs={INVENTORY: digest_of(canonical.encode(inventory))},
        scope_changes=scope_changes(job),
        also=(decided,),
    )


def scope_changes(job: Job) -> list[str]:
    """What a person decided otherwise than the rules: it re-opens what depended on it."""
    overrides, _ = read_overrides(job.overrides)
    told = [f"The domain {one!r} is optional." for one in overrides.optional]
    return told + [
        f"{one.item}{f' {one.field}' if one.field else ''}: {one.classification}, because {one.reason}"
        for one in overrides.override
    ]


def blockers(plan: Plan) -> tuple[str, ...]:
    """What is critical and nobody has decided on."""
    fields = [one for one in plan.fields() if one.risk == "critical" and one.rule != "override"]
    return tuple(f"{one.path} ({one.place}): {one.field} is {one.classification}. {one.rationale}" for one in fields)


def _told(plan: Plan, job: Job) -> Told:
    classes = Counter(one.classification for one in plan.fields())
    left = [one for one in plan.fields() if one.classification in ("unsupported", "defer")]
    worst = sorted((one for one in left if one.risk in ("high", "medium")), key=lambda one: RISKS.index(one.risk))
    return Told(
        done=(
            f"{len(plan.fields())} fields of {len(plan.items())} items were decided on: "
            + ", ".join(f"{count} {name}" for name, count in sorted(classes.items()))
            + ".",
        ),
        why=(
            f"The decisions rest on what {job.mapping.target.title} {plan.target_version} has; another version may "
            "decide otherwise.",
        ),
        remains=(
            *(spoken(one) for one in plan.findings),
            *(f"{one.path} ({one.place}) {one.field}: {one.classification}. {one.rationale}" for one in worst),
        ),
        blocks=blockers(plan),
        questions=tuple(
            Question(f"What shall become of {one.path} ({one.place})? {one.rationale}", one.owner)
            for one in plan.fields()
            if one.classification == "defer" and one.risk in ("critical", "high")
        ),
        files=OUTPUTS,
        decided=tuple(f"{rule}: {count} fields. {text}" for rule, text, count in _rules(plan)),
        holds=(
            f"Target: {job.mapping.target.title} {plan.target_version}.",
            "A link only where nothing in a file needs to be rewritten; a copy where links do not work.",
            "Nothing in the target allows more than the source.",
        ),
        more=_LOG,
        steps=("Write the target's files: `parity config emit`.",),
    )


def _rules(plan: Plan) -> list[tuple[str, str, int]]:
    texts = {one.rule: one.rationale for one in plan.fields() if one.rule}
    counts = Counter(one.rule for one in plan.fields() if one.rule)
    return [(str(rule), texts[rule], count) for rule, count in sorted(counts.items(), key=lambda row: str(row[0]))]


def _words(plan: Plan, job: Job) -> Json:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in plan.fields():
        counts[one.domain][one.classification] += 1
    return {
        "plan": plan,
        "target": job.mapping.target.title,
        "domains": job.mapping.domains,
        "optional": optional_domains(job.mapping, read_overrides(job.overrides)[0]),
        "counts": counts,
        "written": [one for one in plan.items() if one.mode != "none"],
        "lacking": [one for one in plan.fields() if one.missing],
        "risks": _risks(plan),
        "left": [one for one in plan.fields() if one.classification in ("unsupported", "defer", "unclassified")],
    }


def _risks(plan: Plan) -> list[Json]:
    """One row per rule that carries a risk, the most severe first."""
    groups: dict[str, list[Decision]] = defaultdict(list)
    for one in plan.fields():
        if one.risk != "none":
            groups[one.rule or "unclassified"].append(one)
    rows = []
    for rule, those in groups.items():
        first = min(those, key=lambda one: RISKS.index(one.risk))
        rows.append(
            {
                "rule": rule,
                "text": first.rationale,
                "count": len(those),
                "severity": first.risk.capitalize(),
                "impact": first.impact or "—",
                "mitigation": first.mitigation or "—",
                "owner": next((one.owner for one in those if one.owner), None),
            }
        )
    return sorted(rows, key=lambda row: (RISKS.index(str(row["severity"]).lower()), str(row["rule"])))
