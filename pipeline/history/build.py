"""The timeline stage: snapshots, and the facts that are kept of versions whose snapshots are gone, in; bytes out.

Each version's facts stand alone, so a timeline is the same whatever the order in which versions were added, and one
more version needs its own snapshots only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.history.sightings import Sighting, Targets, Track, Unit, digests, expanded, spans_of, stateless
from pipeline.history.usage import required_flags
from pipeline.layout import Root, in_order, is_version
from pipeline.surface.timeline import (
    ArgTrack,
    CommandTrack,
    FactTrack,
    FlagTrack,
    LookedAt,
    Span,
    Timeline,
    ValueTrack,
)

# What a snapshot that another tool made says of no unit, and means of all.
_SHOWN = "visible"
Facts = dict[Unit, Sighting]


class _Value(msgspec.Struct, frozen=True):
    name: str


class _Flag(msgspec.Struct, frozen=True):
    long: str | None = None
    short: str | None = None
    aliases: tuple[str, ...] = ()
    takes_value: bool = False
    optional_value: bool | None = None
    repeatable: bool | None = None
    state: str | None = None
    possible_values: tuple[_Value, ...] = ()

    def facts(self, required: frozenset[str]) -> Iterator[str]:
        if self.long and self.short:
            yield f"short={self.short}"
        yield from (f"alias={name}" for name in self.aliases)
        yield from (name for name in ("takes_value", "optional_value", "repeatable") if getattr(self, name))
        if required & {self.long, self.short, *self.aliases}:
            yield "required"


class _Arg(msgspec.Struct, frozen=True):
    name: str
    required: bool = False
    variadic: bool = False
    position: int | None = None
    state: str | None = None
    possible_values: tuple[_Value, ...] = ()

    def facts(self, _required: frozenset[str]) -> Iterator[str]:
        if self.position is not None:
            yield f"position={self.position}"
        yield from (name for name in ("required", "variadic") if getattr(self, name))


class _Command(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    usage: str | None = None
    aliases: tuple[str, ...] = ()
    pseudo_commands: tuple[str, ...] = ()
    state: str | None = None
    flags: tuple[_Flag, ...] = ()
    args: tuple[_Arg, ...] = ()

    def facts(self) -> Iterator[str]:
        yield from (f"alias={name}" for name in self.aliases)
        yield from (f"pseudo={name}" for name in self.pseudo_commands)


class _Binary(msgspec.Struct, frozen=True):
    sha256: str | None = None


class _Generator(msgspec.Struct, frozen=True):
    dialect: str | None = None


class _Snapshot(msgspec.Struct, frozen=True):
    """A snapshot as far as the timeline reads it."""

    tool: str
    commands: tuple[_Command, ...]
    generator: _Generator | None = None
    binary: _Binary = _Binary()


class History:
    """The facts of all versions, by version."""

    def __init__(self) -> None:
        self.tool = ""
        self.dialect: str | None = None
        self._targets: dict[str, Targets] = {}
        self._binaries: dict[str, dict[str, str]] = {}
        self._facts: dict[str, Facts] = {}

    def keep(self, timeline: Timeline, *, apart_from: Iterable[str] = (), where: object = None) -> None:
        """Take over what an earlier timeline says of the versions that are not named.

        Raises ArtifactInvalid for one of which it does not tell what it once did.
        """
        dropped, tracks = set(apart_from), list(expanded(timeline))
        told = digests({one.version: (one.targets, one.binaries) for one in timeline.versions}, tracks)
        for at, one in enumerate(timeline.versions):
            if one.version not in dropped and one.facts_sha256 != told[one.version]:
                problem = f"$.versions[{at}].facts_sha256: what is told of {one.version} is not what was read of it"
                raise ArtifactInvalid(problem, where=where, remedy=_RESTORE)
        for one in timeline.versions:
            if one.version not in dropped:
                self._targets[one.version], self._facts[one.version] = one.targets, {}
                self._binaries[one.version] = one.binaries or {}
        for unit, track in tracks:
            for version, sighting in track.items():
                if version not in dropped:
                    self._facts[version][unit] = sighting

    def add(self, version: str, snapshots: Mapping[str, bytes], where: object) -> None:
        """Take the facts of a version from its snapshots, by target in expected order."""
        facts: dict[Unit, dict[str, set[str]]] = {}
        binaries: dict[str, str] = {}
        for target, raw in snapshots.items():
            snapshot = canonical.decode(raw, _Snapshot, where)
            self.tool = snapshot.tool
            self.dialect = (snapshot.generator and snapshot.generator.dialect) or self.dialect
            if snapshot.binary.sha256:
                binaries[target] = snapshot.binary.sha256
            for unit, state in _units(snapshot):
                facts.setdefault(unit, {}).setdefault(state, set()).add(target)
        shared: dict[tuple[tuple[str, frozenset[str]], ...], Sighting] = {}
        self._targets[version], self._binaries[version] = tuple(snapshots), binaries
        self._facts[version] = {
            unit: shared.setdefault(same, dict(same))
            for unit, states in facts.items()
            for same in [tuple((state, frozenset(targets)) for state, targets in sorted(states.items()))]
        }

    def timeline(self, tool: str | None = None) -> Timeline:
        """Everything that is known; ``tool`` is that of the snapshots, unless it is given."""
        looked_at = {version: self._targets[version] for version in in_order(self._targets)}
        tracks: dict[Unit, Track] = {}
        for version in looked_at:
            for unit, sighting in self._facts[version].items():
                tracks.setdefault(unit, {})[version] = sighting
        rows = {version: (targets, self._binaries[version] or None) for version, targets in looked_at.items()}
        told = digests(rows, tracks.items())
        return Timeline(
            timeline_schema_version=1,
            tool=tool or self.tool,
            dialect=self.dialect,
            versions=tuple(
                LookedAt(version=version, targets=targets, binaries=binaries, facts_sha256=told[version])
                for version, (targets, binaries) in rows.items()
            ),
            commands=tuple(_Writer(tracks, looked_at).commands()),
        )


def timeline_bytes(
    root: Root, targets: Sequence[str], *, tool: str | None, besides: Mapping[str, Mapping[str, bytes]] | None = None
) -> bytes:
    """The canonical ``timeline.json`` of a root; ``targets`` are the expected ones, ``tool`` if it is known.

    Versions with snapshots are read again; of others, what the timeline that lies there says is kept. To add those
    ``besides`` them (version → target → snapshot, which lies in no file), only versions are read that the timeline does
    not have yet. Raises ArtifactInvalid for a timeline that cannot be read, because what it says of pruned versions
    could not be had again.
    """
    history = History()
    versions = root.versions()
    if root.timeline.exists():
        known = read_timeline(root.timeline)
        if besides:
            has = {one.version: set(one.targets) for one in known.versions}
            versions = [one for one in versions if has.get(one) != set(root.targets(one))]
        history.keep(known, apart_from=(*versions, *(besides or ())), where=root.timeline)
        history.tool, history.dialect = known.tool, known.dialect
    for version in versions:
        there = root.targets(version)
        paths = {target: root.snapshot(version, target) for target in targets if target in there}
        raw = {target: canonical.read_bytes(path) for target, path in paths.items()}
        if raw:
            history.add(version, raw, root.snapshots(version))
    for version, unfiled in (besides or {}).items():
        history.add(version, unfiled, f"{root.timeline}: {version}")
    return canonical.encode(history.timeline(tool))


def read_timeline(path: Path) -> Timeline:
    """A timeline whose spans can be read: every version that they name is listed, first before last."""
    timeline = canonical.read(path, Timeline)
    listed = [one.version for one in timeline.versions]
    order = {version: at for at, version in enumerate(listed)}
    if not all(map(is_version, listed)) or listed != in_order(set(listed)):
        raise ArtifactInvalid("$.versions: each version stands once, oldest first", where=path, remedy=_RESTORE)
    for command in timeline.commands:
        for span in _all_spans(command):
            if not order.get(span.first, len(order)) <= order.get(span.last, -1):
                problem = f"$.commands: {span.first} to {span.last} is no span of the versions that are listed"
                raise ArtifactInvalid(problem, where=path, remedy=_RESTORE)
    return timeline


_RESTORE = "restore the file from git, or rebuild it from nothing if no version has been pruned"


def _all_spans(command: CommandTrack) -> Iterator[Span]:
    tracks: list[CommandTrack | FlagTrack | ArgTrack] = [command, *(command.flags or ()), *(command.args or ())]
    for one in tracks:
        yield from one.spans or ()
        for fact in one.facts_at_times or ():
            yield from fact.spans
        for value in () if isinstance(one, CommandTrack) else one.values or ():
            yield from value.spans or ()


def _units(snapshot: _Snapshot) -> Iterator[tuple[Unit, str]]:
    """Every unit, value and fact with its state; what stands on a hidden command is hidden with it."""
    for command in snapshot.commands:
        unit, own = Unit(command.path), command.state or _SHOWN
        yield unit, own
        yield from ((unit._replace(fact=fact), "") for fact in command.facts())
        named: list[tuple[str, _Flag | _Arg]] = [(flag.long or flag.short or "", flag) for flag in command.flags]
        named += [(arg.name, arg) for arg in command.args]
        required = required_flags(command.usage or "")
        for name, one in named:
            unit = Unit(command.path, name)
            yield unit, own if own != _SHOWN else one.state or _SHOWN
            yield from ((unit._replace(value=value.name), "") for value in one.possible_values)
            yield from ((unit._replace(fact=fact), "") for fact in one.facts(required))


class _Writer:
    """Tracks as the commands of a timeline."""

    def __init__(self, tracks: Mapping[Unit, Track], looked_at: Mapping[str, Targets]) -> None:
        self._tracks = tracks
        self._looked_at = looked_at
        self._below: dict[tuple[str, ...], list[Unit]] = {}
        self._values: dict[Unit, list[Unit]] = {}
        self._facts: dict[Unit, list[Unit]] = {}
        for unit in sorted(tracks):
            if unit.fact:
                self._facts.setdefault(unit._replace(fact=""), []).append(unit)
            elif unit.value:
                self._values.setdefault(unit._replace(value=""), []).append(unit)
            elif unit.name:
                self._below.setdefault(unit.path, []).append(unit)

    def commands(self) -> Iterator[CommandTrack]:
        for command in sorted(unit for unit in self._tracks if not (unit.name or unit.fact)):
            own = self._tracks[command]
            flags, args = [], []
            for unit in self._below.get(command.path, ()):
                spans, values, facts = self._spans(unit, own), self._offered(unit), self._said(unit)
                if unit.name.startswith("-"):
                    flags.append(FlagTrack(key=unit.name, spans=spans, values=values, **facts))
                else:
                    args.append(ArgTrack(name=unit.name, spans=spans, values=values, **facts))
            yield CommandTrack(
                path=command.path,
                spans=spans_of(own, self._looked_at),
                flags=tuple(flags) or None,
                args=tuple(args) or None,
                **self._said(command),
            )

    def _offered(self, unit: Unit) -> tuple[ValueTrack, ...] | None:
        always = stateless(self._tracks[unit])
        found = [ValueTrack(name=one.value, spans=self._spans(one, always)) for one in self._values.get(unit, ())]
        return tuple(found) or None

    def _said(self, unit: Unit) -> dict[str, Any]:
        """Those of its facts that always hold, and those that hold at times."""
        always = stateless(self._tracks[unit])
        facts = [(one.fact, self._spans(one, always)) for one in self._facts.get(unit, ())]
        return {
            "facts": tuple(name for name, spans in facts if spans is None) or None,
            "facts_at_times": tuple(FactTrack(name=name, spans=spans) for name, spans in facts if spans) or None,
        }

    def _spans(self, unit: Unit, same: Track) -> tuple[Span, ...] | None:
        """None where they are those of what the unit belongs to."""
        track = self._tracks[unit]
        return None if track == same else spans_of(track, self._looked_at)
