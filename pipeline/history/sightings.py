"""What one unit was in each version that was read, and how runs of versions are written as spans."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import msgspec

from pipeline.surface.timeline import ArgTrack, CommandTrack, FlagTrack, Span, Timeline, ValueTrack

Targets = tuple[str, ...]
# What a unit is in one version: state → the targets on which it has that state. A value has the state "".
Sighting = Mapping[str, frozenset[str]]
Track = dict[str, Sighting]


class Unit(NamedTuple):
    """A command, a flag or arg of it (``name`` is its key or name), or one possible value or one fact of those."""

    path: tuple[str, ...]
    name: str = ""
    value: str = ""
    fact: str = ""


class Sightings:
    """The tracks of a timeline's units. ``looked_at`` is version → targets, oldest first."""

    def __init__(self, looked_at: Mapping[str, Targets], tracks: Mapping[Unit, Track]) -> None:
        self.looked_at = looked_at
        self._tracks = tracks

    @classmethod
    def of(cls, timeline: Timeline) -> Sightings:
        return cls(looked_at_of(timeline), dict(expanded(timeline)))

    def track(self, unit: Unit) -> Track:
        """Version → sighting; empty for what no version has."""
        return self._tracks.get(unit, {})

    def versions(self, unit: Unit) -> Targets:
        """The versions that have it on any target, oldest first."""
        track = self.track(unit)
        return tuple(version for version in self.looked_at if version in track)

    def versions_offering(self, value: Unit) -> Targets:
        """The versions that take a value: those that list it, and those that have its flag or arg and list none."""
        unit, listed = value._replace(value=""), self.track(value)
        listing = self._listing.get(unit, set())
        return tuple(version for version in self.versions(unit) if version in listed or version not in listing)

    def facts(self, unit: Unit, version: str) -> frozenset[str]:
        """The facts of a command, flag or arg in a version (see ``surface.timeline.Facts``)."""
        known = self._facts.get(unit, ())
        return frozenset(fact for fact in known if version in self.track(unit._replace(fact=fact)))

    @cached_property
    def _facts(self) -> dict[Unit, list[str]]:
        found: dict[Unit, list[str]] = {}
        for unit in self._tracks:
            if unit.fact:
                found.setdefault(unit._replace(fact=""), []).append(unit.fact)
        return found

    @cached_property
    def _listing(self) -> dict[Unit, set[str]]:
        """Flag or arg → the versions that list possible values of it."""
        found: dict[Unit, set[str]] = {}
        for unit, track in self._tracks.items():
            if unit.value:
                found.setdefault(unit._replace(value=""), set()).update(track)
        return found


def looked_at_of(timeline: Timeline) -> dict[str, Targets]:
    return {one.version: one.targets for one in timeline.versions}


def expanded(timeline: Timeline) -> Iterator[tuple[Unit, Track]]:
    """Every unit and value with its track."""
    looked_at = looked_at_of(timeline)
    for command in timeline.commands:
        unit = Unit(tuple(command.path))
        own = track_of(command.spans, looked_at)
        yield from _expanded(unit, own, command, (), looked_at)
        named: list[tuple[str, FlagTrack | ArgTrack]] = [(flag.key, flag) for flag in command.flags or ()]
        named += [(arg.name, arg) for arg in command.args or ()]
        for name, one in named:
            track = own if one.spans is None else track_of(one.spans, looked_at)
            yield from _expanded(unit._replace(name=name), track, one, one.values or (), looked_at)


def _expanded(
    unit: Unit,
    track: Track,
    said: CommandTrack | FlagTrack | ArgTrack,
    values: Sequence[ValueTrack],
    looked_at: Mapping[str, Targets],
) -> Iterator[tuple[Unit, Track]]:
    """A unit with its track, then its values and facts with theirs."""
    always = stateless(track)
    yield unit, track
    for value in values:
        offered = always if value.spans is None else track_of(value.spans, looked_at)
        yield unit._replace(value=value.name), offered
    yield from ((unit._replace(fact=fact), always) for fact in said.facts or ())
    yield from ((unit._replace(fact=one.name), track_of(one.spans, looked_at)) for one in said.facts_at_times or ())


def track_of(spans: Sequence[Span], looked_at: Mapping[str, Targets]) -> Track:
    """What spans say, version by version."""
    versions = list(looked_at)
    found: Track = {}
    for span in spans:
        state = span.state or ""
        for version in versions[versions.index(span.first) : versions.index(span.last) + 1]:
            one = _sighting(state, span.targets or looked_at[version])
            found[version] = {**found[version], **one} if version in found else one
    return found


def spans_of(track: Track, looked_at: Mapping[str, Targets]) -> tuple[Span, ...]:
    """A track as spans: one for each run of versions of one state on the same targets, in order of versions."""
    runs: dict[tuple[str, Targets | None], list[list[str]]] = {}
    before: set[tuple[str, Targets | None]] = set()
    for version, targets in looked_at.items():
        here = {
            (state, None if having.issuperset(targets) else tuple(one for one in targets if one in having))
            for state, having in track.get(version, {}).items()
        }
        for key in here:
            if key in before:
                runs[key][-1].append(version)
            else:
                runs.setdefault(key, []).append([version])
        before = here
    found = [
        Span(first=run[0], last=run[-1], state=state or None, targets=targets)  # type: ignore[arg-type]
        for (state, targets), each in runs.items()
        for run in each
    ]
    order = {version: at for at, version in enumerate(looked_at)}
    return tuple(sorted(found, key=lambda span: (order[span.first], span.state or "", span.targets or ())))


def stateless(track: Track) -> Track:
    """The same versions and targets, as a value has them."""
    return {version: _merged(sighting) for version, sighting in track.items()}


def _merged(sighting: Sighting) -> Sighting:
    """All targets of a sighting; the same object for the same targets, of which there are few and of versions many."""
    if len(sighting) == 1:
        [targets] = sighting.values()
        return _of(targets)
    return _of(frozenset().union(*sighting.values()))


@lru_cache(maxsize=1024)
def _of(targets: frozenset[str]) -> Sighting:
    return {"": targets}


@lru_cache(maxsize=1024)
def _sighting(state: str, targets: Targets) -> Sighting:
    return {state: frozenset(targets)} if state else _of(frozenset(targets))


def digests(
    rows: Mapping[str, tuple[Targets, Mapping[str, str] | None]], tracks: Iterable[tuple[Unit, Track]]
) -> dict[str, str]:
    """Version → SHA-256 of all that a timeline tells of it: its targets, its binaries, and every unit with its states.

    ``rows`` is version → (targets, binaries). The digests of the units are added up, so that their order does not
    matter and each that is the same in a run of versions is hashed once.
    """
    sums = dict.fromkeys(rows, 0)
    for unit, track in tracks:
        seen: Sighting | None = None
        number = 0
        for version, sighting in track.items():
            if sighting is not seen:
                told = [*unit, sorted((state, sorted(targets)) for state, targets in sighting.items())]
                seen, number = sighting, int.from_bytes(hashlib.sha256(msgspec.json.encode(told)).digest())
            sums[version] += number
    return {version: _digest([*row, str(sums[version])]) for version, row in rows.items()}


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
