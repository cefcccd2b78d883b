"""The process that carries a run out: ``python -P -m pipeline.runs.runner FOLDER [BINARY]``.

It holds the run's lock for as long as it lives and is the only one that writes there. Commands that have succeeded
are not run again; the first that fails ends the run. It is asked to end by ``cancel.json`` (the run is over then) or
by SIGTERM, SIGINT or SIGHUP (it may be resumed).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from pipeline import clock
from pipeline.errors import (
    AnswerMalformed,
    AnswerUnfit,
    NothingChanged,
    ParityError,
    TreeBusy,
    TurnFailed,
    TurnRefused,
    WriteFailed,
)
from pipeline.process import detached
from pipeline.runs import manifest as shapes
from pipeline.runs import metrics, workspace
from pipeline.runs.folder import RunFolder
from pipeline.runs.goals.steps import steps
from pipeline.runs.journal import Journal, Reason, Response, held, moment
from pipeline.runs.manifest import ENDED, OVERRIDE, Attempt, Command, Outcome, Status
from pipeline.runs.queue import placed
from pipeline.runs.transport import Local, Result, Transport, through_agent
from pipeline.wrapper.serving import DEFAULT, Policy, servers

# Names the run in the environment of all that it starts, so that what a killed runner left is found.
MARK = "PARITY_RUN"
_Carry: TypeAlias = Callable[[Command], Awaitable[Result]]
_REASONS: tuple[tuple[type[ParityError], Reason], ...] = (
    (AnswerMalformed, "malformed-tool-response"),
    (TurnFailed, "turn-failed"),
    (TurnRefused, "turn-refused"),
    (AnswerUnfit, "answer-unfit"),
    (NothingChanged, "nothing-changed"),
)
_OTHER: Reason = "tool-invocation-error"
# How long whoever began the run may still hold its lock, in seconds.
_HANDOVER = 20.0
_LOOK = 0.2


def main(argv: Sequence[str]) -> int:
    """Carry a run out; the exit code is 0 where it succeeded."""
    folder, binary = RunFolder(Path(argv[0])), Path(argv[1]) if argv[1:] else None
    try:
        with held(folder, wait=_HANDOVER):
            journal = Journal(folder, shapes.read(folder.manifest))
            if journal.now.status in ENDED:
                return 1
            try:
                outcome = _attempt(journal, binary)
            except ParityError as error:
                # A disk that is full for a response may have room for this; the log has it in any case.
                with contextlib.suppress(ParityError):
                    details = {"message": str(error), "error_code": error.code, "remedy": error.remedy}
                    journal.error(None, "runner-error", details)
                raise
            try:
                metrics.record(folder.task_folder, metrics.lines_of(folder, journal.now))
            except (TreeBusy, WriteFailed) as error:
                journal.say(f"no line in the metrics yet: {error}")
            journal.say(f"ended: {outcome}")
            return 0 if outcome == "succeeded" else 1
    except ParityError as error:
        sys.stderr.write(f"{moment()} {error}\n")
        return 1


def _attempt(journal: Journal, binary: Path | None) -> Outcome:
    began = time.monotonic()
    number = len(journal.now.attempts) + 1
    pid = os.getpid()
    attempt = Attempt(
        number=number,
        pid=pid,
        pid_started=detached.started(pid) or 0.0,
        started_at=moment(),
        outcome="running",
    )
    journal.beat()
    journal.write(status="in_progress", status_detail=None, attempts=(*journal.now.attempts, attempt))
    journal.say(f"attempt {number}, process {pid}")
    if number > 1 and (ended := detached.kill_marked(MARK, journal.folder.run_id)):
        journal.say(f"ended {ended} processes that an earlier attempt had left")
    if journal.now.workspace.revision is None:
        # Also where an earlier attempt was killed before it could look.
        journal.write(workspace=workspace.observe(journal.folder))
    outcome: Outcome
    try:
        outcome = asyncio.run(_Runner(journal, binary, number).run())
        detail = None if outcome == "succeeded" else _detail(journal, outcome)
    except ParityError:
        raise  # the manifest cannot be written: what lies there is what is known
    except Exception:  # noqa: BLE001 - a bug too must stand in the run, or it would look alive
        journal.error(None, "runner-error", {"message": traceback.format_exc()})
        outcome, detail = "failed", "runner-error"
        traceback.print_exc()
    journal.write(workspace=workspace.observe_after(journal.folder, journal.now.workspace))
    journal.beat()
    status: Status = "in_progress" if outcome == "interrupted" or outcome == "running" else outcome  # noqa: PLR1714
    journal.finish(status, outcome, detail=detail, seconds=round(time.monotonic() - began, 3))
    return outcome


def _detail(journal: Journal, outcome: Outcome) -> str:
    if outcome == "failed" and any(each.status == "failed" for each in journal.now.commands):
        return journal.reason or "command-failed"
    return outcome


class _Runner:
    """One attempt on the event loop."""

    def __init__(self, journal: Journal, binary: Path | None, number: int) -> None:
        self._journal = journal
        self._folder = journal.folder
        self._binary = binary
        self._number = number
        self._stopped: Outcome | None = None

    async def run(self) -> Outcome:
        work = asyncio.ensure_future(self._commands())
        watching = asyncio.ensure_future(self._watch(work))
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._stop, work, "interrupted")
        try:
            await asyncio.wait([work, watching], return_when=asyncio.FIRST_COMPLETED)
            if watching.done() and not work.done():
                work.cancel()
                await asyncio.wait([work])
                watching.result()
            if work.cancelled():
                return self._stopped or "interrupted"
            return work.result()
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    def _stop(self, work: asyncio.Future[Outcome], outcome: Outcome) -> None:
        self._stopped = outcome
        work.cancel()

    async def _watch(self, work: asyncio.Future[Outcome]) -> None:
        """Beat, and look whether the run was cancelled; ends with the work, or raises what keeps it from writing."""
        due = 0.0
        while not work.done():
            if time.monotonic() >= due:
                self._journal.beat()
                due = time.monotonic() + self._journal.now.heartbeat_interval_seconds
            if self._folder.cancelled.exists():
                self._stop(work, "cancelled")
                return
            await asyncio.sleep(_LOOK)

    async def _commands(self) -> Outcome:
        waiting = [each for each in self._journal.now.commands if each.status == "pending"]
        if not waiting and self._journal.now.goal is None:
            return "succeeded"
        env = {**os.environ, MARK: self._folder.run_id}
        if reason := self._journal.now.guardrail_override:
            env[OVERRIDE] = reason
        try:
            async with self._carrying(env) as carry:
                for command in waiting:
                    # A patch that fails its tests is reviewed all the same.
                    if not await self._one(carry, command) and command.role != "tester":
                        return "failed"
        except WriteFailed:
            raise  # of the run's own files: it says nothing of the server
        except ParityError as error:
            if not any(each.status == "failed" for each in self._journal.now.commands):
                # The server could not be started or did not end as it should, or what came of a command not be written.
                left = [each for each in self._journal.now.commands if each.status in ("running", "pending")]
                if not left:
                    self._journal.say(str(error))
                    return "succeeded"
                self._journal.say(f"{left[0].id}: {error}")
                self._journal.command(left[0].index, attempt=self._number, started_at=moment())
                self._journal.fail(left[0], error, "tool-invocation-error")
            return "failed"
        return "failed" if any(each.status == "failed" for each in self._journal.now.commands) else "succeeded"

    @contextlib.asynccontextmanager
    async def _carrying(self, env: dict[str, str]) -> AsyncIterator[_Carry]:
        """How a command is carried out: by the transport, or as a step of a goal."""
        if self._journal.now.goal is not None:
            async with steps(self._journal, partial(self._transport, env), self._binary, env) as found:
                yield found.carry
            return
        repository, seconds = self._folder.repository, self._journal.now.timeout_seconds
        async with self._transport(env, repository) as transport:
            yield lambda command: transport.execute(placed(command.argv, repository), cwd=repository, seconds=seconds)

    @contextlib.asynccontextmanager
    async def _transport(self, env: dict[str, str], cwd: Path) -> AsyncIterator[Transport]:
        now = self._journal.now
        if now.transport == "local" or now.agent is None or self._binary is None:
            yield Local(env)
            return
        [serving] = [each for each in servers(now.agent.name) if each.transport == now.transport]
        async with through_agent(
            serving,
            self._binary,
            now.agent.version,
            env=env,
            cwd=cwd,
            caller=now.generator.partition(" ")[2],
            policy=Policy(now.sandbox or DEFAULT.sandbox, now.approval_policy, now.permission_profile),
        ) as transport:
            yield transport

    async def _one(self, carry: _Carry, command: Command) -> bool:
        """Carry one command out; whether the next may follow."""
        journal, started_at, began = self._journal, moment(), time.monotonic()
        journal.command(command.index, status="running", attempt=self._number, started_at=started_at)
        journal.say(f"{command.index} {command.id}: begun")
        try:
            result = await carry(command)
        except ParityError as error:
            journal.fail(command, error, next((why for kind, why in _REASONS if isinstance(error, kind)), _OTHER))
        else:
            response = Response(
                run_id=self._folder.run_id,
                command_index=command.index,
                command_id=command.id,
                attempt=self._number,
                started_at=started_at,
                completed_at=clock.spelled(clock.wall()),
                duration_seconds=round(time.monotonic() - began, 3),
                exit_code=result.exit_code,
                timed_out=result.timed_out,
                stdout=result.stdout,
                stderr=result.stderr,
            )
            journal.respond(command, response)
        ended = journal.now.commands[command.index - 1]
        journal.say(f"{command.index} {command.id}: {ended.status}, {ended.summary}")
        return ended.status == "succeeded"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
