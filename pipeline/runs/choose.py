"""Which transport carries a run out: what the agent's timeline and surfaces say of the version decides.

Without an agent it is the local process. Of an agent it is the first of its servers (``pipeline.wrapper.serving``) that
the version is not known to lack, nor the method that it is called by. One that lacks them all runs beside the agent,
which the run then says; where a server was asked for and is not there, the remedy names what is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pipeline import canonical
from pipeline.errors import ArtifactMissing, BinaryMissing, CapabilityMissing, UsageError
from pipeline.history.surfaces import read_surfaces
from pipeline.layout import check_version, in_order, witnesses
from pipeline.questions import asked
from pipeline.questions.view import View
from pipeline.runs.manifest import AgentUsed, TransportName
from pipeline.surface.units import CommandPath
from pipeline.wrapper.serving import DEFAULT, Policy, Serving, servers


class Chosen(NamedTuple):
    """How a run is carried out; ``note`` says what was asked for and is not so."""

    transport: TransportName
    agent: AgentUsed | None
    note: str | None


def choose(
    wanted: Literal["auto", "local", "app-server", "mcp"],
    agent: str | None,
    version: str | None,
    binary: Path | None,
    policy: Policy = DEFAULT,
) -> Chosen:
    """Raises UsageError, BinaryMissing, CapabilityMissing (the remedy names a transport that the version has)."""
    if agent is None:
        if wanted not in ("auto", "local"):
            raise UsageError(f"{wanted} is a transport of an agent", remedy="give --agent, or use --transport local")
        if version is not None or binary is not None:
            raise UsageError("a version or a binary of which agent?", remedy="give --agent too")
        return Chosen("local", None, None)
    if version is None or binary is None:
        raise UsageError(f"which {agent}?", remedy="give --agent-version, and --binary where it was not acquired")
    check_version(version)
    if not binary.is_file():
        remedy = "give the path of the agent's program with --binary"
        raise BinaryMissing("there is no such program", where=binary, remedy=remedy)
    used = AgentUsed(name=agent, version=version, sha256=canonical.sha256_of(binary))
    if wanted == "local":
        return Chosen("local", used, None)
    known = servers(agent)
    view, methods = asked(agent).view, _methods(agent)
    there = [one for one in known if _may_have(view, version, one.path) and _may_call(methods, version, one.method)]
    fitting = there if wanted == "auto" else [each for each in there if each.transport == wanted]
    if fitting:
        fitting[0].check(policy)
        return Chosen(fitting[0].transport, used, None)
    if wanted == "auto":
        return Chosen("local", used, f"{_lack(agent, version, known)}: the commands ran beside the agent.")
    names = " or ".join(f"--transport {name}" for name in (*(each.transport for each in there), "local"))
    asked_for = [each for each in known if each.transport == wanted]
    raise CapabilityMissing(_lack(agent, version, asked_for, wanted), remedy=f"use {names}, or a version that has it")


def _lack(agent: str, version: str, missing: list[Serving] | tuple[Serving, ...], what: str = "server") -> str:
    commands = " and no ".join(map(_named, missing)) or f"{what} that is known"
    return f"{agent} {version} has no {commands}"


def _named(server: Serving) -> str:
    command = f"`{' '.join(server.path)}`"
    return f"{command} that answers `{server.method}`" if server.method else command


def _may_have(view: View, version: str, path: CommandPath) -> bool:
    """Whether a version has a server's command, or one of its neighbours where nobody looked at it.

    A line is no question: to a program that takes a prompt every word is one.
    """
    there = [version] if version in view.versions else [one for one in view.neighbours(version) if one]
    return any(view.at(one).command(path) for one in there)


def _methods(agent: str) -> dict[str, Sequence[str]]:
    """What the servers of an agent's versions answer to, where that was read."""
    try:
        read = read_surfaces(asked(agent).root.surfaces)
    except ArtifactMissing:
        return {}
    return {version: one.rpc_methods for version, one in read.items() if one.rpc_methods is not None}


def _may_call(methods: Mapping[str, Sequence[str]], version: str, method: str | None) -> bool:
    """The same for a method of a server's."""
    there = witnesses(version, in_order(methods))
    return method is None or not there or any(method in methods[one] for one in there)
