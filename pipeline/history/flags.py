"""The flags of a command on both sides: which came, went, moved to or from the root, and what else changed of them.

A flag that a command only repeats from the root is told at the root, with the number of commands; one that moved
between the two is told where the command's own is or was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from pipeline.canonical import Json
from pipeline.history.facts import on_targets
from pipeline.history.pairing import Pairing, paired
from pipeline.history.sides import Surface
from pipeline.history.telling import Teller, Unit, flag_names, needed
from pipeline.surface.diff import Counted, Finding
from pipeline.surface.units import Path

INHERITED: Json = {"inherited_from_root": True}
"""What is told of a flag that a command repeats from the root."""


def flag_findings(teller: Teller, pairs: Sequence[tuple[Path, Path]]) -> Iterator[Finding]:
    """Of all commands that both sides have; ``pairs`` are their paths, the root's first."""
    root = _paired(teller, (), ())
    commands = [_OfCommand(teller, one, other, root) for one, other in pairs if _may_differ(teller, one, other)]
    moved = frozenset().union(*(command.moved() for command in commands))
    for command in commands:
        yield from command.findings(moved)


def _may_differ(teller: Teller, one: Path, other: Path) -> bool:
    """Whether two commands are not the same at first sight; of a page that could not be read nobody can say."""
    before, after = teller.offered(one, other)
    if before.unread or after.unread:
        return False
    same = (before.flags, before.inherited) == (after.flags, after.inherited)
    return not (one and same and teller.reach(one, other)[0] == teller.reach(one, other)[1])


def _paired(teller: Teller, one: Path, other: Path) -> Pairing:
    return paired(flag_names(teller.before.effective(one)), flag_names(teller.after.effective(other)))


class _OfCommand:
    """``moved`` are the flags that the root lost to a command, or got from one: they are told there."""

    def __init__(self, teller: Teller, one: Path, other: Path, root: Pairing) -> None:
        self._teller, self._path, self._root = teller, one, root
        self._before, self._after = teller.offered(one, other)
        self._pairing = self._as_the_root(_paired(teller, one, other)) if one else root
        self._had, self._has = teller.before.effective(one), teller.after.effective(other)
        self._reach = teller.reach(one, other)
        self._moved: frozenset[str] = frozenset()

    def _as_the_root(self, pairing: Pairing) -> Pairing:
        """Two repeated flags are the same only where they are at the root."""
        return Pairing(
            pairing.before,
            pairing.after,
            {
                key: name
                for key, name in pairing.pairs.items()
                if not self._at_the_root(key, name) or self._root.pairs.get(key) == name
            },
        )

    def moved(self) -> set[str]:
        """The flags that moved between the root and this command."""
        if not self._path:
            return set()
        gone, new = set(self._root.removed), set(self._root.added)
        pairs = self._pairing.pairs.items()
        own, now_own = self._before.flags.keys(), self._after.flags.keys()
        return {
            *(name for key, name in pairs if key in own and name in self._after.inherited & new),
            *(key for key, name in pairs if key in self._before.inherited & gone and name in now_own),
            *(key for key in self._pairing.removed if key in own & new and key not in self._pairing.merged()),
            *(key for key in self._pairing.added if key in now_own & gone and key not in self._pairing.split()),
        }

    def findings(self, moved: frozenset[str]) -> Iterator[Finding]:
        self._moved = moved
        pairing = self._pairing
        yield from self._teller.names(pairing, self._unit, self._at_the_root)
        for key, name in sorted(pairing.pairs.items()):
            if not self._at_the_root(key, name):
                yield from self._kept(key, name)
        merged, split = pairing.merged(), pairing.split()
        for key in pairing.removed:
            if key not in merged:
                yield from self._gone(key)
            elif not (self._at_the_root(key, merged[key]) and self._root.merged().get(key) == merged[key]):
                said = INHERITED if key in self._before.inherited else self._had[key]
                along = {} if self._path else _repeating(self._teller.before, key)
                yield self._teller.told("flag-merged", self._unit(key), before=said, after=merged[key], **along)
        for key in pairing.added:
            if key not in split:
                yield from self._new(key)
            elif not (self._at_the_root(split[key], key) and self._root.split().get(key) == split[key]):
                said = INHERITED if key in self._after.inherited else self._has[key]
                along, was = {} if self._path else _repeating(self._teller.after, key), split[key]
                found = self._teller.told("flag-split", self._unit(was), key, before=was, after=said, **along)
                targets = self._teller.where(on_targets(self._has[key], self._reach[1]))
                yield replace(found, key=key, value=None, targets=targets)

    def _at_the_root(self, key: str, name: str) -> bool:
        return key in self._before.inherited and name in self._after.inherited

    def _unit(self, key: str) -> Unit:
        return Unit.of("flag", self._path, key, self._had[key], self._reach[0])

    def _of_root(self, key: str) -> Unit:
        """A flag of the root before; a witness uses it there."""
        return Unit.of("flag", (), key, self._teller.before.commands[()].flags[key], self._teller.before.targets)

    def _kept(self, key: str, name: str) -> Iterator[Finding]:
        # Nothing is known of a repeated flag but that it is there: what else changed would be the root's.
        if name in self._after.inherited:
            code = "flag-became-global" if name in self._root.added else "flag-joined"
            yield self._teller.told(code, self._unit(key), before=self._before.flags[key], after=self._has[name])
        elif key in self._before.inherited:
            code = "flag-became-local" if key in self._root.removed else "flag-set-apart"
            unit, facts = self._of_root(key), self._after.flags[name]
            yield replace(self._teller.told(code, unit, before=unit.facts, after=facts), path=self._path)
        else:
            yield from self._teller.changed(self._unit(key), self._has[name], *self._reach)

    def _gone(self, key: str) -> Iterator[Finding]:
        facts, root, moved = self._had[key], self._root, key in self._moved
        code = needed("flag-removed", facts)
        if not self._path:
            if not moved:
                repeating = _repeating(self._teller.before, key)
                yield self._teller.told(code, self._unit(key), before=facts, **repeating)
        elif key in self._before.inherited:
            if key not in root.removed or moved:
                yield self._teller.told(code, self._unit(key), before=INHERITED)
        elif key in root.added:
            now = self._teller.after.commands[()].flags[key]
            yield self._teller.told("flag-moved-to-root", self._unit(key), before=facts, after=now)
        else:
            yield self._teller.told(code, self._unit(key), before=facts)

    def _new(self, key: str) -> Iterator[Finding]:
        facts, root, moved = self._has[key], self._root, key in self._moved
        code, unit = needed("flag-added", facts), Unit.of("flag", self._path, key, facts, self._reach[1])
        if not self._path:
            if not moved:
                yield self._teller.told(code, unit, after=facts, **_repeating(self._teller.after, key))
        elif key in self._after.inherited:
            if key not in root.added or moved:
                yield self._teller.told(code, unit, after=INHERITED)
        elif key in root.removed:
            then = self._of_root(key)
            found = self._teller.told("flag-moved-to-command", then, before=then.facts, after=facts)
            yield replace(found, path=self._path)
        else:
            yield self._teller.told(code, unit, after=facts)


def _repeating(surface: Surface, key: str) -> Json:
    """How many commands repeat a flag of the root, and which, where not all of them do."""
    below = [command for path, command in surface.commands.items() if path]
    having = tuple(command.path for command in below if key in command.inherited)
    told: Json = {} if len(having) == len(below) else {"inherited_by": having}
    return {**told, "with_it": Counted(commands=len(having)) if having else None}
