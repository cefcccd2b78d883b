"""P3 as a phase: the evidence, the report and the scorecard. Without a program nothing passes that needs one."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Table
from pathlib import Path

from pipeline import canonical
from pipeline.config.documents import render
from pipeline.config.emit import Emitted
from pipeline.config.emit.output import Emission
from pipeline.config.gates import PHASES, Gate, PhaseRecord, digest_of, enter, record_name
from pipeline.config.handoff import Told
from pipeline.config.inventory import REPLACING
from pipeline.config.lock import LOCK, Lock
from pipeline.config.phase_emit import emitted_as_left
from pipeline.config.phase_inventory import INVENTORY
from pipeline.config.phase_plan import PLAN, blockers
from pipeline.config.phases import Done, Job, finish, pair
from pipeline.config.plan_values import Plan
from pipeline.config.score import LEAST, Scorecard, score
from pipeline.config.tree import Tree
from pipeline.config.values import Inventory
from pipeline.config.verify.commands import command_checks
from pipeline.config.verify.evidence import Area, Check, Evidence, Scenario, judged
from pipeline.config.verify.files import lay_probes
from pipeline.config.verify.program import require_version
from pipeline.config.verify.scenarios import guard_checks, resumed, same_bytes, without_links
from pipeline.config.verify.served import server_checks
from pipeline.config.verify.stand import Stand, stand
from pipeline.config.verify.turns import edit_scenario, review_scenario
from pipeline.errors import BinaryMissing

EVIDENCE = "evidence.json"
_REPORT, _CARD = "P3_VALIDATION_REPORT.md", "parity-scorecard.md"
CARD = "scorecard.json"
OUTPUTS = (EVIDENCE, CARD, _REPORT, _CARD, *pair("P3"))
_NEEDED: tuple[tuple[str, Area], ...] = (
    ("config-strict", "config"),
    ("config-origins", "config"),
    ("config-warnings", "agents"),
    ("instructions:.", "instructions"),
    ("skills-listed", "skills"),
    ("hooks-listed", "hooks"),
    ("servers-listed", "servers"),
    ("command-rules", "permissions"),
    ("file-rules", "permissions"),
)


def run_verify(job: Job) -> Done:
    """Raises GateFailed at the entry and for a program of another version, BinaryMissing for one that is not there."""
    job.check()
    enter(job.out, "P3")
    if job.binary is not None and not job.binary.is_file():
        raise BinaryMissing("there is no such program", where=job.binary, remedy="name the target's program")
    plan = canonical.read(job.out / PLAN, Plan)
    version = require_version(plan, job.binary) if job.binary is not None else None
    emitted, lock = emitted_as_left(job)
    evidence = _evidence(job, emitted, lock, version)
    card = score(plan, evidence, missing_documents=missing_documents(job, "P3"), blockers=blockers(plan))
    scored = Gate(name="quality", passed=card.passed, says=_verdict(card))

    def documents(told: Told, record: PhaseRecord) -> dict[str, bytes]:
        words = {"evidence": evidence, "card": card, "target": job.mapping.target.title, "told": told}
        return {name: render(name, **words, gates=record.gates, record=record) for name in (_REPORT, _CARD)}

    return finish(
        job,
        "P3",
        command="parity config verify",
        told=_told(evidence, card),
        machine={EVIDENCE: canonical.encode(evidence), CARD: canonical.encode(card)},
        documents=documents,
        inputs={name: digest_of((job.out / name).read_bytes()) for name in (INVENTORY, PLAN, LOCK)},
        also=(scored,),
    )


def missing_documents(job: Job, phase: str) -> list[str]:
    """What earlier phases wrote and is gone or changed."""
    found = []
    for earlier in PHASES[: PHASES.index(phase)]:
        record = canonical.read(job.out / record_name(earlier), PhaseRecord)
        for name, digest in record.outputs.items():
            path = job.out / name
            if not path.is_file() or digest_of(path.read_bytes()) != digest:
                found.append(name)
    return found


def _evidence(job: Job, emitted: list[Emitted], lock: Lock, version: str | None) -> Evidence:
    inventory = canonical.read(job.out / INVENTORY, Inventory)
    plan = canonical.read(job.out / PLAN, Plan)
    emission = Emission.of(Tree(job.tree), inventory, plan, job.mapping, copies=job.copies)
    files = {one.path: one for one in emitted}
    alone = (same_bytes(job, emitted), resumed(job), without_links(job, emitted))
    guards = tuple(guard_checks(emission, files))
    if job.binary is None:
        checks, turns, sandbox = tuple(_not_run()), tuple(_no_turns()), False
    else:
        with stand(job, job.binary, emitted, lock) as made:
            lay_probes(made, emission)
            checks = (
                *_in_the_way(made, inventory, files),
                *command_checks(made, emission, files),
                *server_checks(made, emission, files),
            )
            turns = (edit_scenario(made, emission, files), review_scenario(made, emission))
            sandbox = made.sandbox
    scenarios = sorted((*alone, *turns), key=lambda one: one.id)
    return Evidence(
        evidence_schema_version=1,
        tree=job.name,
        generated_at=job.stamp,
        target=plan.target,
        target_version=plan.target_version,
        lock_sha256=digest_of(canonical.encode(lock)),
        binary_sha256=canonical.sha256_of(job.binary) if job.binary else None,
        binary_version=version,
        sandbox=sandbox,
        checks=(*checks, *guards),
        scenarios=tuple(scenarios),
    )


def _in_the_way(made: Stand, inventory: Inventory, files: Table[str, Emitted]) -> Iterator[Check]:
    """What somebody else wrote at the target's places and does not go with what is emitted."""
    instead, written = made.job.mapping.target.instead, made.job.mapping.target.instructions
    replacing = [one for one in inventory.findings if one.code == REPLACING]
    hiding = [one for one in replacing if f"{one.path.removesuffix(instead)}{written}" in files]
    told = [f"{one.path}: {one.message}" for one in (*made.in_the_way, *hiding)]
    yield judged(
        "target-free",
        "target",
        expected="nothing that others wrote stands in the way",
        observed="; ".join(dict.fromkeys(told)) or "nothing",
        passed=not told,
        critical=True,
    )


def _not_run() -> Iterator[Check]:
    for name, area in _NEEDED:
        yield judged(name, area, expected="an answer of the program", observed="there is no program", passed=None)


def _no_turns() -> Iterator[Scenario]:
    for name, objective in (
        ("S2", "A turn edits and tests, hooks fire, and a denied command is blocked."),
        ("S3", "A read-only reviewer is enforced, and findings come sorted."),
    ):
        step = judged(f"{name}-turn", "target", expected="a turn", observed="there is no program", passed=None)
        yield Scenario(
            id=name,
            objective=objective,
            preconditions="The target's program.",
            procedure="Not run: no program was named.",
            steps=(step,),
            result="not_run",
            notes="Name one with --binary.",
        )


def _verdict(card: Scorecard) -> str:
    told = f"the score is {card.points} of 100, and {LEAST:g} are asked for"
    failed = [one.name for one in card.categories if not one.passed]
    return "; ".join((told, *(f"{name} is below its gate" for name in failed), *card.critical))


def _told(evidence: Evidence, card: Scorecard) -> Told:
    steps = [step for one in evidence.scenarios for step in one.steps]
    rows = [*evidence.checks, *steps]
    states = [one.status for one in rows]
    odd = [one for one in rows if one.status != "pass"]
    return Told(
        done=(
            f"{len(rows)} checks: {states.count('pass')} passed, {states.count('fail')} failed, "
            f"{states.count('not_run')} were not run.",
            f"Score: {card.points} of 100, band {card.band}.",
        ),
        why=("What is emitted counts only as far as the target's own program takes it.",),
        remains=tuple(_unread(evidence))
        + tuple(f"{one.id}: {one.status}. Expected {one.expected}; observed {one.observed}." for one in odd),
        blocks=card.critical,
        questions=(),
        files=OUTPUTS,
        decided=tuple(f"{one.id}: {one.result}. {one.objective}" for one in evidence.scenarios),
        holds=("A check that was not run never passed.", "The score is computed from evidence.json."),
        more=_REPORT,
        steps=("Settle what is left: `parity config harden`, or correct and run again.",),
    )


def _unread(evidence: Evidence) -> Iterator[str]:
    version = evidence.binary_version
    if version not in (None, evidence.target_version):
        yield (
            f"The program is {version}, of which nobody has taken a snapshot: the plan knows what "
            f"{evidence.target_version} has, and not what is new since."
        )


def evidence_of(out: Path) -> Evidence:
    return canonical.read(out / EVIDENCE, Evidence)
