"""Traced calls and literals -> what a wrapper covers, where the two witnesses disagree, and what is left.

A unit that a call emitted is covered. A flag that only the source spells is covered too if it can belong to one command
only; it is a disagreement all the same, as is an emitted flag that no literal spells. What went through an escape hatch
is not covered: the hatch makes every flag of the commands it reaches possible, and none of them known to the wrapper.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal as Only

from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level, Manifest, Witness
from pipeline.surface.units import CommandPath, Path, Shape
from pipeline.trace.evidence import Evidence, TracedCall
from pipeline.trace.literals import Literal
from pipeline.trace.read import Surface

_HOLDS = "never called by itself; its flags are given to its subcommands"

Unit = tuple[Path, str]
"""A command's path, and the identity of a flag of it."""


class Disagreement(Shape, frozen=True, kw_only=True):
    """A flag that only one witness knows. ``path`` is absent where the command of a literal is not certain.

    ``no-call``: it is spelled in the source, and no traced call emitted it. ``no-literal``: a traced call emitted it,
    and no literal spells it (it is computed, or the wrapper's caller passes it).
    """

    kind: Only["no-call", "no-literal"]
    path: CommandPath | None = None
    flag: str
    evidence: tuple[Witness, ...]

    def __str__(self) -> str:
        command = "an uncertain command" if self.path is None else " ".join(self.path) or "the root"
        what = (
            "spelled in the source, emitted by no traced call" if self.kind == "no-call" else "emitted, spelled nowhere"
        )
        return f"{self.flag} of {command}: {what} ({', '.join(map(told, self.evidence))})"


class Flags(Shape, frozen=True, kw_only=True):
    """Some flags of a command."""

    path: CommandPath
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Combined:
    """The evidence of one wrapper, held against the surface that named its units."""

    evidence: Evidence
    surface: Surface

    @cached_property
    def manifest(self) -> Manifest:
        """What the wrapper covers, with the witnesses of each claim; entries by path, then key."""
        paths = {call.path for call in self.evidence.calls} | {path for path, _ in self.covered}
        return Manifest(
            schema_version=1,
            wrapper_version=self.evidence.package.version if self.evidence.package else None,
            coverage=tuple(self._command(path) for path in sorted(paths)),
        )

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        found = [
            Disagreement(kind="no-literal", path=path, flag=flag, evidence=_witnesses((), calls))
            for (path, flag), calls in self._emitted.items()
            if (path, flag) not in self._spelled
        ]
        for flag, places in self._unemitted.items():
            home = self._home(flag)
            found.append(
                Disagreement(kind="no-call", path=home and home[0], flag=flag, evidence=_witnesses(places, ()))
            )
        return tuple(sorted(found, key=lambda one: (one.kind, one.flag, one.path or ())))

    @cached_property
    def left_over(self) -> tuple[Flags, ...]:
        """What could be reached through extra arguments if there is a hatch, and is missing if there is none.

        With a hatch, of the commands that it was seen to reach; without, of all commands that the wrapper calls.
        """
        flags: dict[Path, set[str]] = defaultdict(set)
        for path, flag in self.visible - self.covered.keys():
            flags[path].add(flag)
        return tuple(Flags(path=path, flags=tuple(sorted(flags[path]))) for path in sorted(flags))

    @cached_property
    def visible(self) -> set[Unit]:
        """Every visible flag of the commands that ``left_over`` is about."""
        extra = self.evidence.extra_arguments is not None
        paths = {call.path for call in self.evidence.calls if call.extra or not extra}
        return {unit for path in paths for unit in self._visible(path)}

    def state(self, unit: Unit) -> str:
        """What the surface says of a flag: visible, hidden, or unknown when it has none such."""
        path, key = unit
        known = self.surface.flag(path, key)
        return (known[1].state or "visible") if known and known[0] == path else "unknown"

    @cached_property
    def covered(self) -> dict[Unit, tuple[Witness, ...]]:
        found = {unit: _witnesses(self._spelled.get(unit, ()), calls) for unit, calls in self._emitted.items()}
        for flag, places in self._unemitted.items():
            home = self._home(flag)
            if home is not None:
                found[home] = (*found.get(home, ()), *_witnesses(places, ()))
        return found

    @cached_property
    def literals(self) -> tuple[Literal, ...]:
        """The literals that can be for this program: not those in a command line of another one."""
        ours = {None, self.evidence.program, *self.surface.words}
        return tuple(one for one in self.evidence.literals if one.program in ours)

    @cached_property
    def _paths(self) -> list[Path]:
        return sorted({call.path for call in self.evidence.calls})

    @cached_property
    def _emitted(self) -> dict[Unit, list[TracedCall]]:
        found: dict[Unit, list[TracedCall]] = defaultdict(list)
        for call in self.evidence.calls:
            for given in call.flags:
                for flag in given.flags:
                    found[given.path, flag].append(call)
        return dict(sorted(found.items()))

    @cached_property
    def _spelled(self) -> dict[Unit, list[Literal]]:
        found: dict[Unit, list[Literal]] = defaultdict(list)
        for literal in self.literals:
            for unit in self._candidates(literal.flag):
                found[unit].append(literal)
        return found

    @cached_property
    def _unemitted(self) -> dict[str, list[Literal]]:
        found: dict[str, list[Literal]] = defaultdict(list)
        for literal in self.literals:
            if not self._emitted.keys() & self._candidates(literal.flag):
                found[literal.flag].append(literal)
        return found

    def _candidates(self, name: str) -> set[Unit]:
        """What a spelled flag can be: of each command that the wrapper calls, the flag of that name."""
        found: set[Unit] = set()
        for path in self._paths:
            known = self.surface.flag(path, name)
            found.add((known[0], known[1].key) if known else (path, name))
        known_ones = {(path, flag) for path, flag in found if self.surface.flag(path, flag)}
        return known_ones or found

    def _home(self, name: str) -> Unit | None:
        candidates = self._candidates(name)
        return next(iter(candidates)) if len(candidates) == 1 else None

    def _visible(self, path: Path) -> Iterator[Unit]:
        command = self.surface.commands.get(path)
        for flag in command.flags if command else ():
            if flag.state != "hidden":
                yield path, flag.key
        for key in command.inherited_from_root if command else ():
            yield (), key

    def _command(self, path: Path) -> CoveredCommand:
        calls = [call for call in self.evidence.calls if call.path == path]
        args = sorted({name for call in calls for name in call.args})
        flags = tuple(
            CoveredFlag(key=flag, level=Level.EXPLICIT, evidence=witnesses)
            for (where, flag), witnesses in sorted(self.covered.items())
            if where == path
        )
        return CoveredCommand(
            path=path,
            level=Level.EXPLICIT if calls else Level.UNKNOWN,
            note=None if calls else _HOLDS,
            evidence=_witnesses((), calls) or None,
            flags=flags or None,
            args=tuple(
                CoveredArg(
                    name=name,
                    level=Level.EXPLICIT,
                    evidence=_witnesses((), [call for call in calls if name in call.args]),
                )
                for name in args
            )
            or None,
        )


def told(witness: Witness) -> str:
    """A witness in one word."""
    return f"{witness.file}:{witness.line}" if witness.file else f"call {witness.call!r}"


def _witnesses(places: Iterable[Literal], calls: Iterable[TracedCall]) -> tuple[Witness, ...]:
    """All places; of the calls the one that gives least besides, which shows best what makes the wrapper do it."""
    found = [Witness(file=file, line=line) for file, line in sorted({(one.file, one.line) for one in places})]
    plainest = min(calls, key=lambda call: (sum(len(one.flags) for one in call.flags), call.name), default=None)
    return (*found, *([Witness(call=plainest.name)] if plainest else []))
