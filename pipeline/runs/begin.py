"""Beginning a run, going on with one that was cut off, and ending one. Each returns at once; the work is ``runner``'s.

Whoever writes holds the run's lock: here before the runner takes it over, or where there is none.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import secrets
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical, clock
from pipeline.errors import ParityError, RunRefused, UsageError, WriteFailed
from pipeline.process import detached
from pipeline.runs import manifest as shapes
from pipeline.runs import metrics
from pipeline.runs.folder import RunFolder, create, discard
from pipeline.runs.goals.prepare import Prepared, keep
from pipeline.runs.goals.worktree import Worktree
from pipeline.runs.journal import Journal, held, moment
from pipeline.runs.manifest import INTERVAL, STALE, AgentUsed, Command, Manifest, Sandbox, TransportName, Workspace
from pipeline.runs.poll import Beat, beat_of, poll, runner_of
from pipeline.runs.queue import keepable
from pipeline.runs.runner import MARK

# How long a runner that is told to end may take to do so by itself, in seconds.
POLITE = 10.0
# How often as long anybody may hold a run that shall end.
_PATIENCE = 6
_LOOK = 0.1


class Started(NamedTuple):
    """A run that was handed to its runner."""

    folder: RunFolder
    pid: int


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a run shall be carried out. ``binary`` is the agent's program; it stands in no file of the run."""

    task: str
    kind: str = "diagnostics"
    transport: TransportName = "local"
    agent: AgentUsed | None = None
    binary: Path | None = None
    sandbox: Sandbox | None = None
    permission_profile: str | None = None
    approval_policy: str = "never"
    timeout_seconds: float = 3600.0
    override: str | None = None
    notes: tuple[str, ...] = ()
    goal: Prepared | None = None


def start(repository: Path, commands: tuple[Command, ...], wish: Wish) -> Started:
    """Make the run's folder and start its runner. Raises UsageError, WriteFailed; nothing is left then."""
    if not 0 < wish.timeout_seconds < math.inf:
        raise UsageError("the time limit is no time", remedy="give seconds above 0")
    if wish.override is not None:
        keepable("the override", wish.override)
    now = clock.wall()
    folder = create(repository, wish.task, wish.kind, now)
    token = secrets.token_hex(32)
    at = clock.spelled(now)
    manifest = Manifest(
        schema_version=1,
        generator=f"cli-parity {version('cli-parity')}",
        run_id=folder.run_id,
        task=wish.task,
        kind=wish.kind,
        status="queued",
        created_at=at,
        updated_at=at,
        transport=wish.transport,
        agent=wish.agent,
        sandbox=wish.sandbox,
        permission_profile=wish.permission_profile,
        approval_policy=wish.approval_policy,
        timeout_seconds=wish.timeout_seconds,
        heartbeat_interval_seconds=INTERVAL,
        heartbeat_stale_after_seconds=STALE,
        token_sha256=_digest(token),
        workspace=Workspace(),
        commands=commands,
        attempts=(),
        guardrail="not_run" if any(each.guardrail for each in commands) else "missing",
        guardrail_override=wish.override,
        summary=tuple(f"Note: {note}" for note in wish.notes),
        log=folder.log.name,
        goal=wish.goal and wish.goal.goal,
    )
    try:
        with held(folder):
            _keep(folder.token, token)
            if wish.goal:
                keep(folder, wish.goal.settings)
            journal = Journal(folder, manifest)
            journal.beat()
            journal.write()
            return Started(folder, _spawn(folder, wish.binary))
    except ParityError:
        discard(folder)
        raise


def resume(folder: RunFolder, token: str, binary: Path | None = None) -> Started:
    """Go on with a run that was cut off or has failed. Every refusal stands in the run's log.

    Raises RunRefused for another token, a run that is alive or one that needs nothing any more, UsageError where the
    agent's binary is needed and not given.
    """
    try:
        now = poll(folder)
        if not hmac.compare_digest(_digest(token), now.manifest.token_sha256):
            raise RunRefused("the token is not this run's", where=folder.shown(folder.path), remedy=_REMEDY)
        if now.manifest.status in ("succeeded", "cancelled"):
            raise RunRefused(
                f"the run has ended: {now.manifest.status}", where=folder.shown(folder.path), remedy="start a new one"
            )
        if now.manifest.transport == "mcp" and now.manifest.agent is None:
            raise RunRefused(
                "the run is of an earlier program", where=folder.shown(folder.path), remedy="start a new one"
            )
        if now.alive:
            raise _busy(folder)
        if now.manifest.agent and now.manifest.needs_binary:
            _check_binary(binary, now.manifest.agent)
        # A runner that was asked to end says so before it lets go.
        with held(folder, wait=POLITE):
            # While this one waited, another may have gone on with the run, and that attempt may be over already.
            later = poll(folder)
            if later.alive:
                raise _busy(folder)
            if len(later.manifest.attempts) != len(now.manifest.attempts):
                problem = "another call has gone on with the run meanwhile"
                raise RunRefused(problem, where=folder.shown(folder.path), remedy="look at how that ended")
            _reset(Journal(folder, shapes.read(folder.manifest)))
            note(folder, "resume accepted")
            return Started(folder, _spawn(folder, binary))
    except ParityError as error:
        note(folder, f"resume refused: {error}")
        raise


def _busy(folder: RunFolder) -> RunRefused:
    remedy = f"wait for it, or `parity runs cancel {folder.run_id}`"
    return RunRefused("the run is alive", where=folder.shown(folder.path), remedy=remedy)


_REMEDY = "give the one that `.resume-token` in the run's folder holds"


def cancel(folder: RunFolder) -> Manifest:
    """End a run with all that it started, and return its manifest. Raises RunRefused where it has ended."""
    if poll(folder).over:
        raise RunRefused("the run has ended", where=folder.shown(folder.path), remedy="`parity runs poll` shows how")
    canonical.write(folder.cancelled, canonical.encode({"requested_at": moment()}))
    began = time.monotonic()
    kill_at = began + POLITE
    while True:
        try:
            with held(folder, wait=_LOOK):
                return _ended(Journal(folder, shapes.read(folder.manifest)))
        except RunRefused:
            now = time.monotonic()
            if now >= began + _PATIENCE * POLITE:
                raise  # whoever holds it is no runner
            if now >= kill_at:
                _kill(folder)
                kill_at = now + POLITE


def _ended(journal: Journal) -> Manifest:
    detached.kill_marked(MARK, journal.folder.run_id)
    if journal.now.goal:
        Worktree(journal.folder, journal.now.goal.base).remove()
    if journal.now.status not in shapes.ENDED:
        journal.finish("cancelled", "cancelled", detail="cancelled", seconds=None)
        metrics.record(journal.folder.task_folder, metrics.lines_of(journal.folder, journal.now))
    elif journal.now.status != "cancelled":
        # It came too late, and whoever resumes the run does not mean it.
        journal.folder.cancelled.unlink(missing_ok=True)
    return journal.now


def _kill(folder: RunFolder) -> None:
    now = shapes.read(folder.manifest)
    if runner := runner_of(now, beat_of(folder, now)):
        detached.kill(*runner, folder.runner_words)


def _reset(journal: Journal) -> None:
    """Close what was cut off, take over what had succeeded, and let the rest wait again."""
    folder = journal.folder
    journal.now = shapes.settle(journal.now, beat_of(folder, journal.now).updated_at)
    for command in journal.now.commands:
        if command.status == "running":
            journal.adopt(command)
    metrics.record(folder.task_folder, metrics.lines_of(folder, journal.now))
    commands = tuple(
        each
        if each.status == "succeeded"
        else Command(
            index=each.index, id=each.id, argv=each.argv, status="pending", guardrail=each.guardrail, role=each.role
        )
        for each in journal.now.commands
    )
    notes = tuple(note for note in journal.now.summary if note.startswith("Note:"))
    journal.beat()
    journal.write(commands=commands, status="queued", status_detail="resuming", completed_at=None, summary=notes)


def _check_binary(binary: Path | None, agent: AgentUsed) -> None:
    if binary is None:
        raise UsageError(f"the run needs the binary of {agent.name} {agent.version}", remedy="give it with --binary")
    if canonical.sha256_of(binary) != agent.sha256:
        raise UsageError(
            f"it is not the binary that the run began with ({agent.name} {agent.version})",
            where=binary.name,
            remedy="give that one, or start a new run",
        )


def _spawn(folder: RunFolder, binary: Path | None) -> int:
    """Start the runner, which waits for the lock that the caller holds."""
    # -P: a repository that has a folder of our name must not be taken for this library.
    words = [sys.executable, "-P", "-m", *folder.runner_words]
    env = {name: value for name, value in os.environ.items() if name != MARK}
    words += [str(binary.absolute())] if binary else []
    try:
        pid = detached.start(words, env=env, cwd=folder.repository, output=folder.log)
    except OSError as error:
        problem = f"the runner cannot be started: {error.strerror or error}"
        raise WriteFailed(problem, where=folder.log, remedy="fix the permissions") from None
    # Until it says so itself: nobody else may go on with the run, and one that dies at once is seen to be gone.
    beat = Beat(updated_at=moment(), pid=pid, pid_started=detached.started(pid) or 0.0)
    canonical.write(folder.heartbeat, canonical.encode(beat))
    return pid


def _digest(token: str) -> str:
    return hashlib.sha256(os.fsencode(token)).hexdigest()


def _keep(path: Path, token: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(token.encode("ascii"))
    except OSError as error:
        raise WriteFailed(
            f"cannot be written: {error.strerror or error}", where=path, remedy="fix the permissions"
        ) from None


def note(folder: RunFolder, line: str) -> None:
    """One line at the end of the log. A log that cannot be written hides no refusal."""
    try:
        with folder.log.open("ab") as stream:
            stream.write(f"{moment()} {line}\n".encode())
    except OSError:
        return
