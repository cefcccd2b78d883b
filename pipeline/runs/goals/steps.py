"""The steps of a goal carried out for the runner: model turns in the worktree, and tests that are processes.

A step has succeeded once its response lies there, as any command. What later steps need of it is written before: the
answer of a turn, and the patch, from which the worktree can be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.errors import ArtifactInvalid, BinaryTimeout, IdentityMismatch, NothingChanged, RunRefused, TurnFailed
from pipeline.runs.folder import numbered
from pipeline.runs.goals.answers import counted, findings_of, fitting
from pipeline.runs.goals.evidence import ANSWER, Evidence
from pipeline.runs.goals.settings import Setting, Settings, prompt
from pipeline.runs.goals.worktree import Worktree
from pipeline.runs.journal import Journal, Response
from pipeline.runs.manifest import AgentUsed, Command, Goal
from pipeline.runs.queue import placed, secrets_of
from pipeline.runs.transport import TIMED_OUT, Result, Transport
from pipeline.wrapper.client import Client
from pipeline.wrapper.guard import Guard
from pipeline.wrapper.turning import Ask, turning

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
    found = Steps(journal, transport, goal, agent, binary, env)
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

    def __init__(
        self,
        journal: Journal,
        transport: Transports,
        goal: Goal,
        agent: AgentUsed,
        binary: Path,
        env: Mapping[str, str],
    ) -> None:
        self.worktree = Worktree(journal.folder, goal.base)
        self._journal = journal
        self._transport = transport
        self._goal = goal
        self._agent = agent
        self._binary = binary
        self._env = env
        self._seconds = journal.now.timeout_seconds
        self._secrets = secrets_of(env)
        self._settings = canonical.read(journal.folder.path / self._goal.settings, Settings)
        self._client: Client | None = None
        self._state: Literal["base", "patch", "tested", "used"] = "used"

    async def carry(self, command: Command) -> Result:
        """Raises TurnError, BinaryError, WriteFailed: the step has failed then."""
        match command.role:
            case "manager":
                self._make("base")
                # Where the machine has no sandbox, nothing else keeps what a manager does out of the patch.
                self._state = "used"
                _, result = await self._turn(command, self._settings.manager, {"goal": self._goal.text})
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
                    return await transport.execute(argv, cwd=cwd, seconds=self._seconds)

    async def _build(self, command: Command) -> Result:
        self._make("base")
        self._state = "used"
        if self._goal.patch:
            # Of an attempt that was killed before it could say that it had succeeded.
            self._write_goal(patch=None, patch_sha256=None, changed=())
        values = {"goal": self._goal.text, "plan": self._answer_of("manager")}
        _, result = await self._turn(command, self._settings.builder, values)
        if result.timed_out:
            return result
        patch, changed = self.worktree.diff()
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
        answer, result = await self._turn(command, self._settings.reviewer, values)
        if not result.timed_out:
            findings = findings_of(answer)
            name = f"{_evidence_of(command, self._number)}/{FINDINGS}"
            canonical.write(
                self._journal.folder.path / name, canonical.encode([msgspec.to_builtins(f) for f in findings])
            )
            self._write_goal(findings=counted(findings), findings_file=name)
        return result

    async def _turn(self, command: Command, setting: Setting, values: Mapping[str, str]) -> tuple[Json, Result]:
        """One turn with its evidence: its answer, and how the program ended."""
        name = _evidence_of(command, self._number)
        self._journal.command(command.index, evidence=name)
        folder = self._journal.folder
        places = {str(self.worktree.path): "{worktree}", str(folder.repository): "{repository}"}
        evidence = Evidence(folder.path / name, self._secrets, places)
        text = prompt(setting, values)
        evidence.ask(text, setting.schema)
        ask = Ask(
            prompt=text, sandbox=setting.sandbox, schema=evidence.schema, answer=evidence.answer, model=setting.model
        )
        makes, client, began = turning(self._agent.name), await self._opened(), time.monotonic()
        told: Json = {
            "role": command.role,
            "sandbox": setting.sandbox,
            "model": setting.model,
            "version": client.version,
        }
        try:
            turned = await makes.turn(client, ask, evidence.note)
        except BinaryTimeout:
            evidence.end({**told, "timed_out": True, "duration_seconds": round(time.monotonic() - began, 3)})
            return {}, Result(TIMED_OUT, "", "", timed_out=True)
        told |= {
            "exit_code": turned.exit_code,
            "problem": turned.problem,
            "thread": turned.thread,
            "usage": turned.usage,
        }
        evidence.end({**told, "duration_seconds": round(time.monotonic() - began, 3), "stderr": turned.stderr})
        said = evidence.answered()
        if turned.problem is not None:
            raise TurnFailed(turned.problem, remedy="look at the turn's events; the run can be resumed")
        return fitting(said, setting.schema), Result(turned.exit_code, said, turned.stderr, timed_out=False)

    @property
    def _number(self) -> int:
        return self._journal.now.attempts[-1].number

    async def _opened(self) -> Client:
        """The program, asked once which version it is. Raises IdentityMismatch for another one than was asked for."""
        if self._client is None:
            guard = Guard.of(self._agent.name)
            client = await Client.open(
                self._binary, guard=guard, env=self._env, cwd=self.worktree.path, seconds=self._seconds
            )
            if client.version != self._agent.version:
                raise IdentityMismatch(
                    f"the binary says that it is {client.version}, and {self._agent.version} was asked for",
                    remedy="give the binary of that version, or ask for the one that it is",
                )
            self._client = client
        return self._client

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
            canonical.write(self._journal.folder.path / _evidence_of(builder, attempt) / UNFINISHED, patch)

    def _write_goal(self, **changes: object) -> None:
        self._goal = msgspec.structs.replace(self._goal, **changes)
        self._journal.write(goal=self._goal)


def _evidence_of(command: Command, attempt: int) -> str:
    return numbered("steps", command.index, command.id, attempt).removesuffix(".json")
