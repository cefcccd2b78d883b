"""What a wrapper covers of every version of a timeline: the reports' own rules, applied to what the timeline knows.

A report is made from a union, and only committed versions have one. Here the same resolver answers for all versions
that were read, so for a version with a report the numbers are that report's (on any target); tests hold them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.contract.rules import Rules
from pipeline.contract.targets import TargetSet
from pipeline.history.sightings import Sighting, Track, Unit
from pipeline.report.build import list_for
from pipeline.report.resolve import Claims, Resolver
from pipeline.report.upstream import HIDDEN, Kind
from pipeline.report.upstream import Unit as Upstream
from pipeline.surface.coverage import CoveredCommand

COVERED, MISSING = "covered", "missing"
REPEATED = "of the root"

# Report lists → one word for each; lists that differ only in the kind of unit have the same.
_WORDS = {
    "missing": MISSING,
    "hidden": "hidden",
    "excluded": "excluded",
    "unsupported": "unsupported",
    "passthrough": "passed through",
    "intentionally": "waived",
}


@dataclass(frozen=True)
class Standing:
    """``tallies``: for each version looked at, how many units stand how. ``told``: each unit of one version."""

    tallies: Mapping[str, Counter[str]]
    told: Mapping[Unit, str]


def standing(
    looked_at: Mapping[str, tuple[str, ...]],
    tracks: Mapping[Unit, Track],
    coverage: Sequence[CoveredCommand],
    rules: Rules,
    at: str,
) -> Standing:
    """Every unit of every version, judged, and those of the version ``at`` told apart.

    Flags that only repeat a flag of the root are counted there, once.
    """
    judge = _Judge(looked_at, coverage, rules)
    model = rules.globals.effective_flags_model
    repeats = model.enabled and model.union_normalization.dedupe_per_command_flags_against_root
    tallies: dict[str, Counter[str]] = {version: Counter() for version in looked_at}
    told: dict[Unit, str] = {}
    for unit, track in tracks.items():
        root = tracks.get(Unit((), unit.name), {}) if repeats and unit.path and unit.name.startswith("-") else {}
        for version, sighting in track.items():
            if version in root and _on(root[version]) >= _on(sighting):
                words: tuple[str, ...] = (REPEATED,)
            else:
                words = judge.words(unit, sighting, version)
                tallies[version].update(words)
            if version == at and words:
                told[unit] = ", ".join(dict.fromkeys(words))
    return Standing(tallies, told)


def kind_of(unit: Unit) -> Kind:
    return "command" if not unit.name else "flag" if unit.name.startswith("-") else "arg"


def _on(sighting: Sighting) -> frozenset[str]:
    return frozenset().union(*sighting.values())


class _Judge:
    def __init__(
        self, looked_at: Mapping[str, tuple[str, ...]], coverage: Sequence[CoveredCommand], rules: Rules
    ) -> None:
        self._targets = TargetSet(rules, {target: None for on in looked_at.values() for target in on})
        self._resolver = Resolver(coverage, self._targets, exact=True)
        self._excluded = {one.identity for one in rules.parity_exclusions.units}
        self._relevant = {version: self._targets.mask(on) for version, on in looked_at.items()}
        self._mask = cache(lambda on: sum(self._targets.mask((target,)) for target in on))
        self._known: dict[object, tuple[str, ...]] = {}
        self._waivers = cache(self._resolver.waivers)

    def words(self, unit: Unit, sighting: Sighting, version: str) -> tuple[str, ...]:
        """How it stands; more than one word where the wrapper's level differs by target, none if it is not counted."""
        kind, relevant = kind_of(unit), self._relevant[version]
        if kind != "command" and ("command", unit.path, "") in self._excluded:
            return ()
        upstream = Upstream(kind, unit.path, unit.name, (), HIDDEN in sighting and "visible" not in sighting)
        claims, waivers = self._resolver.claims(upstream), self._waivers(unit.path)
        present = self._mask(_on(sighting)) & relevant
        excluded = (kind, unit.path, unit.name) in self._excluded
        key = (kind, claims, waivers, relevant, present, upstream.hidden, excluded)
        if key not in self._known:
            found = ("excluded",) if excluded else tuple(self._judged(upstream, claims, waivers, relevant, present))
            self._known[key] = found
        return self._known[key]

    def _judged(
        self, unit: Upstream, claims: Claims, waivers: tuple[Claims, ...], relevant: int, present: int
    ) -> Iterator[str]:
        for part in self._resolver.parts(unit, claims, waivers, relevant, present):
            name = list_for(unit, part.standing)
            yield _WORDS[name.replace(".", "_").partition("_")[0]] if name else COVERED
