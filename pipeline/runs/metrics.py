"""Measures of runs: one line per attempt in ``metrics.jsonl`` of the task, and a summary that follows from the lines.

A line follows from the run's folder. It is written when an attempt has ended, and made up for by the next one or by
``summarize`` where the writer was killed; a key of run and attempt is there once. Changes are made under a lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, ArtifactMissing, TreeBusy, WriteFailed
from pipeline.runs.folder import RunFolder
from pipeline.runs.manifest import Guardrail, Manifest, Outcome
from pipeline.runs.poll import listing
from pipeline.runs.review import lacks
from pipeline.surface.units import Shape

NAME, SUMMARY = "metrics.jsonl", "metrics-summary.json"
_WAIT = 60.0
# The share of attempts that shall be open to review from their artifacts alone.
TARGET = 0.95


class Line(Shape, frozen=True, kw_only=True):
    """One attempt. ``lacks`` is what a reviewer would miss."""

    run_id: str
    attempt: int
    task: str
    kind: str
    started_at: str
    completed_at: str
    duration_seconds: float | None = None
    status: Outcome
    commands_passed: int
    commands_failed: int
    guardrail: Guardrail
    lacks: tuple[str, ...]
    artifact_path: str


class Summary(Shape, frozen=True, kw_only=True):
    """Shares are of the attempts, from 0 to 1; None where there is none."""

    task: str
    metrics_file: str
    attempts: int
    runs: int
    succeeded: int
    failed: int
    cancelled: int
    interrupted: int
    success_rate: float | None
    guardrail_coverage: float | None
    reviewable: float | None
    reviewable_target: float
    average_duration_seconds: float | None
    parse_errors: tuple[str, ...]


def lines_of(folder: RunFolder, manifest: Manifest) -> Iterator[Line]:
    """The lines of the attempts that have ended."""
    *_, last = manifest.attempts or (None,)
    for attempt in manifest.attempts:
        if attempt.outcome == "running" or attempt.ended_at is None:
            continue
        mine = [each for each in manifest.commands if each.attempt == attempt.number]
        yield Line(
            run_id=manifest.run_id,
            attempt=attempt.number,
            task=manifest.task,
            kind=manifest.kind,
            started_at=attempt.started_at,
            completed_at=attempt.ended_at,
            duration_seconds=attempt.duration_seconds,
            status=attempt.outcome,
            commands_passed=sum(each.status == "succeeded" for each in mine),
            commands_failed=sum(each.status == "failed" for each in mine),
            guardrail=manifest.guardrail if attempt is last else "not_run",
            lacks=tuple(lacks(folder, manifest)) if attempt is last else (),
            artifact_path=folder.shown(folder.path),
        )


def record(task: Path, lines: Iterable[Line]) -> None:
    """Add the lines whose key is not there yet. Raises WriteFailed, TreeBusy."""
    lines = list(lines)
    path = task / NAME
    with _locked(task):
        kept, known = _rows(path)
        added = [line for line in lines if (line.run_id, line.attempt) not in known]
        if added:
            canonical.write(path, b"".join([*kept, *(msgspec.json.encode(line) + b"\n" for line in added)]))


@contextlib.contextmanager
def _locked(task: Path) -> Iterator[None]:
    lock = FileLock(task / f".{NAME}.lock", timeout=_WAIT)
    try:
        lock.acquire()
    except Timeout:
        raise TreeBusy("the metrics are locked", where=task / NAME, remedy="`parity runs summarize` later") from None
    except OSError as error:
        problem = f"cannot be locked: {error.strerror or error}"
        raise WriteFailed(problem, where=task / NAME, remedy="fix the permissions") from None
    try:
        yield
    finally:
        lock.release()


def catch_up(task: Path) -> None:
    """Add what a killed writer could not."""
    known = {(line.run_id, line.attempt) for line in read(task / NAME)[0]}
    missing: list[Line] = []
    for row in listing(task.parent.parent, task.name):
        if row.manifest and any((row.manifest.run_id, each.number) not in known for each in row.manifest.attempts):
            missing += lines_of(row.folder, row.manifest)
    if missing:
        record(task, missing)


def summarize(task: Path) -> Summary:
    """What the lines say together; nothing else goes in, so that it can be computed again."""
    lines, problems = read(task / NAME)
    total = len(lines)
    durations = [line.duration_seconds for line in lines if line.duration_seconds is not None]

    def count(outcome: Outcome) -> int:
        return sum(line.status == outcome for line in lines)

    def share(number: int) -> float | None:
        return round(number / total, 4) if total else None

    return Summary(
        task=task.name,
        metrics_file=NAME,
        attempts=total,
        runs=len({line.run_id for line in lines}),
        succeeded=count("succeeded"),
        failed=count("failed"),
        cancelled=count("cancelled"),
        interrupted=count("interrupted"),
        success_rate=share(count("succeeded")),
        guardrail_coverage=share(sum(line.guardrail in ("passed", "failed") for line in lines)),
        reviewable=share(sum(not line.lacks for line in lines)),
        reviewable_target=TARGET,
        average_duration_seconds=round(sum(durations) / len(durations), 3) if durations else None,
        parse_errors=tuple(problems),
    )


def text(summary: Summary) -> str:
    """A summary in plain lines."""

    def percent(share: float | None) -> str:
        return "unknown" if share is None else f"{share:.0%}"

    seconds = summary.average_duration_seconds
    rows = (
        f"{summary.task}: {summary.runs} runs, {summary.attempts} attempts",
        f"succeeded {summary.succeeded}, failed {summary.failed}, cancelled {summary.cancelled}, "
        f"interrupted {summary.interrupted}",
        f"success rate {percent(summary.success_rate)}, guardrails {percent(summary.guardrail_coverage)}",
        f"open to review {percent(summary.reviewable)} (target {percent(summary.reviewable_target)})",
        f"average duration {'unknown' if seconds is None else f'{seconds:g} s'}",
        *summary.parse_errors,
    )
    return "".join(f"{row}\n" for row in rows)


def read(path: Path) -> tuple[list[Line], list[str]]:
    """The lines of a file, and what is wrong with those that are none."""
    lines, problems = [], []
    for number, raw in enumerate(_raw(path), 1):
        try:
            lines.append(canonical.decode(raw, Line, path))
        except ArtifactInvalid as error:
            problems.append(f"line {number}: {error.problem}")
    return lines, problems


def _rows(path: Path) -> tuple[list[bytes], set[tuple[str, int]]]:
    lines, _ = read(path)
    return [row + b"\n" for row in _raw(path)], {(line.run_id, line.attempt) for line in lines}


def _raw(path: Path) -> list[bytes]:
    try:
        return canonical.read_bytes(path).splitlines()
    except ArtifactMissing:
        return []
