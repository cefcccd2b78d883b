"""What is known of one unit: since when, until when, hidden when, where, with which values, and who uses it.

Everything is a bound: the versions between two that were looked at are not judged.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.canonical import Json
from pipeline.errors import UsageError
from pipeline.questions.view import Path, View
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag
from pipeline.surface.timeline import ArgTrack, CommandTrack, FlagTrack, Span

_NEAREST = 3


class Life(NamedTuple):
    """One span of a unit with what was looked at around it; ``after`` and ``before`` None: nothing was."""

    span: Span
    after: str | None
    before: str | None


class Explained(NamedTuple):
    """``path`` and ``unit`` identify it; ``unit`` is a flag's key or an arg's name, "" for a command.

    ``came_when_it_went`` are flags of the same command (or commands beside it) that were first seen in the very version
    that lacks it for the first time: where a replacement may be found.
    """

    path: Path
    unit: str
    lives: tuple[Life, ...]
    facts: tuple[tuple[str, tuple[Life, ...]], ...]
    values: tuple[tuple[str, tuple[Life, ...]], ...]
    came_when_it_went: tuple[str, ...]


class Used(NamedTuple):
    """A wrapper's claim on a unit, with the places in its source where they are known."""

    wrapper: str
    level: str
    note: str | None
    places: tuple[str, ...]


def explain(view: View, words: Sequence[str]) -> Explained:
    """Explain a command (``exec resume``), a flag (``exec --full-auto``, ``exec -m``) or an arg (``exec PROMPT``).

    Aliases of commands and other names of flags are understood, of any version. Raises UsageError for a unit that no
    version has, with the nearest names.
    """
    path: Path = ()
    rest = list(words)
    while rest and (child := _child(view, path, rest[0])):
        path, rest = tuple(child.path), rest[1:]
    command = view.commands.get(path)
    if len(rest) > 1:
        raise UsageError(
            f"{rest[1]!r} stands behind {rest[0]!r}, and one unit is explained at a time",
            remedy="ask for a command, and then one flag or arg of it; `parity which` judges a whole line",
        )
    if command is None:
        raise _unknown(view, path, rest)
    track = _named(command, rest[0]) if rest else command
    if track is None:
        raise _unknown(view, path, rest)
    spans = command.spans if track.spans is None else track.spans
    return Explained(
        path,
        "" if isinstance(track, CommandTrack) else _name(track),
        tuple(_lives(view, spans)),
        tuple((fact, tuple(_lives(view, spans))) for fact in track.facts or ())
        + tuple((one.name, tuple(_lives(view, one.spans))) for one in track.facts_at_times or ()),
        ()
        if isinstance(track, CommandTrack)
        else tuple((one.name, tuple(_lives(view, one.spans or spans))) for one in track.values or ()),
        tuple(_came_when_it_went(view, command, track, spans)),
    )


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


def as_json(explained: Explained, used: Sequence[Used] = (), about: str | None = None) -> Json:
    """The answer as a JSON object; optional keys are absent where there is nothing to say."""
    found: Json = {"path": explained.path}
    if explained.unit:
        found["flag" if explained.unit.startswith("-") else "arg"] = explained.unit
    if about:
        found["about"] = about
    found["spans"] = [_bounds(life) for life in explained.lives]
    for key, named in (("facts", explained.facts), ("values", explained.values)):
        if named:
            found[key] = [{"name": name, "spans": [_bounds(life) for life in lives]} for name, lives in named]
    if explained.came_when_it_went:
        found["came_when_it_went"] = explained.came_when_it_went
    if used:
        found["used_by"] = [
            {
                "wrapper": one.wrapper,
                "level": one.level,
                **({"note": one.note} if one.note else {}),
                **({"places": one.places} if one.places else {}),
            }
            for one in used
        ]
    return found


def in_words(explained: Explained, program: str, used: Sequence[Used] = (), about: str | None = None) -> str:
    """The answer for people."""
    lines = [" ".join((program, *explained.path, *((explained.unit,) if explained.unit else ())))]
    if about:
        lines += [f"  {line}" for line in about.splitlines() if line.strip()]
    lines += [f"  {life_in_words(life)}" for life in explained.lives]
    same = explained.lives
    if explained.facts:
        lines.append("  " + ", ".join(name + _apart(lives, same) for name, lives in explained.facts))
    if explained.values:
        lines.append("  values: " + ", ".join(name + _apart(lives, same) for name, lives in explained.values))
    if explained.came_when_it_went:
        lines.append(f"  came when it went: {', '.join(explained.came_when_it_went)}")
    for one in used:
        places = f" ({', '.join(one.places)})" if one.places else ""
        lines.append(f"  used by {one.wrapper}: {one.level}{places}")
    return "\n".join((*lines, ""))


def life_in_words(life: Life) -> str:
    """``visible since 0.147.0 (not in 0.125.0), in 0.169.0 still``, and the like."""
    span, after, before = life
    since = f"since {span.first}" + (f" (not so in {after})" if after else ", the first that was looked at")
    until = f"until {span.last} (not so in {before})" if before else f"still in {span.last}"
    on = f", on {', '.join(span.targets)} only" if span.targets else ""
    return f"{span.state or 'there'} {since}, {until}{on}"


def _apart(lives: Sequence[Life], same: Sequence[Life]) -> str:
    """When, where it is not as long as the unit itself."""
    own = [(life.span.first, life.span.last) for life in lives]
    if _covers(own) == _covers([(life.span.first, life.span.last) for life in same]):
        return ""
    return f" ({'; '.join(first if first == last else f'{first} to {last}' for first, last in own)})"


def _covers(spans: Sequence[tuple[str, str]]) -> tuple[str, str]:
    return spans[0][0], spans[-1][1]


def _lives(view: View, spans: Sequence[Span]) -> Iterator[Life]:
    for span in spans:
        first, last = view.order[span.first], view.order[span.last]
        after = view.versions[first - 1] if first else None
        before = view.versions[last + 1] if last + 1 < len(view.versions) else None
        yield Life(span, after, before)


def _bounds(life: Life) -> Json:
    span = life.span
    found: Json = {"first": span.first, "last": span.last}
    for key, value in (
        ("after", life.after),
        ("before", life.before),
        ("state", span.state),
        ("targets", span.targets),
    ):
        if value:
            found[key] = value
    return found


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


def _came_when_it_went(
    view: View, command: CommandTrack, track: CommandTrack | FlagTrack | ArgTrack, spans: Sequence[Span]
) -> Iterator[str]:
    last = view.order[spans[-1].last]
    if last + 1 >= len(view.versions):
        return
    gone = view.versions[last + 1]
    if isinstance(track, FlagTrack):
        for flag in command.flags or ():
            own = command.spans if flag.spans is None else flag.spans
            if own[0].first == gone and flag is not track:
                yield flag.key
    elif isinstance(track, CommandTrack):
        for other in view.children.get(tuple(track.path[:-1]), ()):
            if other.spans[0].first == gone:
                yield " ".join(other.path)


def _claim(entry: CoveredCommand, explained: Explained) -> CoveredCommand | CoveredFlag | CoveredArg | None:
    if not explained.unit:
        return entry if tuple(entry.path) == explained.path else None
    for flag in entry.flags or ():
        if flag.key == explained.unit:
            return flag
    own = entry.args if tuple(entry.path) == explained.path else ()
    return next((arg for arg in own or () if arg.name == explained.unit), None)
