"""P2 as a phase: the output tree, the lock and the report; and applying it to the repository."""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.config.apply import apply, conflicts
from pipeline.config.documents import render, span
from pipeline.config.emit import Emitted, emit
from pipeline.config.emit.output import Way
from pipeline.config.gates import Gate, PhaseRecord, digest_of, enter
from pipeline.config.handoff import Told
from pipeline.config.lock import LOCK, Lock, locked
from pipeline.config.output_tree import changed, write_output
from pipeline.config.phase_inventory import INVENTORY, spoken
from pipeline.config.phase_plan import PLAN, read_plan
from pipeline.config.phases import Done, Job, finish, pair
from pipeline.config.safety import loosenings
from pipeline.config.tree import Tree
from pipeline.config.values import Finding
from pipeline.errors import GateFailed

OUTPUT = "output"
_REPORT = "P2_IMPLEMENTATION_REPORT.md"
OUTPUTS = (LOCK, _REPORT, *pair("P2"))
_WHY: dict[Way, str] = {
    "link": "The target reads the same text.",
    "copy": "The bytes are those of the source.",
    "generated": "What the target reads is written otherwise.",
}


def emitted_of(job: Job) -> tuple[list[Emitted], Lock]:
    """What P1's plan says to write. Raises GateFailed where what it rests on has changed."""
    inventory, plan = read_plan(job)
    tree = Tree(job.tree)
    emitted = emit(tree, inventory, plan, job.mapping, copies=job.copies)
    lock = Lock(
        lock_schema_version=1,
        mapping=plan.mapping,
        tree=plan.tree,
        target_version=plan.target_version,
        plan_sha256=digest_of(canonical.encode(plan)),
        files=locked(emitted, tree),
    )
    return emitted, lock


def emitted_as_left(job: Job) -> tuple[list[Emitted], Lock]:
    """``emitted_of``, where P2 has written just that. Raises GateFailed where its lock or its output is another."""
    emitted, lock = emitted_of(job)
    place, remedy = job.out / LOCK, "run the phase emit again"
    if canonical.read_bytes(place) != canonical.encode(lock):
        told = "the same options and version are asked for in every phase"
        raise GateFailed("P2 would write another one now", where=place, remedy=f"{remedy}; {told}")
    for path in changed(job.out / OUTPUT, emitted):
        raise GateFailed("it is not as P2 left it", where=path, remedy=remedy)
    return emitted, lock


def run_emit(job: Job) -> Done:
    """Raises GateFailed at the entry, WriteFailed where the output cannot be written."""
    job.check()
    enter(job.out, "P2")
    emitted, lock = emitted_of(job)
    loose = loosenings(emitted, job.mapping)
    safe = Gate(
        name="quality",
        passed=not loose,
        says="; ".join(loose) if loose else "nothing that is written allows more than the source",
    )
    paths = write_output(job.out / OUTPUT, emitted)

    def documents(told: Told, record: PhaseRecord) -> dict[str, bytes]:
        return {_REPORT: render(_REPORT, **_words(lock, job), told=told, gates=record.gates, record=record)}

    done = finish(
        job,
        "P2",
        command="parity config emit",
        told=_told(lock, loose, conflicts(job.tree, emitted, _folder(job))),
        machine={LOCK: canonical.encode(lock)},
        documents=documents,
        inputs={name: digest_of((job.out / name).read_bytes()) for name in (INVENTORY, PLAN)},
        also=(safe,),
    )
    return Done(done.record, (*paths, *done.paths))


def apply_to(job: Job, repository: Path) -> tuple[list[Path], list[Finding]]:
    """Put the emitted files into a repository; returns what was written, or the conflicts, and then nothing was."""
    emitted, lock = emitted_of(job)
    return apply(repository, emitted, lock, _folder(job))


def _folder(job: Job) -> str:
    """Where the repository keeps the lock: beside the target's config."""
    return Path(job.mapping.target.config).parent.as_posix()


def _told(lock: Lock, loose: list[str], in_the_way: list[Finding]) -> Told:
    modes = [one.mode for one in lock.files]
    return Told(
        done=(f"{len(modes)} files were written: " + ", ".join(f"{modes.count(way)} {way}" for way in _WHY) + ".",),
        why=("Every file follows from decisions of the plan; the rules that made it are named in parity.lock.json.",),
        remains=tuple(spoken(one) for one in in_the_way),
        blocks=tuple(loose),
        questions=(),
        files=OUTPUTS,
        decided=tuple(f"{one.target}: {one.mode}, by {', '.join(one.rule_ids)}." for one in lock.files),
        holds=(
            "A file that is not ours is never overwritten; a config is merged key by key.",
            "The lock says what is ours, from what, and how it can be checked for drift.",
        ),
        more=_REPORT,
        steps=(
            "Look at the output folder, then put it into the repository: `parity config emit --apply`.",
            "Have the project's hooks trusted by a person who has read them.",
        ),
    )


def _words(lock: Lock, job: Job) -> Json:
    return {
        "lock": lock,
        "target": job.mapping.target.title,
        "copies": job.copies,
        "sources": {one.target: ", ".join(span(source.path) for source in one.sources) for one in lock.files},
        "why": {one.target: _WHY[one.mode] for one in lock.files},
    }
