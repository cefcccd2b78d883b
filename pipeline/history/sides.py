"""A union or a snapshot as a diff sees it: the facts that matter to a caller, normalised.

Facts are plain JSON values; what is absent is not stated. ``visible`` is not stated either, so that
a file without states is one whose units are all shown; ``available_on`` only where it is not that of the command (of a
command: not all targets). Not compared: usage lines, sections, spans, evidence, notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pipeline.surface.units import Path

Facts = Mapping[str, Any]
Beside = Mapping[str, Mapping[str, Mapping[str, Facts]]]
"""What there is besides the command line, by kind, target and name (``pipeline.history.beside``)."""
_GLOBAL: Path = ()


@dataclass(frozen=True, slots=True)
class Offered:
    """One command: its facts, its own flags by key, its args by name, and the keys of root flags that it repeats."""

    path: Path
    facts: Facts
    flags: Mapping[str, Facts] = field(default_factory=dict)
    args: Mapping[str, Facts] = field(default_factory=dict)
    inherited: frozenset[str] = frozenset()
    # No facts that a diff tells: children that are only help pages, and whether its own page could not be read.
    pseudo: frozenset[str] = field(default=frozenset(), compare=False)
    unread: bool = field(default=False, compare=False)
    usage: str = field(default="", compare=False)


@dataclass(frozen=True)
class Surface:
    """``binaries`` is target → digest of what was read there.

    ``sha256`` is that of the file, and ``dialect`` that of the help, if the file says what made it. ``is_recalled``
    one is told by the timeline, which knows less than a file.
    """

    tool: str
    version: str
    targets: tuple[str, ...]
    commands: Mapping[Path, Offered]
    sha256: str | None = None
    dialect: str | None = None
    binaries: Mapping[str, str] = field(default_factory=dict)
    is_recalled: bool = False
    beside: Beside = field(default_factory=dict)

    @cached_property
    def children(self) -> Mapping[Path, Mapping[str, Path]]:
        """Path → the commands right below it, by what stands behind that path (one token, where none is missing)."""
        found: dict[Path, dict[str, Path]] = {}
        for path in self.commands:
            if path:
                above = next(
                    path[:end] for end in range(len(path) - 1, -1, -1) if not end or path[:end] in self.commands
                )
                found.setdefault(above, {})[" ".join(path[len(above) :])] = path
        return found

    def effective(self, path: Path) -> dict[str, Facts]:
        """All flags of a command by key, with the root's facts for those that it repeats; none if it is missing."""
        command = self.commands.get(path)
        if command is None:
            return {}
        root = self.commands.get(_GLOBAL)
        above = {key: root.flags[key] for key in command.inherited if key in root.flags} if root else {}
        return {**above, **command.flags} if above else dict(command.flags)

    def on(self, targets: tuple[str, ...]) -> Surface:
        """The same as far as these targets have it; of no targets, wherever it is."""
        commands: dict[Path, Offered] = {}
        for path, command in self.commands.items():
            facts = _narrowed(command.facts, self.targets, targets)
            if facts is not None:
                before, own = command.facts.get("available_on", self.targets), facts.get("available_on", targets)
                root = commands.get(_GLOBAL)
                commands[path] = replace(
                    command,
                    facts=facts,
                    flags=_all_narrowed(command.flags, before, own),
                    args=_all_narrowed(command.args, before, own),
                    inherited=command.inherited & root.flags.keys() if root and path else frozenset(),
                )
        return replace(self, targets=targets, commands=commands)


def _all_narrowed(units: Mapping[str, Facts], before: Sequence[str], targets: Sequence[str]) -> Mapping[str, Facts]:
    narrowed = {name: _narrowed(unit, before, targets) for name, unit in units.items()}
    return {name: facts for name, facts in narrowed.items() if facts is not None}


def _narrowed(facts: Facts, before: Sequence[str], targets: Sequence[str]) -> Facts | None:
    """The facts as far as ``targets`` go; None where none of them has the unit. No targets: wherever it is."""
    having = facts.get("available_on", before)
    kept = [target for target in targets if target in having]
    if targets and not kept:
        return None
    if "available_on" not in facts and len(kept) == len(targets):
        return facts
    others = {name: value for name, value in facts.items() if name != "available_on"}
    return others if len(kept) == len(targets) else {**others, "available_on": kept}
