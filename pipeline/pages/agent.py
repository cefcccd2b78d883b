"""One agent, read for its page: facts for the part that needs no script, and the data for the one that does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import msgspec
from markupsafe import Markup

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.folder import open_folder
from pipeline.contract.targets import platform_of
from pipeline.errors import UsageError
from pipeline.history.diffs import diff_files
from pipeline.history.sightings import Sighting, Track, Unit, expanded, looked_at_of
from pipeline.history.surfaces import read_surfaces
from pipeline.layout import Root
from pipeline.pages.beside import KINDS, beside_data
from pipeline.pages.chart import columns
from pipeline.pages.embedded import Embedded
from pipeline.pages.said import said
from pipeline.pages.standing import kind_of
from pipeline.pages.wrappers import Wrapper, wrappers
from pipeline.questions.asked import Asked
from pipeline.surface.diff import Diff
from pipeline.surface.surfaces import Surfaces
from pipeline.surface.union import Conflict

_RECENT = 6
_OS = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}


class _Command(msgspec.Struct, frozen=True):
    conflicts: tuple[Conflict, ...] = ()


class _Union(msgspec.Struct, frozen=True):
    """A union as far as its disagreements go."""

    commands: tuple[_Command, ...]


class Gone(NamedTuple):
    """A unit that went away: its state in the last version that has it, that version, and the first without it."""

    unit: Unit
    state: str
    last: str
    before: str


@dataclass(frozen=True)
class Agent:
    """An agent as its page shows it."""

    root: Root
    program: str
    looked_at: Mapping[str, tuple[str, ...]]
    tracks: Mapping[Unit, Track]
    wrappers: Sequence[Wrapper]
    asked: Asked
    targets: Sequence[str]
    surfaces: Mapping[str, Surfaces]

    @property
    def name(self) -> str:
        return self.root.path.name

    @cached_property
    def newest(self) -> str:
        """The last version that was read; empty if none was."""
        return next(reversed(tuple(self.looked_at)), "")

    @cached_property
    def current(self) -> str:
        """The version that the page is about."""
        return _current(self.root, self.looked_at)

    @cached_property
    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Kind → units of the current version that help shows, and that are hidden."""
        found = {"command": [0, 0], "flag": [0, 0], "arg": [0, 0]}
        for unit, track in self.tracks.items():
            if sighting := track.get(self.current):
                found[kind_of(unit)]["visible" not in sighting] += 1
        return {kind: (shown, hidden) for kind, (shown, hidden) in found.items()}

    @cached_property
    def all_gone(self) -> Sequence[Gone]:
        """What a later version, read on a target that had it last, has no more; the latest first."""
        versions = list(self.looked_at)
        order = {version: at for at, version in enumerate(versions)}
        found = []
        for unit, track in self.tracks.items():
            last = next(reversed(track))
            had, later = _on(track, last), versions[order[last] + 1 :]
            before = next((version for version in later if had.intersection(self.looked_at[version])), None)
            if before is not None:
                found.append(Gone(unit, _state(track[last]), last, before))
        return sorted(found, key=lambda one: (-order[one.before], one.unit))

    @cached_property
    def gone(self) -> Sequence[Gone]:
        """The same, of a command that is gone the command alone."""
        went = {(one.unit, one.before) for one in self.all_gone}
        return [one for one in self.all_gone if (_above(one.unit), one.before) not in went]

    @property
    def beside(self) -> Sequence[tuple[str, int]]:
        """(Kind, how many the newest version has whose surfaces were read), of the kinds that it tells."""
        newest = next(reversed(tuple(self.surfaces.values())), Surfaces())
        return [(kind, len(told)) for kind, field in KINDS.items() if (told := getattr(newest, field))]

    @property
    def recently_gone(self) -> Sequence[Gone]:
        return self.gone[:_RECENT]

    @cached_property
    def apart(self) -> Sequence[Unit]:
        """Units of the current version that only some of its targets have; of a command, the command alone."""
        looked_at = set(self.looked_at.get(self.current, ()))
        partly = {unit for unit, track in self.tracks.items() if 0 < len(_on(track, self.current)) < len(looked_at)}
        return sorted(unit for unit in partly if _above(unit) not in partly)

    @cached_property
    def conflicts(self) -> Mapping[str, Sequence[Conflict]]:
        """Version → fields on which its targets disagree, of committed unions."""
        found = {}
        for version in self.root.versions():
            path = self.root.union(version)
            if path.exists():
                union = canonical.decode(canonical.read_bytes(path), _Union, path)
                found[version] = [one for command in union.commands for one in command.conflicts]
        return found

    def chart(self, wrapper: Wrapper) -> Markup:
        versions = list(self.looked_at)
        counted, covered = map(wrapper.counted, versions), map(wrapper.covered, versions)
        label = (
            f"Units of each version of {self.name} that {wrapper.label} covers: "
            f"{wrapper.covered(self.current)} of {wrapper.counted(self.current)} in {self.current}"
        )
        return columns(versions, list(counted), list(covered), label=label)

    def document(self) -> Json:
        """The data for the page's script (see ``embedded``)."""
        timeline = self.asked.view.timeline
        texts = said(self.root, self.targets, self.tracks)
        return Embedded(timeline, texts, self.wrappers).document(
            _diffs(self.root),
            self.conflicts,
            **({"beside": beside_data(self.surfaces)} if self.surfaces else {}),
            agent=self.name,
            program=self.program,
            current=self.current,
            systems={target: system(target) for one in timeline.versions for target in one.targets},
        )


def read_agent(root: Root) -> Agent:
    """Raises ArtifactMissing or ArtifactInvalid for what a page needs and cannot be read."""
    folder, asked = open_folder(root.path), Asked(root)
    timeline = asked.view.timeline
    looked_at = looked_at_of(timeline)
    tracks = {unit: track for unit, track in expanded(timeline) if not (unit.value or unit.fact)}
    return Agent(
        root=root,
        program=folder.program or root.path.name,
        looked_at=looked_at,
        tracks=tracks,
        wrappers=tuple(wrappers(asked, folder.rules, looked_at, tracks, _current(root, looked_at))),
        asked=asked,
        targets=folder.rules.targets,
        surfaces=read_surfaces(root.surfaces) if root.surfaces.exists() else {},
    )


def system(target: str) -> str:
    """A target for people: ``Windows x86_64``; as it is where it names no platform."""
    try:
        platform = platform_of(target)
    except UsageError:
        return target
    return f"{_OS[platform.os]} {platform.arch}"


def _diffs(root: Root) -> Iterator[Diff]:
    for path, versions in diff_files(root):
        if versions and path == root.diff(*versions):
            yield canonical.decode(canonical.read_bytes(path), Diff, path)


def _current(root: Root, looked_at: Mapping[str, tuple[str, ...]]) -> str:
    """The newest version that has a snapshot, else the newest that was read."""
    kept = [version for version in root.versions() if version in looked_at]
    return kept[-1] if kept else next(reversed(tuple(looked_at)), "")


def _above(unit: Unit) -> Unit | None:
    """The command that a unit stands on; None for the root."""
    if unit.name:
        return Unit(unit.path)
    return Unit(unit.path[:-1]) if unit.path else None


def _on(track: Track, version: str) -> frozenset[str]:
    return frozenset().union(*track.get(version, {}).values())


def _state(sighting: Sighting) -> str:
    return "visible" if "visible" in sighting else min(sighting)
