"""Which transport carries a run out: what the agent's timeline says of the version decides.

Without an agent it is the local process. A version that is not known to lack the server gets it; one that lacks it is
refused where the server was asked for, and else runs beside the agent, which the run then says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from pipeline import canonical
from pipeline.errors import CapabilityMissing, UsageError
from pipeline.layout import check_version
from pipeline.questions import asked
from pipeline.runs.manifest import AgentUsed, TransportName
from pipeline.wrapper.serving import command_server

SERVER = ("app-server",)
# What a server's commands may do, as its protocol spells it.
SANDBOXES = ("workspaceWrite", "readOnly", "dangerFullAccess")


class Chosen(NamedTuple):
    """How a run is carried out; ``note`` says what was asked for and is not so."""

    transport: TransportName
    agent: AgentUsed | None
    note: str | None


def choose(
    wanted: Literal["auto", "local", "app-server"], agent: str | None, version: str | None, binary: Path | None
) -> Chosen:
    """Raises UsageError, CapabilityMissing (the remedy names a transport that the version has), ArtifactMissing."""
    if agent is None:
        if wanted == "app-server":
            raise UsageError("app-server is a transport of an agent", remedy="give --agent, or use --transport local")
        return Chosen("local", None, None)
    if version is None or binary is None:
        raise UsageError(f"which {agent}?", remedy="give --agent-version, and --binary where it was not acquired")
    used = AgentUsed(name=agent, version=version, sha256=canonical.sha256_of(binary))
    if wanted == "local":
        return Chosen("local", used, None)
    if not _may_have(agent, version):
        problem = f"{agent} {version} has no `{' '.join(SERVER)}`"
        if wanted == "app-server":
            raise CapabilityMissing(problem, remedy="use --transport local, or a version that has it")
        return Chosen("local", used, f"{problem}: the commands ran beside the agent, not through it.")
    command_server(agent)
    return Chosen("app-server", used, None)


def _may_have(agent: str, version: str) -> bool:
    """Whether a version has the server's command, or one of its neighbours where nobody looked at it.

    A line is no question: to a program that takes a prompt every word is one.
    """
    view = asked(agent).view
    there = [check_version(version)] if version in view.versions else [one for one in view.neighbours(version) if one]
    return any(view.at(one).command(SERVER) for one in there)
