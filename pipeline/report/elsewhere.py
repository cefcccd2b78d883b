"""What the binaries say of a unit that only the wrapper has: where else it was seen, if anywhere.

A claim that upstream does not answer to is one of several things, and each needs another remedy: the unit is on other
targets only, it came with a later version, it was removed before this one, or no version that was read ever had it.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline import history
from pipeline.canonical import Json
from pipeline.layout import version_key
from pipeline.report.upstream import Unit
from pipeline.surface.timeline import Timeline


def elsewhere(timeline: Timeline, version: str) -> Callable[[Unit], Json]:
    """A function from a unit that only the wrapper has in ``version`` to the keys that its entry gets.

    A unit that earlier and later versions have and this one lacks counts as removed. One that this version shows all
    the same is a flag of the root that the union does not repeat.
    """
    sightings = history.Sightings.of(timeline)

    def keys(unit: Unit) -> Json:
        place = history.Unit(tuple(unit.path), unit.key)
        seen = sightings.versions(place)
        # A timeline that does not know this version yet may know no other either.
        bounds = {"upstream_first": seen[0], "upstream_last": seen[-1]} if seen else {}
        return {"upstream_status": status(place, unit, seen), **bounds}

    def status(place: history.Unit, unit: Unit, seen: tuple[str, ...]) -> str:
        if unit.available_on:
            return "other_target"
        if not seen:
            return "never_seen"
        if version in seen:
            states = sightings.track(place)[version]
            return "visible" if "visible" in states else min(states)
        return "newer" if version_key(seen[0]) > version_key(version) else "removed"

    return keys


def in_words(entry: Json) -> str:
    """What the keys say, for people, with a blank before it; nothing where they are not there."""
    first, last = entry.get("upstream_first"), entry.get("upstream_last")
    said = {
        "newer": f"newer: first seen in {first}",
        "removed": f"removed: last seen in {last}",
        "never_seen": "never seen",
        "other_target": "on other targets",
    }
    status = entry.get("upstream_status")
    return f" ({said.get(status, status)})" if status else ""
