"""The steps of a goal carried out for the runner: model turns in the worktree, and tests that are processes.

A step has succeeded once its response lies there, as any command. What later steps need of it is written before: the
answer of a turn, and the patch, from which the worktree can be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from pipeline import canonical
from pipeline.errors import ArtifactInvalid, NothingChanged, RunRefused
from pipeline.runs.goals.answers import counted, findings_of
from pipeline.runs.goals.evidence import ANSWER
from pipeline.runs.goals.settings import Settings
from pipeline.runs.goals.turn import Turns, evidence_of
from pipeline.runs.goals.worktree import Worktree
from pipeline.runs.journal import Journal, Response
from pipeline.runs.manifest import Command, Goal
from pipeline.runs.queue import placed
from pipeline.runs.transport import Result, Transport

Transports: TypeAlias = Callable[[Path], contextlib.AbstractAsyncContextManager[Transport]]
PATCH, FINDINGS, UNFINISHED = "goal.patch", "findings.json", "unfinished.patch"
# How much of the patch, and of what a test printed, a reviewer is shown; the rest is in the worktree.
_SHOWN, _TAIL = 200 << 10, 4 << 10


@contextlib.asynccontextmanager
async def steps(
    journal: Journal, transport: Transports, binary: Path | None, env: Mapping[str, str]
) -> AsyncIterator[Steps]:
    """Carries steps out as long as the block; the worktree is gone afterwards, unless this process is killed.

    ``transport`` starts what carries tests out in a folder.
    """
    goal, agent = journal.now.goal, journal.now.agent
    if goal is None or agent is None or binary is None:
        raise RunRefused("the run is no goal that an agent can work on", remedy="start one with `parity runs goal`")
    worktree = Worktree(journal.folder, goal.base)
    found = Steps(journal, transport, goal, worktree, Turns(journal, agent, binary, env, worktree.path))
    found.keep_unfinished(journal.now.attempts[-1].number - 1)
    try:
        yield found
    finally:
        try:
            found.keep_unfinished(journal.now.attempts[-1].number)
        finally:
            found.worktree.remove()


class Steps:
    """One attempt at a goal."""

    def __init__(self, journal: Journal, transport: Transports, goal: Goal, worktree: Worktree, turns: Turns) -> None:
        self.worktree = worktree
        self._journal = journal
        self._transport = transport
        self._goal = goal
        self._turns = turns
        self._settings = canonical.read(journal.folder.path / self._goal.settings, Settings)
        self._state: Literal["base", "patch", "tested", "used"] = "used"

    async def carry(self, command: Command) -> Result:
        """Raises TurnError, BinaryError, WriteFailed: the step has failed then."""
        match command.role:
            case "manager":
                self._make("base")
                # Where the machine has no sandbox, nothing else keeps what a manager does out of the patch.
                self._state = "used"
                _, result = await self._turns.turn(command, self._settings.manager, {"goal": self._goal.text})
                return result
            case "builder":
                return await self._build(command)
            case "reviewer":
                return await self._review(command)
            case _:
                # One test may need what the one before it has built.
                if self._state != "tested":
                    self._make("patch")
                self._state = "tested"
                argv, cwd = placed(command.argv, self.worktree.path), self.worktree.path
                # Anew for each test: an agent's server lets commands write where it was started.
                async with self._transport(cwd) as transport:
                    return await transport.execute(argv, cwd=cwd, seconds=self._journal.now.timeout_seconds)

    async def _build(self, command: Command) -> Result:
        self._make("base")
        self._state = "used"
        if self._goal.patch:
            # Of an attempt that was killed before it could say that it had succeeded.
            self._write_goal(patch=None, patch_sha256=None, changed=())
        values = {"goal": self._goal.text, "plan": self._answer_of("manager")}
        _, result = await self._turns.turn(command, self._settings.builder, values)
        if result.timed_out:
            return result
        patch, changed = self.worktree.diff()
        if left_out := [ascii(name) for name in self.worktree.left_out()]:
            note = f"Note: what the builder wrote in submodules is not part of the patch: {', '.join(left_out)}."
            known = (each for each in self._journal.now.summary if each != note)
            self._journal.write(summary=(*known, note))
        if not patch:
            raise NothingChanged(
                "the builder's turn ended well, and nothing is changed",
                remedy="say the goal more precisely in a new run",
            )
        folder = self._journal.folder.path
        canonical.write(folder / PATCH, patch)
        self._write_goal(patch=PATCH, patch_sha256=hashlib.sha256(patch).hexdigest(), changed=changed)
        return result

    async def _review(self, command: Command) -> Result:
        self._make("patch")
        patch = canonical.read_bytes(self._journal.folder.path / PATCH).decode("utf-8", "replace")
        if len(patch) > _SHOWN:
            patch = f"{patch[:_SHOWN]}\n[the rest is left out; read the files]"
        values = {"goal": self._goal.text, "plan": self._answer_of("manager"), "patch": patch, "tests": self._tests()}
        answer, result = await self._turns.turn(command, self._settings.reviewer, values)
        if not result.timed_out:
            findings = findings_of(answer)
            name = f"{evidence_of(command, self._number)}/{FINDINGS}"
            canonical.write(
                self._journal.folder.path / name, canonical.encode([msgspec.to_builtins(f) for f in findings])
            )
            self._write_goal(findings=counted(findings), findings_file=name)
        return result

    @property
    def _number(self) -> int:
        return self._journal.now.attempts[-1].number

    def _make(self, state: Literal["base", "patch"]) -> None:
        if self._state == state:
            return
        patch = None
        if state == "patch":
            patch = self._journal.folder.path / PATCH
            if canonical.sha256_of(patch) != self._goal.patch_sha256:
                raise ArtifactInvalid(
                    "it is not the patch that the builder made", where=PATCH, remedy="restore it, or start a new goal"
                )
        self.worktree.fresh(patch)
        self._state = state

    def _answer_of(self, role: str) -> str:
        [command] = [one for one in self._journal.now.commands if one.role == role]
        return canonical.read_bytes(self._journal.folder.path / (command.evidence or "") / ANSWER).decode()

    def _tests(self) -> str:
        lines = []
        for one in self._journal.now.commands:
            if one.role == "tester":
                lines.append(f"- {one.id}: {one.status}, {one.summary}")
                if one.status == "failed" and one.response_file:
                    response = canonical.read(self._journal.folder.path / one.response_file, Response)
                    lines.append((response.stdout + response.stderr)[-_TAIL:])
        return "\n".join(lines)

    def keep_unfinished(self, attempt: int) -> None:
        """Keep what a builder had changed that did not get to its end, before the worktree is made anew."""
        [builder] = [one for one in self._journal.now.commands if one.role == "builder"]
        if builder.status != "succeeded" and attempt and (patch := self.worktree.unfinished()):
            canonical.write(self._journal.folder.path / evidence_of(builder, attempt) / UNFINISHED, patch)

    def _write_goal(self, **changes: object) -> None:
        self._goal = msgspec.structs.replace(self._goal, **changes)
        self._journal.write(goal=self._goal)
