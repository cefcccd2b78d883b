"""Checks of what describes an agent: ``agent.toml`` against the rules, and the snapshots against ``agent.toml``.

How a CLI is asked leaves marks in a snapshot: the dialect, the completion, whether features were probed, the pseudo
commands, and of each watched unit that it is there, was rejected, or could not be asked for. A snapshot with other
marks was read before ``agent.toml`` said so. A folder without ``agent.toml`` describes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.contract.targets import platform_of
from pipeline.errors import UsageError
from pipeline.surface.units import Path
from pipeline.validate.finding import Finding, escaped
from pipeline.validate.tree import Tree, Version

if TYPE_CHECKING:
    from pipeline.contract.agent import Agent

# Where nothing is configured, only a CLI of this dialect is asked for its completion.
_ASKED_UNTOLD = "clap"
_AGAIN = "take the snapshot again"

# JSON pointer, problem.
_Problem = tuple[str, str]


class _Flag(msgspec.Struct, frozen=True):
    long: str | None = None
    short: str | None = None
    aliases: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        return {name for name in (self.long, self.short, *self.aliases) if name}


class _Command(msgspec.Struct, frozen=True):
    path: Path
    flags: tuple[_Flag, ...] = ()
    pseudo_commands: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


class _Generator(msgspec.Struct, frozen=True):
    dialect: str


class _Oracle(msgspec.Struct, frozen=True):
    kind: str


class _Platform(msgspec.Struct, frozen=True):
    os: str


class _Binary(msgspec.Struct, frozen=True):
    platform: _Platform


class _Marks(msgspec.Struct, frozen=True):
    """What tells of a snapshot how it was read."""

    generator: _Generator
    binary: _Binary
    commands: tuple[_Command, ...]
    oracles: tuple[_Oracle, ...] = ()
    features: Any = None
    surfaces: Any = None
    known_omissions: tuple[str, ...] = ()


def description_findings(tree: Tree) -> Iterator[Finding]:
    agent, union = tree.folder.agent, tree.folder.rules.union
    if agent is None:
        return
    published, expected = agent.packages, tree.folder.rules.targets
    for target in sorted(published.keys() ^ expected if published else ()):
        problem = "publishes nothing for it, and the rules expect it" if target in expected else "is not expected"
        message = f"{target}: {problem}; correct packages here, or expected_targets in RULES.json"
        yield tree.finding("AGENT_TARGETS_MISMATCH", tree.root.agent, message, f"/packages{escaped(target)}")
    if agent.oracles.probe is not None:
        from pipeline.oracle import FORMS  # rarely needed

        if agent.oracles.probe not in FORMS:
            message = f"there is no form {agent.oracles.probe!r}; write one of {', '.join(sorted(FORMS))}"
            yield tree.finding("AGENT_PROBE_UNKNOWN", tree.root.agent, message, "/oracles/probe")
    for target, system in union.platform_mapping.items():
        named = _system(target)
        if named not in (None, system):
            message = f"is {system}, the target's name says {named}; write that"
            pointer = f"/union/platform_mapping{escaped(target)}"
            yield tree.finding("PLATFORM_MISMATCH", tree.folder.rules_path, message, pointer)


def _system(target: str) -> str | None:
    try:
        return platform_of(target).os
    except UsageError:
        return None


def snapshot_findings(version: Version) -> Iterator[Finding]:
    tree, agent = version.tree, version.tree.folder.agent
    for artifact in version.artifacts if agent else ():
        marks = version.read(artifact.path).view(_Marks) if artifact.kind == "snapshot" else None
        if agent is None or marks is None or not tree.sound(artifact.path):
            continue
        system = tree.folder.rules.union.platform_mapping.get(artifact.target or "")
        if system not in (None, marks.binary.platform.os):
            message = f"is {marks.binary.platform.os}, the rules say {system}; {_AGAIN}"
            yield tree.finding("SNAPSHOT_NOT_AS_DESCRIBED", artifact.path, message, "/binary/platform/os")
        for pointer, problem in (*_manner(agent, marks), *_watched(agent, marks)):
            message = f"{problem}; correct agent.toml, or {_AGAIN}"
            yield tree.finding("SNAPSHOT_NOT_AS_DESCRIBED", artifact.path, message, pointer)


def _manner(agent: Agent, marks: _Marks) -> Iterator[_Problem]:
    dialect, completion = agent.help.dialect, agent.oracles.completion
    if dialect not in (None, marks.generator.dialect):
        yield "/generator/dialect", f"was read as {marks.generator.dialect}, agent.toml says {dialect}"
    heard = marks.oracles[0].kind if marks.oracles else None
    if heard != completion and not (completion is None and marks.generator.dialect == _ASKED_UNTOLD):
        yield "/oracles", f"{heard or 'nothing'} was heard besides help, agent.toml says {completion or 'nothing'}"
    if (agent.features is None) != (marks.features is None):
        yield "/features", "are there, agent.toml has none" if marks.features else "are not there, agent.toml has some"
    if (agent.surfaces is None) != (marks.surfaces is None):
        told = "are not there, agent.toml says how to ask" if agent.surfaces else "are there, agent.toml asks for none"
        yield "/surfaces", told
    for index, command in enumerate(marks.commands):
        if strange := set(command.pseudo_commands) - set(agent.help.pseudo_commands):
            yield f"/commands/{index}/pseudo_commands", f"{min(strange)} is none that agent.toml names"


def _watched(agent: Agent, marks: _Marks) -> Iterator[_Problem]:
    """The snapshot speaks of every watched unit; and it was asked for no other."""
    watched = agent.oracles.watched()
    paths = {path for path, _ in watched}
    flags = {
        one.path: {name for flag in one.flags for name in flag.names} for one in marks.commands if one.path in paths
    }
    rejected = {_spelled(command.path, name) for command in marks.commands for name in command.rejected}
    # Of a command that is not there its flags are not asked for.
    asked = {_spelled(path, flag if path in flags else None) for path, flag in watched}
    for path, flag in watched:
        there = path in flags and (flag is None or flag in flags[path])
        unanswered = any(one.startswith(f"probe: {_spelled(path, flag)}: ") for one in marks.known_omissions)
        if not (there or unanswered or _spelled(path, flag if path in flags else None) in rejected):
            yield "/commands", f"{_spelled(path, flag)!r} was not asked for, agent.toml watches it"
    # What only the parser told stands on no page and in no completion.
    told = {
        _spelled(command.path, min(flag.names))
        for command in marks.commands
        for flag in command.flags
        if flag.evidence == ("probe",) and not any(_spelled(command.path, name) in asked for name in flag.names)
    }
    for text in sorted(told | (rejected - asked)):
        yield "/commands", f"{text!r} was asked for, agent.toml does not watch it"


def _spelled(path: Path, name: str | None) -> str:
    return " ".join((*path, name or "")).strip()
