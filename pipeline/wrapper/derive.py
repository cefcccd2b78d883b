"""Declarations -> the manifest of what the wrapper really emits.

No list of flags is kept anywhere: every scenario of the catalogue is built as a caller would build it, the units
whose words it put on the command line are recorded, and the records are merged by identity. Deterministic and
offline; entries follow the order of the declarations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level, Manifest
from pipeline.surface.units import CommandPath
from pipeline.wrapper.declare import Command, Use
from pipeline.wrapper.scenario import scenarios

GUARDED = "capability-guarded"
"""The note of a unit that only some of the supported versions have."""

_RANK = {level: rank for rank, level in enumerate(Level)}


@dataclasses.dataclass(frozen=True)
class Group:
    """A command that only ever stands before its subcommands, as ``mcp`` in ``mcp list``."""

    path: CommandPath
    guarded: bool = False


Declaration = type[Command] | Group | CoveredCommand


def group(*path: str, guarded: bool = False) -> Group:
    """Declare a group; ``guarded``: not every supported version has it."""
    return Group(path, guarded)


def waive(*path: str, note: str) -> CoveredCommand:
    """Declare that a command and all below it are left out on purpose; ``note`` says why."""
    if not note.strip():
        raise TypeError(f"the waiver of {' '.join(path)} needs a note")
    return CoveredCommand(path=path, level=Level.INTENTIONALLY_UNSUPPORTED, note=note)


def commands_of(declarations: Iterable[Declaration]) -> list[type[Command]]:
    """The declared commands, in order."""
    return [one for one in declarations if isinstance(one, type)]


class Claim(NamedTuple):
    """What one use says of a unit."""

    level: Level
    note: str | None

    def stronger(self, other: Claim) -> Claim:
        return self if _RANK[self.level] <= _RANK[other.level] else other


def coverage_of(declarations: Iterable[Declaration]) -> Manifest:
    """The manifest that declared commands, groups and waivers make.

    Of two claims on one unit the stronger counts. A flag that the root covers at the same level is said once, at
    the root: a union does not repeat root flags on other commands (``globals.effective_flags_model``), so the
    repetition would read as a flag that only the wrapper knows. Raises TypeError for a path that is declared twice
    and for a command that is used without being declared.
    """
    declarations = tuple(declarations)
    paths = [one.path for one in declarations]
    if twice := sorted({" ".join(path) or "the root" for path in paths if paths.count(path) > 1}):
        raise TypeError(f"declared twice: {', '.join(twice)}")
    recorded = _record(declarations)
    root = recorded.get((), {})
    covered = []
    for one in declarations:
        if isinstance(one, CoveredCommand):
            covered.append(one)
        elif used := recorded.get(one.path):
            covered.append(_entry(one.path, used, root if one.path else {}))
    return Manifest(schema_version=1, coverage=tuple(covered))


def _record(declarations: Iterable[Declaration]) -> dict[CommandPath, dict[str, Claim]]:
    """What the scenarios used: command path → unit (``""`` is the command itself) → the strongest claim."""
    declared = {one.path: one for one in declarations if not isinstance(one, CoveredCommand)}
    found: dict[CommandPath, dict[str, Claim]] = {}
    for scenario in scenarios(commands_of(declared.values())):
        for use in scenario.command.line().used:
            if use.path not in declared:
                raise TypeError(f"{scenario.name} uses `{' '.join(use.path)}`, which is not declared")
            here = found.setdefault(use.path, {})
            key = use.slot.key if use.slot else ""
            claim = _claim(use, guarded=declared[use.path].guarded)
            here[key] = here[key].stronger(claim) if key in here else claim
    return found


def _claim(use: Use, *, guarded: bool) -> Claim:
    if use.slot is None:
        return Claim(Level.EXPLICIT, GUARDED if guarded else None)
    word = use.slot.word
    return Claim(word.level, GUARDED if word.guarded else word.note)


def _entry(path: CommandPath, used: dict[str, Claim], root: dict[str, Claim]) -> CoveredCommand:
    own = {key: claim for key, claim in used.items() if not (key in root and root[key].level == claim.level)}
    flags = tuple(CoveredFlag(key=key, level=c.level, note=c.note) for key, c in own.items() if key.startswith("-"))
    args = tuple(
        CoveredArg(name=key, level=c.level, note=c.note) for key, c in own.items() if key and not key.startswith("-")
    )
    level, note = used[""]
    return CoveredCommand(path=path, level=level, note=note, flags=flags or None, args=args or None)
