"""The merge of commands, flags and args over targets.

Order is the snapshots' own (see ``surface.units``): commands by path, flags by key, args by name. The
canonical target (the required one where it has the unit, else the first that does) speaks for the fields
that can hold one value only; every field that the rules track and that differs becomes a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from operator import itemgetter

import msgspec

from pipeline.canonical import Json
from pipeline.contract.rules import Rules
from pipeline.errors import IdentityMismatch
from pipeline.surface.union import UnionArg, UnionCommand, UnionFlag
from pipeline.surface.units import Shape, fields_of, flag_key
from pipeline.union.conflicts import Evidence, Said, conflicts_of
from pipeline.union.read import Source

INFERRED = "inferred from usage"

# Set by the merge itself, or not carried into a union.
_SET_BY_MERGE = {
    "path",
    "key",
    "available_on",
    "inferred_from_usage",
    "inherited_from_root",
    "args",
    "flags",
    "conflicts",
}


class Merge:
    """One version's snapshots being merged; ``sources`` are in the order of the expected targets."""

    def __init__(self, sources: Mapping[str, Source], rules: Rules, evidence: Evidence) -> None:
        self._sources = sources
        self._required = rules.union.required_target
        self._tracked = msgspec.structs.asdict(rules.union.conflict_handling.fields_tracked)
        self._evidence = evidence
        # Facts that the earlier tool dropped are kept where a snapshot says what made it, and only there:
        # a union of another tool's snapshots stays, byte for byte, what that tool makes of them.
        self._provenance = all(source.sha256 for source in sources.values())
        model = rules.globals.effective_flags_model
        normalise = model.enabled and model.union_normalization.dedupe_per_command_flags_against_root
        self._root_flags = self._available_root_flags() if normalise else {}

    def commands(self) -> Iterator[Json]:
        """The merged commands, by path."""
        paths = sorted({path for source in self._sources.values() for path in source.commands})
        return map(self._command, paths)

    def _command(self, path: tuple[str, ...]) -> Json:
        said = [(target, source.commands[path]) for target, source in self._sources.items() if path in source.commands]
        on = [target for target, _ in said]
        # Equal text was parsed once (see ``read``), so one object means that all say the same: one is heard.
        if all(command is said[0][1] for _, command in said):
            said = said[:1]
        merged: Json = {"path": list(path), "available_on": on, **_carried(UnionCommand, self._speaker(said))}
        if not self._provenance:
            merged.pop("stability", None)

        if self._provenance and len(said) > 1:
            self._check_same_page_same_units(path, said)
        conflicts = self._conflicts("command", None, path, said, said) if len(said) > 1 else []
        flags, inherited = self._flags(path, said, on, conflicts)
        args = self._args(path, said, on, conflicts)
        if inherited and self._provenance:
            merged["inherited_from_root"] = inherited
        if args:
            merged["args"] = args
        if flags:
            merged["flags"] = flags
        if conflicts:
            merged["conflicts"] = conflicts
        return merged

    def _check_same_page_same_units(self, path: tuple[str, ...], said: Said) -> None:
        """A difference between targets must be one between their help: equal pages show equal units."""
        seen: dict[str, tuple[str, set[str]]] = {}
        for target, command in said:
            digest = command.get("help_sha256")
            if digest is None:
                continue
            other, units = seen.setdefault(digest, (target, _shown(command)))
            odd = sorted(units ^ _shown(command))
            if odd:
                name = " ".join(path) or "(root)"
                raise IdentityMismatch(
                    f"{name}: {odd[0]} is on one of {other} and {target} only, and the help page is the same on both",
                    where=self._sources[target].path,
                    remedy="take both snapshots again: one of them was edited or read in another way",
                )

    def _flags(
        self, path: tuple[str, ...], commands: Said, everywhere: list[str], conflicts: list[Json]
    ) -> tuple[list[Json], list[str]]:
        """The flags, and the keys of those that only repeat the root's; adds to ``conflicts``."""
        merged: list[Json] = []
        inherited: list[str] = []
        for key, flag, on, said in self._units(commands, "flags", flag_key, everywhere):
            if key in self._root_flags and path and self._repeats_root(key, on):
                inherited.append(key)
                continue
            merged.append({"key": key, **_carried(UnionFlag, flag), "available_on": on})
            if said:
                conflicts += self._conflicts("flag", key, path, said, commands)
        return merged, inherited

    def _args(self, path: tuple[str, ...], commands: Said, everywhere: list[str], conflicts: list[Json]) -> list[Json]:
        """The args; adds to ``conflicts``."""
        merged: list[Json] = []
        for name, arg, on, said in self._units(commands, "args", itemgetter("name"), everywhere):
            merged.append({**_noted(_carried(UnionArg, arg)), "available_on": on})
            if said:
                conflicts += self._conflicts("arg", name, path, said, commands)
        return merged

    def _units(
        self, commands: Said, kind: str, identity: Callable[[Json], str | None], everywhere: list[str]
    ) -> Iterator[tuple[str, Json, list[str], Said]]:
        """The units of one kind by identity.

        Yields what the canonical target says of a unit, the targets that have it, and what each of them says
        (nothing where all that have the command say the same).
        """
        if len(commands) == 1:
            units = _by_identity(commands[0][1].get(kind) or (), identity)
            for key in sorted(units):
                yield key, units[key], everywhere, ()
            return
        distinct = {id(command): command for _, command in commands}
        found = {at: _by_identity(command.get(kind) or (), identity) for at, command in distinct.items()}
        first, *others = found.values()
        for key in sorted(first.keys() | chain(*others)):
            if key in first and all(first[key] == other.get(key) for other in others):
                yield key, first[key], everywhere, ()
            else:
                said = [(target, one) for target, command in commands if (one := found[id(command)].get(key))]
                yield key, self._speaker(said), [target for target, _ in said], said

    def _speaker(self, said: Said) -> Json:
        """What the canonical target says."""
        return next((one for target, one in said if target == self._required), said[0][1])

    def _conflicts(
        self, unit: str, identity: str | None, path: tuple[str, ...], said: Said, commands: Said
    ) -> list[Json]:
        """What the targets say differently of a unit, with the help pages of its command as evidence."""
        found = list(conflicts_of(unit, identity, self._tracked[unit], path, said))
        if found:
            having = {target for target, _ in said}
            evidence = self._evidence.of(path, [(target, command) for target, command in commands if target in having])
            if evidence:
                for conflict in found:
                    conflict["evidence"] = evidence
        return found

    def _available_root_flags(self) -> dict[str, set[str]]:
        """The root's flags: key → targets that have it."""
        found: dict[str, set[str]] = {}
        for target, source in self._sources.items():
            for flag in source.commands.get((), {}).get("flags") or ():
                key = flag_key(flag)
                if key is not None:
                    found.setdefault(key, set()).add(target)
        return found

    def _repeats_root(self, key: str, on: Iterable[str]) -> bool:
        """Whether a command's flag, of a name that the root has too, is only the root's, repeated.

        The earlier tool asks for the key alone, so a root flag of one target hides a command's flag of
        another. Snapshots with provenance are asked for availability too.
        """
        return not self._provenance or self._root_flags[key].issuperset(on)


def _shown(command: Json) -> set[str]:
    """The flags and args that a command's help shows; what other oracles say may differ by target."""
    flags = (flag_key(flag) for flag in command.get("flags") or () if flag.get("state") in (None, "visible"))
    args = (arg["name"] for arg in command.get("args") or () if arg.get("state") in (None, "visible"))
    return {name for name in (*flags, *args) if name is not None}


def _by_identity(units: Iterable[Json], identity: Callable[[Json], str | None]) -> dict[str, Json]:
    """A unit that stands twice counts as it stands last; one without identity (a nameless flag) is dropped."""
    return {key: unit for unit in units if (key := identity(unit)) is not None}


def _noted(arg: Json) -> Json:
    """The arg with the crawler's own note turned into a fact."""
    if "note" not in arg:
        return arg
    note = arg["note"]
    inferred = {"inferred_from_usage": True} if note.strip() == INFERRED else {}
    return {**{key: arg[key] for key in arg if key != "note"}, **inferred, "note": note}


def _carried(shape: type[Shape], unit: Json) -> Json:
    """The part of a snapshot's unit that goes into the union's, in the union's order."""
    names = _names_carried(shape, tuple(unit))
    return unit if names is None else {name: unit[name] for name in names}


@cache
def _names_carried(shape: type[Shape], present: tuple[str, ...]) -> tuple[str, ...] | None:
    """Which keys go into the union; None if all of them do, as they stand."""
    names = tuple(name for name in fields_of(shape) if name in present and name not in _SET_BY_MERGE)
    return None if names == present else names
