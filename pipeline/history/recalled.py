"""A version's surface as the timeline tells it, for one whose snapshots are not kept.

The timeline keeps what a parser needs: which units there are, shown or hidden, their names, values and targets. What
help says of them (texts, defaults, environment variables, stability) is not in it, so two surfaces that are compared
should both be recalled, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from pipeline.canonical import Json
from pipeline.history.sides import Facts, Offered, Surface
from pipeline.surface.timeline import ArgTrack, CommandTrack, FlagTrack, Span, Timeline
from pipeline.surface.units import Path

_STATED = ("repeatable", "required", "variadic")
_Having = Callable[[Sequence[Span]], list[Span]]


def recalled(timeline: Timeline, version: str) -> Surface:
    """The surface of one of the timeline's versions. Raises KeyError for any other."""
    order = {one.version: at for at, one in enumerate(timeline.versions)}
    place = order[version]
    looked_at = timeline.versions[place]

    def having(spans: Sequence[Span]) -> list[Span]:
        return [span for span in spans if order[span.first] <= place <= order[span.last]]

    commands: dict[Path, Offered] = {}
    root: dict[str, Facts] = {}
    for track in timeline.commands:
        spans = having(track.spans)
        if not spans:
            continue
        facts = _facts(track, spans, looked_at.targets, having)
        own = facts.get("available_on", looked_at.targets)
        flags, args = (
            {name: _as_shown(one, facts) for name, one in _offered(tracks or (), track, own, having)}
            for tracks in (track.flags, track.args)
        )
        inherited = frozenset(key for key, facts in flags.items() if track.path and root.get(key) == facts)
        commands[tuple(track.path)] = Offered(
            path=tuple(track.path),
            facts=facts,
            flags={key: facts for key, facts in flags.items() if key not in inherited},
            args=args,
            inherited=inherited,
            pseudo=frozenset(_named(_said(track, having), "pseudo=")),
        )
        root = root if track.path else flags
    return Surface(
        tool=timeline.tool,
        version=version,
        targets=looked_at.targets,
        commands=commands,
        dialect=timeline.dialect,
        binaries=looked_at.binaries or {},
        is_recalled=True,
    )


def _offered(
    tracks: Sequence[FlagTrack | ArgTrack], of: CommandTrack, everywhere: Sequence[str], having: _Having
) -> Iterator[tuple[str, Facts]]:
    for track in tracks:
        if spans := having(of.spans if track.spans is None else track.spans):
            name = track.key if isinstance(track, FlagTrack) else track.name
            yield name, _facts(track, spans, everywhere, having)


def _as_shown(facts: Facts, command: Facts) -> Facts:
    """What stands on a hidden command is hidden with it, which a surface does not say of each."""
    same = "state" in facts and facts["state"] == command.get("state")
    return {name: value for name, value in facts.items() if name != "state"} if same else facts


def _facts(
    track: CommandTrack | FlagTrack | ArgTrack, spans: Sequence[Span], everywhere: Sequence[str], having: _Having
) -> Facts:
    said = _said(track, having)
    found: Json = {fact: True for fact in _STATED if fact in said}
    if others := {*_named(said, "alias="), *_named(said, "short=")}:
        found["names"] = sorted({_first(track), *others})
    if (state := min(span.state or "visible" for span in spans)) != "visible":
        found["state"] = state
    targets = _targets(spans, everywhere)
    if set(targets) != set(everywhere):
        found["available_on"] = targets
    if isinstance(track, FlagTrack):
        takes, optional = "takes_value" in said, "optional_value" in said
        found["value"] = "optional" if takes and optional else "required" if takes else "none"
    for place in _named(said, "position="):
        found["position"] = int(place)
    if not isinstance(track, CommandTrack):
        listed = [value.name for value in track.values or () if value.spans is None or having(value.spans)]
        if listed:
            found["possible_values"] = [{"name": name} for name in sorted(listed)]
    return found


def _said(track: CommandTrack | FlagTrack | ArgTrack, having: _Having) -> set[str]:
    return {*(track.facts or ()), *(one.name for one in track.facts_at_times or () if having(one.spans))}


def _named(said: Iterable[str], kind: str) -> Iterator[str]:
    return (fact.removeprefix(kind) for fact in said if fact.startswith(kind))


def _first(track: CommandTrack | FlagTrack | ArgTrack) -> str:
    if isinstance(track, CommandTrack):
        return (track.path[-1:] or ("",))[0]
    return track.key if isinstance(track, FlagTrack) else track.name


def _targets(spans: Sequence[Span], everywhere: Sequence[str]) -> list[str]:
    """The targets that have it in any state, in expected order; ``everywhere`` are those of what it is of."""
    if any(span.targets is None for span in spans):
        return list(everywhere)
    having = {target for span in spans for target in span.targets or ()}
    return [target for target in everywhere if target in having]
