"""The merge of commands, flags and args over targets.

Order is the snapshots' own (see ``surface.units``): commands by path, flags by key, args by name. The
canonical target (the required one where it has the unit, else the first that does) speaks for the fields
that can hold one value only; every field that the rules track and that differs becomes a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from pipeline.canonical import Json
from pipeline.contract.rules import Rules
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
        self._tracked = rules.union.conflict_handling.fields_tracked
        self._evidence = evidence
        # Facts that the earlier tool dropped are kept where a snapshot says what made it, and only there:
        # a union of another tool's snapshots stays, byte for byte, what that tool makes of them.
        self._provenance = all(source.sha256 for source in sources.values())
        model = rules.globals.effective_flags_model
        normalise = model.enabled and model.union_normalization.dedupe_per_command_flags_against_root
        self._root_flags = self._available_root_flags() if normalise else {}

    def commands(self) -> list[Json]:
        paths = sorted({path for source in self._sources.values() for path in source.commands})
        return [self._command(path) for path in paths]

    def _command(self, path: tuple[str, ...]) -> Json:
        said = [(target, source.commands[path]) for target, source in self._sources.items() if path in source.commands]
        speaker = self._speaker(said)
        available_on = [target for target, _ in said]
        # Equal text was parsed once (see ``read``), so one object means that all targets say the same.
        agreed = all(command is speaker for _, command in said)

        merged: Json = {"path": list(path), "available_on": available_on}
        for name in _carried(UnionCommand, tuple(speaker)):
            merged[name] = speaker[name]
        if not self._provenance:
            merged.pop("stability", None)

        flags, flag_conflicts, inherited = self._flags(path, said, available_on, agreed)
        args, arg_conflicts = self._args(path, said, available_on, agreed)
        if inherited and self._provenance:
            merged["inherited_from_root"] = inherited
        if args:
            merged["args"] = args
        if flags:
            merged["flags"] = flags
        if not agreed:
            own = conflicts_of("command", None, self._tracked.command, path, said, self._evidence.of(path, said))
            conflicts = [*own, *flag_conflicts, *arg_conflicts]
            if conflicts:
                merged["conflicts"] = conflicts
        return merged

    def _flags(
        self, path: tuple[str, ...], said: Said, available_on: list[str], agreed: bool
    ) -> tuple[list[Json], list[Json], list[str]]:
        merged: list[Json] = []
        conflicts: list[Json] = []
        inherited: list[str] = []
        for key, flag_said in _units(said, "flags", flag_key, agreed):
            on = available_on if agreed else [target for target, _ in flag_said]
            if path and self._repeats_root(key, on):
                inherited.append(key)
                continue
            flag = self._speaker(flag_said)
            out: Json = {"key": key}
            for name in _carried(UnionFlag, tuple(flag)):
                out[name] = flag[name]
            out["available_on"] = on
            merged.append(out)
            if not agreed:
                evidence = self._evidence.of(path, [(t, c) for t, c in said if t in on])
                conflicts += conflicts_of("flag", key, self._tracked.flag, path, flag_said, evidence)
        return merged, conflicts, inherited

    def _args(
        self, path: tuple[str, ...], said: Said, available_on: list[str], agreed: bool
    ) -> tuple[list[Json], list[Json]]:
        merged: list[Json] = []
        conflicts: list[Json] = []
        for name, arg_said in _units(said, "args", lambda arg: arg["name"], agreed):
            on = available_on if agreed else [target for target, _ in arg_said]
            arg = self._speaker(arg_said)
            out = {key: arg[key] for key in _carried(UnionArg, tuple(arg))}
            if "note" in out:
                note = out.pop("note")
                if note.strip() == INFERRED:
                    out["inferred_from_usage"] = True
                out["note"] = note
            out["available_on"] = on
            merged.append(out)
            if not agreed:
                evidence = self._evidence.of(path, [(t, c) for t, c in said if t in on])
                conflicts += conflicts_of("arg", name, self._tracked.arg, path, arg_said, evidence)
        return merged, conflicts

    def _speaker(self, said: Said) -> Json:
        """What the canonical target says."""
        return next((one for target, one in said if target == self._required), said[0][1])

    def _available_root_flags(self) -> dict[str, set[str]]:
        """The root's flags: key → targets that have it."""
        found: dict[str, set[str]] = {}
        for target, source in self._sources.items():
            for flag in source.commands.get((), {}).get("flags", ()):
                key = flag_key(flag)
                if key is not None:
                    found.setdefault(key, set()).add(target)
        return found

    def _repeats_root(self, key: str, on: Iterable[str]) -> bool:
        """Whether a command's flag is only the root's, repeated.

        The earlier tool asks for the key alone, so a root flag of one target hides a command's flag of
        another. Snapshots with provenance are asked for availability too.
        """
        root = self._root_flags.get(key)
        return root is not None and (not self._provenance or root.issuperset(on))


def _units(
    said: Said, kind: str, identity: Callable[[Json], str | None], agreed: bool
) -> Iterator[tuple[str, list[tuple[str, Json]]]]:
    """The units of one kind by identity, each with what every target says of it.

    A unit without identity (a flag with no name at all) is dropped; one that stands twice in a snapshot
    counts as it stands last.
    """
    found: dict[str, dict[str, Json]] = {}
    for target, command in said[:1] if agreed else said:
        for unit in command.get(kind, ()):
            key = identity(unit)
            if key is not None:
                found.setdefault(key, {})[target] = unit
    for key in sorted(found):
        yield key, list(found[key].items())


@cache
def _carried(shape: type[Shape], present: tuple[str, ...]) -> Sequence[str]:
    """The keys of a snapshot's unit that go into the union's, in the union's order."""
    return [name for name in fields_of(shape) if name in present and name not in _SET_BY_MERGE]
