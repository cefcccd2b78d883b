"""The only writer of a run's folder, for whoever holds the run's lock.

Each file is replaced as a whole, so that a reader sees the old one or the new one. A command has succeeded once its
response lies there: the manifest follows, and ``adopt`` makes up for it where the writer was killed in between.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from filelock import FileLock, Timeout

from pipeline import canonical, clock
from pipeline.canonical import Json
from pipeline.errors import ParityError, RunRefused, WriteFailed
from pipeline.process.secrets import redacted, secrets_of
from pipeline.runs import manifest as shapes
from pipeline.runs.folder import RunFolder, numbered
from pipeline.runs.manifest import Command, Guardrail, Manifest, Outcome, Status
from pipeline.surface.units import Shape

# How much of each stream an error quotes, in characters.
_QUOTED = 8 << 10
_SUMMARY = 200

Reason = Literal[
    "command-failed",
    "time-limit",
    "malformed-tool-response",
    "tool-invocation-error",
    "runner-error",
    "turn-failed",
    "turn-refused",
    "answer-unfit",
    "nothing-changed",
]


class Response(Shape, frozen=True, kw_only=True):
    """How a command ended. The streams are cut in their middle where they are long (see ``transport``)."""

    run_id: str
    command_index: int
    command_id: str
    attempt: int
    started_at: str
    completed_at: str
    duration_seconds: float
    exit_code: int
    timed_out: bool
    stdout: str
    stderr: str


@contextlib.contextmanager
def held(folder: RunFolder, *, wait: float = 0.0) -> Iterator[None]:
    """Hold a run alone, for ``wait`` seconds at most waiting for it. Raises RunRefused where another process does."""
    lock = FileLock(folder.lock)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise RunRefused(
            "another process carries this run out",
            where=folder.shown(folder.path),
            remedy=f"wait for it, or `parity runs cancel {folder.run_id}`",
        ) from None
    except OSError as error:
        raise WriteFailed(
            f"cannot be locked: {error.strerror or error}", where=folder.lock, remedy="fix the permissions"
        ) from None
    try:
        yield
    finally:
        lock.release()


class Journal:
    """A run's files, while its lock is held. ``now`` is the manifest as it was written last."""

    def __init__(self, folder: RunFolder, now: Manifest) -> None:
        self.folder = folder
        self.now = now
        self._secrets = secrets_of(os.environ)
        # Why the first command that failed did.
        self.reason: Reason | None = None

    def write(self, **changes: Any) -> None:
        """Change fields of the manifest."""
        self.now = msgspec.structs.replace(self.now, updated_at=moment(), **changes)
        canonical.write(self.folder.manifest, shapes.encode(self.now))

    def command(self, index: int, **changes: Any) -> None:
        """Change fields of one command, by its index from 1."""
        self.write(commands=self._with(index, **changes))

    def beat(self) -> None:
        canonical.write(self.folder.heartbeat, canonical.encode({"updated_at": moment()}))

    def say(self, line: str) -> None:
        """A line in the log, which is the runner's standard error."""
        sys.stderr.write(f"{moment()} {redacted(line, self._secrets)}\n")
        sys.stderr.flush()

    def respond(self, command: Command, response: Response) -> None:
        """Write a command's response, an error where it failed, and the manifest."""
        stdout, stderr = (redacted(text, self._secrets) for text in (response.stdout, response.stderr))
        response = msgspec.structs.replace(response, stdout=stdout, stderr=stderr)
        name = numbered("commands", command.index, command.id, response.attempt)
        canonical.write(self.folder.path / name, canonical.encode(response))
        self._take(command, response, name)

    def adopt(self, command: Command) -> bool:
        """Take over the response that a killed writer left of a command; whether there was one."""
        name = numbered("commands", command.index, command.id, command.attempt or 1)
        path = self.folder.path / name
        if not path.is_file():
            return False
        self._take(command, canonical.read(path, Response), name)
        return True

    def _take(self, command: Command, response: Response, name: str) -> None:
        fine = response.exit_code == 0 and not response.timed_out
        error_file = None
        if not fine:
            details = {
                "exit_code": response.exit_code,
                "summary": _ended(response),
                "stdout": response.stdout,
                "stderr": response.stderr,
            }
            reason: Reason = "time-limit" if response.timed_out else "command-failed"
            self.reason = self.reason or reason
            error_file = self.error(command, reason, details)
        self.command(
            command.index,
            status="succeeded" if fine else "failed",
            completed_at=response.completed_at,
            duration_seconds=response.duration_seconds,
            exit_code=response.exit_code,
            summary=_ended(response),
            response_file=name,
            error_file=error_file,
        )

    def fail(self, command: Command, error: ParityError, reason: Reason) -> None:
        """A command that could not be carried out."""
        self.reason = self.reason or reason
        remedy = error.remedy or "look at the log; the transport local needs no server"
        details = {"message": self._placeless(str(error)), "error_code": error.code, "remedy": remedy}
        self.command(
            command.index,
            status="failed",
            completed_at=moment(),
            summary=redacted(self._placeless(error.problem), self._secrets)[:_SUMMARY],
            error_file=self.error(command, reason, details),
        )

    def _placeless(self, text: str) -> str:
        """What a program says of itself names places of the machine."""
        text = text.replace(str(self.folder.repository), "{repository}")
        home = os.environ.get("HOME", "").rstrip("/")
        return text.replace(home, "~") if home else text

    def error(self, command: Command | None, reason: Reason, details: Json) -> str:
        """Write an error, of a command or of the runner itself; its name in the folder."""
        index, identifier = (command.index, command.id) if command else (0, "runner")
        attempt = self.now.attempts[-1].number if self.now.attempts else 1
        name = numbered("errors", index, identifier, attempt)
        document = {
            "run_id": self.folder.run_id,
            "task": self.now.task,
            "attempt": attempt,
            "command_index": index,
            "command_id": identifier,
            "created_at": moment(),
            "reason": reason,
            "details": self._capped(details),
        }
        canonical.write(self.folder.path / name, canonical.encode(document))
        return name

    def finish(self, status: Status, outcome: Outcome, *, detail: str | None = None, seconds: float | None) -> None:
        """The end of an attempt, and with every outcome but ``interrupted`` that of the run."""
        ended = moment()
        left: dict[str, str] = {"pending": "skipped", "running": "cancelled"}
        over = outcome != "interrupted"
        commands = tuple(
            msgspec.structs.replace(each, status=left.get(each.status, each.status)) if over else each
            for each in self.now.commands
        )
        attempts = tuple(
            msgspec.structs.replace(each, outcome=outcome, ended_at=ended, duration_seconds=seconds)
            if each.outcome == "running"
            else each
            for each in self.now.attempts
        )
        guardrail = guardrail_of(commands)
        self.write(
            status=status,
            status_detail=detail,
            completed_at=ended if over else None,
            commands=commands,
            attempts=attempts,
            guardrail=guardrail,
            summary=_summary(commands, guardrail, self.now.summary, tuple(_of_goal(self.now))),
        )

    def _with(self, index: int, **changes: Any) -> tuple[Command, ...]:
        return tuple(
            msgspec.structs.replace(each, **changes) if each.index == index else each for each in self.now.commands
        )

    def _capped(self, details: Json) -> Json:
        found: Json = {}
        for key, value in details.items():
            text = redacted(value, self._secrets) if isinstance(value, str) else value
            found[key] = text[-_QUOTED:] if isinstance(text, str) else text
            if isinstance(text, str) and len(text) > _QUOTED:
                found[f"{key}_truncated"] = True
        return found


def moment() -> str:
    return clock.spelled(clock.wall())


def guardrail_of(commands: tuple[Command, ...]) -> Guardrail:
    """What a queue's guardrails say together."""
    states = {each.status for each in commands if each.guardrail}
    if not states:
        return "missing"
    if "failed" in states:
        return "failed"
    return "passed" if states == {"succeeded"} else "not_run"


_ADVICE: dict[Guardrail, str] = {
    "missing": "No guardrail is in the queue: nobody has checked that specs follow the code.",
    "failed": "A guardrail failed: bring the specs up to date, or override it with a reason.",
    "not_run": "The guardrail did not run: repair what failed before it, then resume.",
}


def _summary(
    commands: tuple[Command, ...], guardrail: Guardrail, notes: tuple[str, ...], goal: tuple[str, ...]
) -> tuple[str, ...]:
    done = sum(each.status == "succeeded" for each in commands)
    counts = f"{done} of {len(commands)} commands succeeded."
    failed = [f"`{each.id}` failed: {each.summary}" for each in commands if each.status == "failed"]
    advice = [_ADVICE[guardrail]] if guardrail in _ADVICE else []
    kept = [note for note in notes if note.startswith("Note:")]
    return (counts, *failed, *goal, *advice, *kept)


def _of_goal(manifest: Manifest) -> Iterator[str]:
    goal = manifest.goal
    if goal is None:
        return
    if manifest.workspace.changed:
        yield "What was not committed when the run began is not part of what the agent worked on."
    if goal.patch:
        files = f"{len(goal.changed)} file{'' if len(goal.changed) == 1 else 's'}"
        yield f"The patch changes {files}; nothing of it is in the working tree until it is applied."
    if goal.findings is not None:
        found = ", ".join(f"{count} {severity}" for severity, count in goal.findings.items() if count)
        yield f"The reviewer found {found or 'nothing'}."


def _ended(response: Response) -> str:
    if response.timed_out:
        return f"did not end in time; stopped after {response.duration_seconds:g} s"
    return f"exit code {response.exit_code}"
