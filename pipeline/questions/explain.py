"""What is known of one unit: since when, until when, hidden when, where, with which values, and who uses it.

Everything is a bound: the versions between two that were looked at are not judged. For people and for programs it is
told by ``pipeline.questions.explained``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.errors import UsageError
from pipeline.questions.lives import Life, lives
from pipeline.questions.view import AtVersion, Path, View
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag
from pipeline.surface.timeline import ArgTrack, CommandTrack, FlagTrack, Span, ValueTrack

_NEAREST = 3


class Explained(NamedTuple):
    """``path``, ``unit`` and ``value`` identify it; ``unit`` is a flag's key or an arg's name, "" for a command.

    Where to look instead of what is gone, as the very version says that lacks it for the first time: ``now_named`` is
    the flag that has its name, ``still_of`` are the other commands that have the flag, ``came_when_it_went`` are flags
    of the same command (or commands beside it, or values) that were not there before.
    """

    path: Path
    unit: str
    value: str
    lives: tuple[Life, ...]
    facts: tuple[tuple[str, tuple[Life, ...]], ...]
    values: tuple[tuple[str, tuple[Life, ...]], ...]
    now_named: str
    still_of: tuple[Path, ...]
    came_when_it_went: tuple[str, ...]


class Used(NamedTuple):
    """A wrapper's claim on a unit, with the places in its source where they are known."""

    wrapper: str
    level: str
    note: str | None
    places: tuple[str, ...]


def explain(view: View, words: Sequence[str]) -> Explained:
    """Explain a command (``exec resume``), a flag (``exec --full-auto``, ``exec -m``), an arg (``exec PROMPT``) or a
    value (``-a never``, ``--ask-for-approval=never``).

    Aliases of commands and other names of flags are understood, of any version. Raises UsageError for a unit that no
    version has, with the nearest names.
    """
    path: Path = ()
    rest = list(words)
    while rest and (child := _child(view, path, rest[0])):
        path, rest = tuple(child.path), rest[1:]
    command = view.commands.get(path)
    if rest[:1] and "=" in rest[0]:
        rest[:1] = rest[0].split("=", 1)
    track = command and (_named(command, rest[0]) if rest else command)
    if command is None or track is None:
        raise _unknown(view, path, rest)
    spans = command.spans if track.spans is None else track.spans
    if rest[1:]:
        return _value(view, path, track, rest[1:], spans)
    own = lives(view, spans)
    gone = own[-1].before if own else None
    flag = track.key if isinstance(track, FlagTrack) else ""
    return Explained(
        path,
        "" if isinstance(track, CommandTrack) else _name(track),
        "",
        own,
        tuple((fact, own) for fact in track.facts or ())
        + tuple((one.name, lives(view, one.spans)) for one in track.facts_at_times or ()),
        tuple((one.name, lives(view, one.spans or spans)) for one in _values(track)),
        _now_named(view.at(gone), path, flag) if gone and flag else "",
        tuple(_still_of(view.at(gone), path, flag)) if gone and flag else (),
        tuple(_came(view, command, track, gone)) if gone else (),
    )


def _value(
    view: View, path: Path, track: CommandTrack | FlagTrack | ArgTrack, rest: Sequence[str], spans: Sequence[Span]
) -> Explained:
    listed = _values(track)
    found = next((one for one in listed if one.name == rest[0]), None)
    if len(rest) > 1 or isinstance(track, CommandTrack) or (found is None and not listed):
        raise UsageError(
            f"{rest[-1]!r} is no value of a unit that lists its values, and one unit is explained at a time",
            remedy="ask for a command, and then one flag or arg of it; `parity which` judges a whole line",
        )
    if found is None:
        raise UsageError(
            f"no version that was looked at lists {rest[0]!r} as a value of {_name(track)}",
            remedy=f"listed are: {', '.join(one.name for one in listed)}",
        )
    own = lives(view, found.spans or spans)
    gone = own[-1].before if own else None
    came = [one.name for one in listed if one is not found and lives(view, one.spans or spans)[0].first == gone]
    return Explained(path, _name(track), found.name, own, (), (), "", (), tuple(came))


def uses(explained: Explained, coverages: Iterable[tuple[str, Sequence[CoveredCommand]]]) -> Iterator[Used]:
    """Which wrappers claim it; ``coverages`` are their names and entries. A root's flag counts on every command."""
    for wrapper, coverage in coverages:
        for entry in coverage:
            if tuple(entry.path) not in (explained.path, ()):
                continue
            claim = _claim(entry, explained)
            if claim is not None:
                places = tuple(f"{one.file}:{one.line}" for one in claim.evidence or () if one.file)
                yield Used(wrapper, claim.level, claim.note, places)


def _child(view: View, path: Path, word: str) -> CommandTrack | None:
    for child in view.children.get(path, ()):
        facts = {*(child.facts or ()), *(one.name for one in child.facts_at_times or ())}
        if child.path[-1] == word or f"alias={word}" in facts:
            return child
    return None


def _named(command: CommandTrack, word: str) -> FlagTrack | ArgTrack | None:
    tracks: list[FlagTrack | ArgTrack] = [*(command.flags or ()), *(command.args or ())]
    for track in tracks:
        if _name(track) == word:
            return track
    for track in tracks:
        facts = {*(track.facts or ()), *(one.name for one in track.facts_at_times or ())}
        if {f"short={word}", f"alias={word}"} & facts:
            return track
    return None


def _name(track: FlagTrack | ArgTrack) -> str:
    return track.key if isinstance(track, FlagTrack) else track.name


def _unknown(view: View, path: Path, rest: Sequence[str]) -> UsageError:
    names = [child.path[-1] for child in view.children.get(path, ())] + _names(view, path)
    word = rest[0] if rest else ""
    near = difflib.get_close_matches(word, names, _NEAREST, 0.5)
    elsewhere = [" ".join((*other, word)).strip() for other in view.commands if word in _names(view, other)]
    advice = [f"the nearest there: {', '.join(near)}"] if near else []
    advice += [f"it is one of: {', '.join(elsewhere[:_NEAREST])}"] if elsewhere else []
    looked_at = f"{view.versions[0]} to {view.versions[-1]}" if view.versions else "no version"
    return UsageError(
        f"no version that was looked at ({looked_at}) has `{' '.join((*path, *rest))}`",
        remedy="; ".join(advice) or "look at what there is in the union of a version",
    )


def _names(view: View, path: Path) -> list[str]:
    """The keys of a command's flags and the names of its args, in any version."""
    command = view.commands.get(path)
    if command is None:
        return []
    return [*(flag.key for flag in command.flags or ()), *(arg.name for arg in command.args or ())]


def _now_named(gone: AtVersion, path: Path, flag: str) -> str:
    """The flag that a name of one that is gone spells."""
    found = gone.flag(path, flag)
    return found.name if found and found.name != flag else ""


def _still_of(gone: AtVersion, path: Path, flag: str) -> Iterator[Path]:
    """The other commands that have the flag where one has not."""
    for other in gone.view.commands:
        if other != path and gone.command(other) and (found := gone.flag(other, flag)) and found.name == flag:
            yield other


def _came(view: View, command: CommandTrack, track: CommandTrack | FlagTrack | ArgTrack, gone: str) -> Iterator[str]:
    """What was first seen in a version, of the same kind and in the same place."""
    if isinstance(track, FlagTrack):
        for flag in command.flags or ():
            own = command.spans if flag.spans is None else flag.spans
            if own[0].first == gone and flag is not track:
                yield flag.key
    elif isinstance(track, CommandTrack):
        for other in view.children.get(tuple(track.path[:-1]), ()):
            if other.spans[0].first == gone:
                yield " ".join(other.path)


def _values(track: CommandTrack | FlagTrack | ArgTrack) -> Sequence[ValueTrack]:
    return () if isinstance(track, CommandTrack) else track.values or ()


def _claim(entry: CoveredCommand, explained: Explained) -> CoveredCommand | CoveredFlag | CoveredArg | None:
    if not explained.unit:
        return entry if tuple(entry.path) == explained.path else None
    for flag in entry.flags or ():
        if flag.key == explained.unit:
            return flag
    own = entry.args if tuple(entry.path) == explained.path else ()
    return next((arg for arg in own or () if arg.name == explained.unit), None)
