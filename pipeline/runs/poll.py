"""Looking at runs without changing anything: one of them now, or all of a repository.

Whether a run is alive is computed here: by the age of its heartbeat, and by its process, told from a later one with
the same id by its start, or by what it was called with. A clock that was set back makes no heartbeat stale.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline import canonical, clock
from pipeline.canonical import Json
from pipeline.errors import ParityError
from pipeline.process import detached
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import RunFolder, every
from pipeline.runs.manifest import ENDED, Manifest


class Beat(msgspec.Struct):
    """``heartbeat.json``."""

    updated_at: str
    # Of a runner that has not written anything yet.
    pid: int | None = None
    pid_started: float = 0.0


class Polled(NamedTuple):
    """A run as it is now. ``alive`` is None where no process has begun, or none is needed any more."""

    folder: RunFolder
    manifest: Manifest
    updated_at: str
    age_seconds: int
    stale: bool
    alive: bool | None
    polled_at: str

    @property
    def over(self) -> bool:
        return self.manifest.status in ENDED

    @property
    def cut_off(self) -> bool:
        """Nobody carries it out any more, and it has not ended."""
        return not self.over and (self.stale if self.alive is None else not self.alive)

    @property
    def detail(self) -> str | None:
        if self.cut_off:
            return "runner-gone" if self.alive is False else "stale-heartbeat"
        return "stale-heartbeat" if self.stale else self.manifest.status_detail


def poll(folder: RunFolder) -> Polled:
    """Raises ArtifactMissing, ArtifactInvalid."""
    found = shapes.read(folder.manifest)
    beat = beat_of(folder, found)
    alive = _alive(folder, found, beat)
    while alive is False and (later := shapes.read(folder.manifest)) != found:
        # It ended, or began, between the two looks.
        found, beat = later, beat_of(folder, later)
        alive = _alive(folder, found, beat)
    now = clock.wall()
    updated_at = beat.updated_at
    age = max(0, int((now - _parsed(updated_at, now)).total_seconds()))
    return Polled(
        folder=folder,
        manifest=found,
        updated_at=updated_at,
        age_seconds=age,
        stale=found.status not in ENDED and age > found.heartbeat_stale_after_seconds,
        alive=alive,
        polled_at=clock.spelled(now),
    )


def beat_of(folder: RunFolder, manifest: Manifest) -> Beat:
    """When the run was last seen alive."""
    try:
        return canonical.decode(canonical.read_bytes(folder.heartbeat), Beat, folder.heartbeat)
    except ParityError:
        return Beat(updated_at=manifest.updated_at)


def _alive(folder: RunFolder, manifest: Manifest, beat: Beat) -> bool | None:
    if manifest.status not in ("queued", "in_progress"):
        return None
    if manifest.status == "queued" and beat.pid is None:
        return None
    runner = runner_of(manifest, beat)
    return runner is not None and detached.alive(*runner, folder.runner_words)


def runner_of(manifest: Manifest, beat: Beat) -> tuple[int, float] | None:
    """The process that carries a run out, as far as is known: its id and its start."""
    if manifest.status == "queued" and beat.pid is not None:
        return beat.pid, beat.pid_started
    *_, last = manifest.attempts or (None,)
    return (last.pid, last.pid_started) if last is not None and last.outcome == "running" else None


def _parsed(text: str, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return otherwise


def document(polled: Polled) -> Json:
    """What `parity runs poll` prints as JSON. Paths are the repository's."""
    folder, found = polled.folder, polled.manifest
    names = ("index", "id", "argv", "status", "summary", "exit_code", "started_at", "completed_at", "attempt")

    def shown(name: str | None) -> str | None:
        return name and folder.shown(folder.path / name)

    goal = found.goal and {
        "patch": shown(found.goal.patch),
        "changed": list(found.goal.changed),
        "findings": found.goal.findings,
        "applied": any(each.outcome == "applied" for each in found.approvals),
    }
    return {
        "run_id": found.run_id,
        "status": found.status,
        "status_detail": polled.detail,
        "started_at": found.created_at,
        "completed_at": found.completed_at,
        "manifest": folder.shown(folder.manifest),
        "artifact_root": folder.shown(folder.path),
        "compat_path": folder.shown(folder.pointer),
        "polled_at": polled.polled_at,
        "runner_alive": polled.alive,
        "guardrail": found.guardrail,
        "summary": list(found.summary),
        **({"goal": goal} if goal else {}),
        "heartbeat": {
            "updated_at": polled.updated_at,
            "age_seconds": polled.age_seconds,
            "stale": polled.stale,
            "interval_seconds": found.heartbeat_interval_seconds,
            "stale_after_seconds": found.heartbeat_stale_after_seconds,
        },
        "commands": [
            {
                "command": shlex.join(each.argv),
                **{name: getattr(each, name) for name in names},
                "response_file": shown(each.response_file),
                "error_file": shown(each.error_file),
            }
            for each in found.commands
        ],
    }


class Row(NamedTuple):
    """A run in a list; ``problem`` says why there is no manifest to show."""

    folder: RunFolder
    manifest: Manifest | None
    problem: str | None


def listing(repository: Path, task: str | None = None) -> Iterator[Row]:
    """All runs of a repository, or of one task, oldest first; one that cannot be read is told, not left out."""
    for folder in every(repository):
        if task is None or folder.task_folder.name == task:
            try:
                yield Row(folder, shapes.read(folder.manifest), None)
            except ParityError as error:
                yield Row(folder, None, error.problem)
