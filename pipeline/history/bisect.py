"""Which release to read next, so that each difference comes to lie between two neighbouring releases.

Pure: the releases in order and the surfaces of those that were read, in; one release out, always the same for the same
question. The ends come first. Then, of all gaps between two neighbours that were read and differ, the one where most is
open (differences times releases that nobody read), the older of two that are alike; its middle is read. What comes and
goes between two that are equal is not seen: nobody asks there.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

from pipeline.history.sightings import Unit, expanded
from pipeline.surface.timeline import Timeline


def next_release(releases: Sequence[str], surfaces: Mapping[str, frozenset[Hashable]]) -> str | None:
    """The release to read next; None when neighbours that differ have no release between them.

    ``surfaces`` are of the releases that were read; other versions in it do not count.
    """
    for end in (*releases[:1], *releases[-1:]):
        if end not in surfaces:
            return end
    read = [at for at, release in enumerate(releases) if release in surfaces]
    gaps = {
        (first + last) // 2: len(surfaces[releases[first]] ^ surfaces[releases[last]]) * (last - first - 1)
        for first, last in pairwise(read)
        if last - first > 1
    }
    middle = max(gaps, key=lambda middle: (gaps[middle], -middle), default=None)
    return None if middle is None or not gaps[middle] else releases[middle]


def surfaces(timeline: Timeline, target: str) -> Mapping[str, frozenset[tuple[Unit, str]]]:
    """Every unit, value and fact with its state, of every version that was read on ``target``."""
    found: dict[str, set[tuple[Unit, str]]] = {one.version: set() for one in timeline.versions if target in one.targets}
    for unit, track in expanded(timeline):
        for version, sighting in track.items():
            for state, targets in sighting.items():
                if target in targets:
                    found[version].add((unit, state))
    return {version: frozenset(units) for version, units in found.items()}
