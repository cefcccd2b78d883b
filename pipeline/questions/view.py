"""A timeline as questions look at it: one version at a time, and only the units that are asked about.

Nothing is expanded: a question is asked by an installed program at run time, which cannot wait for thousands of units
to be spread over a hundred versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipeline.errors import UsageError
from pipeline.layout import version_key
from pipeline.surface.timeline import ArgTrack, CommandTrack, FlagTrack, Span, Timeline

Path = tuple[str, ...]


class Found(NamedTuple):
    """A flag or arg as it is in one version."""

    track: FlagTrack | ArgTrack
    facts: frozenset[str]
    span: Span

    @property
    def hidden(self) -> bool:
        return self.span.state == "hidden"

    @property
    def name(self) -> str:
        return self.track.key if isinstance(self.track, FlagTrack) else self.track.name


@dataclass(frozen=True)
class View:
    """All versions of a timeline."""

    timeline: Timeline

    @cached_property
    def versions(self) -> tuple[str, ...]:
        return tuple(one.version for one in self.timeline.versions)

    @cached_property
    def order(self) -> dict[str, int]:
        return {version: at for at, version in enumerate(self.versions)}

    @cached_property
    def commands(self) -> dict[Path, CommandTrack]:
        """Every command that any version has."""
        return {tuple(command.path): command for command in self.timeline.commands}

    @cached_property
    def children(self) -> dict[Path, list[CommandTrack]]:
        """Command → the commands right below it, in any version."""
        found: dict[Path, list[CommandTrack]] = {}
        for path, command in self.commands.items():
            if path:
                found.setdefault(path[:-1], []).append(command)
        return found

    def spans(self, path: Path, unit: str = "") -> Sequence[Span]:
        """The spans of a command, or of a flag or arg of it by its key or name; none of what no version has."""
        command = self.commands.get(path)
        if command is None or not unit:
            return command.spans if command else ()
        named = [(flag.key, flag.spans) for flag in command.flags or ()]
        named += [(arg.name, arg.spans) for arg in command.args or ()]
        return next((command.spans if spans is None else spans for name, spans in named if name == unit), ())

    def at(self, version: str, target: str | None = None) -> AtVersion:
        """One of ``versions``, on one target or on any."""
        return AtVersion(self, self.order[version], target)

    def versions_on(self, target: str | None) -> tuple[str, ...]:
        """The versions that were looked at on a target, or on any. Raises UsageError for a target that none was."""
        if target is None:
            return self.versions
        found = tuple(one.version for one in self.timeline.versions if target in one.targets)
        if not found:
            known = dict.fromkeys(each for one in self.timeline.versions for each in one.targets)
            raise UsageError(f"no version was looked at on {target!r}", remedy=f"name one of: {', '.join(known)}")
        return found

    def neighbours(self, version: str, target: str | None = None) -> tuple[str | None, str | None]:
        """The nearest versions looked at (on a target) before and after one that was not."""
        key, versions = version_key(version), self.versions_on(target)
        before = [one for one in versions if version_key(one) < key]
        after = [one for one in versions if version_key(one) > key]
        return (before[-1] if before else None), (after[0] if after else None)


@dataclass(frozen=True)
class AtVersion:
    """What one version has; ``place`` is its place in the order. ``target`` None: what any target has."""

    view: View
    place: int
    target: str | None = None

    def span(self, spans: Sequence[Span]) -> Span | None:
        """The span that holds here; of several (targets differ) a visible one."""
        order, target = self.view.order, self.target
        here = [
            span
            for span in spans
            if order[span.first] <= self.place <= order[span.last]
            and (target is None or span.targets is None or target in span.targets)
        ]
        return min(here, key=lambda span: span.state != "visible", default=None)

    def command(self, path: Path) -> CommandTrack | None:
        track = self.view.commands.get(path)
        return track if track and self.span(track.spans) else None

    def child(self, path: Path, word: str) -> CommandTrack | None:
        """The command of that name, or of that other name, right below a path."""
        for track in self.view.children.get(path, ()):
            if (track.path[-1] == word or f"alias={word}" in self._facts(track)) and self.span(track.spans):
                return track
        return None

    def is_help_page(self, path: Path, word: str) -> bool:
        """Whether a word names a child that only prints help."""
        command = self.command(path)
        return command is not None and f"pseudo={word}" in self._facts(command)

    def flag(self, path: Path, name: str) -> Found | None:
        """The flag that a name spells on a command: its key, its short name or another one."""
        command = self.view.commands.get(path)
        spelled = {f"short={name}", f"alias={name}"}
        for track in (command and command.flags) or ():
            if command and (track.key == name or spelled & self._ever(track)):
                found = self._found(command, track)
                if found and (track.key == name or spelled & found.facts):
                    return found
        return None

    def args(self, path: Path) -> list[Found]:
        """The args of a command in the order in which a parser fills them."""
        command = self.view.commands.get(path)
        found = [self._found(command, track) for track in command.args or ()] if command else []
        return sorted((one for one in found if one), key=_position)

    def values(self, found: Found) -> tuple[str, ...] | None:
        """The possible values that this version lists; None if it lists none, and then anything goes."""
        listed = [value.name for value in found.track.values or () if value.spans is None or self.span(value.spans)]
        return tuple(listed) or None

    def _found(self, command: CommandTrack, track: FlagTrack | ArgTrack) -> Found | None:
        span = self.span(command.spans if track.spans is None else track.spans)
        return Found(track, self._facts(track), span) if span else None

    def _facts(self, track: CommandTrack | FlagTrack | ArgTrack) -> frozenset[str]:
        at_times = (one.name for one in track.facts_at_times or () if self.span(one.spans))
        return frozenset((*(track.facts or ()), *at_times))

    @staticmethod
    def _ever(track: FlagTrack) -> set[str]:
        return {*(track.facts or ()), *(one.name for one in track.facts_at_times or ())}


def _position(found: Found) -> tuple[int, str]:
    stated = (fact.removeprefix("position=") for fact in found.facts if fact.startswith("position="))
    return int(next(stated, 0)), found.name


def runs(versions: Sequence[str], holds: Iterable[object]) -> Iterator[tuple[object, str, str]]:
    """Consecutive versions with equal values: (value, first, last)."""
    open_: tuple[object, str, str] | None = None
    for version, value in zip(versions, holds, strict=True):
        if open_ and open_[0] == value:
            open_ = (value, open_[1], version)
        else:
            if open_:
                yield open_
            open_ = (value, version, version)
    if open_:
        yield open_
