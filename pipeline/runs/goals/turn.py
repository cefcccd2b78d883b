"""One turn of a goal: the question put together, the agent asked by its wrapper, the evidence kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from pipeline.canonical import Json
from pipeline.errors import BinaryTimeout, IdentityMismatch, TurnFailed
from pipeline.process.secrets import secrets_of
from pipeline.runs.folder import numbered
from pipeline.runs.goals.answers import fitting
from pipeline.runs.goals.evidence import Evidence
from pipeline.runs.goals.settings import Setting, prompt
from pipeline.runs.journal import Journal
from pipeline.runs.manifest import AgentUsed, Command
from pipeline.runs.transport import TIMED_OUT, Result
from pipeline.wrapper.client import Client
from pipeline.wrapper.guard import Guard
from pipeline.wrapper.turning import Ask, turning


class Turns:
    """Makes the turns of one attempt, in ``folder``."""

    def __init__(self, journal: Journal, agent: AgentUsed, binary: Path, env: Mapping[str, str], folder: Path) -> None:
        self._journal = journal
        self._agent = agent
        self._binary = binary
        self._env = env
        self._folder = folder
        self._secrets = secrets_of(env)
        self._client: Client | None = None

    async def turn(self, command: Command, setting: Setting, values: Mapping[str, str]) -> tuple[Json, Result]:
        """One turn with its evidence: its answer, and how the program ended."""
        name = evidence_of(command, self._journal.now.attempts[-1].number)
        self._journal.command(command.index, evidence=name)
        folder = self._journal.folder
        places = {str(self._folder): "{worktree}", str(folder.repository): "{repository}"}
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

    async def _opened(self) -> Client:
        """The program, asked once which version it is. Raises IdentityMismatch for another one than was asked for."""
        if self._client is None:
            guard = Guard.of(self._agent.name)
            client = await Client.open(
                self._binary, guard=guard, env=self._env, cwd=self._folder, seconds=self._journal.now.timeout_seconds
            )
            if client.version != self._agent.version:
                raise IdentityMismatch(
                    f"the binary says that it is {client.version}, and {self._agent.version} was asked for",
                    remedy="give the binary of that version, or ask for the one that it is",
                )
            self._client = client
        return self._client


def evidence_of(command: Command, attempt: int) -> str:
    """The folder of a turn's evidence, in the run's."""
    return numbered("steps", command.index, command.id, attempt).removesuffix(".json")
