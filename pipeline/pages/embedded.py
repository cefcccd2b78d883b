"""The data of a page: everything that its script shows, small enough to stand in the page itself.

Versions, targets and texts are numbers: places in the lists at the top. What is empty is left out.

    current    the version that the page is about: the newest that has a snapshot, else the newest that was read
    versions   [{"v": version, "on": mask of targets}]
    commands   [{"path", "s": spans, "f": facts, "h": help, "w": wrappers, "u": units}]
    units      [{"n": key or name, "s" (absent: the command's), "f", "h", "w", "v": values}]
    spans      [[first, last, state, mask]]; state "v", "h", "u" or "" (facts and values have none); no mask: all
    facts      [[name, spans]], values [[name, spans]]; no spans: as long as the unit itself
    help       {"v": version (absent: current), "on": target (absent: the first), "l": line, "t": text, "d": default,
               "e": env, "b": bytes, "by": evidence (a text), "vs": [[value, text]]}
    beside     what there is besides the command line (``pipeline.pages.beside``)
    diffs      [{"a", "b", "on", "findings", "told": sentences on what else was compared,
               "beside": [[severity, code, [[name, what is said of it]]]]}]
    standings  [{"is": standing in the current version, "c": claims}]; "w" has a place in it for each wrapper, or -1
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from pipeline.canonical import Json
from pipeline.history.beside import KINDS
from pipeline.history.beside_page import around, compared_in_words
from pipeline.history.rules import BY_CODE
from pipeline.history.sightings import Unit
from pipeline.pages.said import Said
from pipeline.pages.wrappers import Wrapper
from pipeline.surface.diff import Diff, Finding
from pipeline.surface.timeline import ArgTrack, CommandTrack, FlagTrack, Span, Timeline
from pipeline.surface.union import Conflict

_STATES = {"visible": "v", "hidden": "h", "unknown": "u", None: ""}
_LONGEST = 300


class Embedded:
    """One agent's data."""

    def __init__(self, timeline: Timeline, help_texts: Mapping[Unit, Said], wrappers: Sequence[Wrapper]) -> None:
        self._timeline = timeline
        self._said = help_texts
        self._wrappers = wrappers
        self._order = {one.version: at for at, one in enumerate(timeline.versions)}
        self._targets = {
            target: at for at, target in enumerate(dict.fromkeys(t for one in timeline.versions for t in one.targets))
        }
        self._texts: dict[str, int] = {}
        self._standings: dict[bytes, int] = {}
        self._current = -1

    def document(
        self, diffs: Iterable[Diff], conflicts: Mapping[str, Sequence[Conflict]], *, current: str, **named: object
    ) -> Json:
        """``conflicts`` by version; ``named`` is what else stands at the top."""
        self._current = self._order.get(current, -1)
        commands = [self._command(command) for command in self._timeline.commands]
        return {
            **named,
            "current": self._current,
            "versions": [{"v": one.version, "on": self._mask(one.targets)} for one in self._timeline.versions],
            "targets": list(self._targets),
            "commands": commands,
            "wrappers": [self._wrapper(wrapper) for wrapper in self._wrappers],
            "diffs": [self._diff(diff) for diff in sorted(diffs, key=self._place)],
            "conflicts": {
                str(self._order[version]): [self._conflict(one) for one in found]
                for version, found in conflicts.items()
                if found and version in self._order
            },
            "rules": {code: rule.summary for code, rule in BY_CODE.items()},
            "texts": list(self._texts),
            "standings": [orjson.Fragment(text) for text in self._standings],
        }

    def _mask(self, targets: Iterable[str]) -> int:
        return sum(1 << self._targets[target] for target in targets)

    def _spans(self, spans: Sequence[Span]) -> list[list[Any]]:
        return [
            [
                self._order[span.first],
                self._order[span.last],
                _STATES[span.state],
                *((self._mask(span.targets),) if span.targets else ()),
            ]
            for span in spans
        ]

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _command(self, track: CommandTrack) -> Json:
        unit = Unit(tuple(track.path))
        return {
            "path": track.path,
            "s": self._spans(track.spans),
            **self._all(unit, track),
            "u": [
                *(self._unit(unit._replace(name=flag.key), flag) for flag in track.flags or ()),
                *(self._unit(unit._replace(name=arg.name), arg) for arg in track.args or ()),
            ],
        }

    def _unit(self, unit: Unit, track: FlagTrack | ArgTrack) -> Json:
        values = [[one.name, *((self._spans(one.spans),) if one.spans else ())] for one in track.values or ()]
        return {
            "n": unit.name,
            **({"s": self._spans(track.spans)} if track.spans is not None else {}),
            **self._all(unit, track),
            **({"v": values} if values else {}),
        }

    def _all(self, unit: Unit, track: CommandTrack | FlagTrack | ArgTrack) -> Json:
        facts: list[Any] = [[fact] for fact in track.facts or ()]
        facts += [[one.name, self._spans(one.spans)] for one in track.facts_at_times or ()]
        wraps = [self._standing(unit, wrapper) for wrapper in self._wrappers]
        found: Json = {"f": facts, "h": self._help(unit), "w": wraps if max(wraps, default=-1) >= 0 else None}
        return {key: value for key, value in found.items() if value not in (None, [])}

    def _standing(self, unit: Unit, wrapper: Wrapper) -> int:
        found = {"is": wrapper.standing.told.get(unit), "c": wrapper.claims.get(unit)}
        said = {key: value for key, value in found.items() if value}
        return self._standings.setdefault(orjson.dumps(said), len(self._standings)) if said else -1

    def _help(self, unit: Unit) -> Json | None:
        said = self._said.get(unit)
        if said is None:
            return None
        found: Json = {
            "l": said.line,
            "t": said.about and self._text(said.about),
            "d": said.default,
            "e": said.env,
            "b": said.span,
            "by": self._text(", ".join(said.evidence)) if said.evidence else None,
            "vs": [[name, self._text(about)] for name, about in said.values],
        }
        told = {key: value for key, value in found.items() if value not in ("", None, [])}
        version, target = self._order[said.version], self._targets[said.target]
        if version != self._current:
            told["v"] = version
        if target:
            told["on"] = target
        return told

    def _wrapper(self, wrapper: Wrapper) -> Json:
        found: Json = {"name": wrapper.name, "label": wrapper.label}
        if wrapper.queue:
            found["queue"] = {
                "at": wrapper.queue.version,
                "against": wrapper.queue.against,
                "closed": wrapper.queue.closed,
                "items": [
                    {
                        "p": item.path,
                        "n": item.unit,
                        "severity": item.severity,
                        "since": self._order[item.since],
                        "after": None if item.after is None else self._order[item.after],
                        "age": item.age,
                        "new": item.new,
                        "write": item.suggestion,
                    }
                    for item in wrapper.queue.items
                ],
            }
        if wrapper.elsewhere:
            found["elsewhere"] = [[unit.path, unit.name, said] for unit, said in wrapper.elsewhere]
        if wrapper.left_over:
            left = wrapper.left_over
            found["left"] = {
                "at": left.upstream_version,
                "of": left.numbers.visible_flags,
                "count": left.numbers.left_over_flags,
                "is": left.left_over_is,
                "flags": [[one.path, one.flags] for one in left.left_over],
            }
        return found

    def _place(self, diff: Diff) -> tuple[int, int]:
        return self._order.get(diff.before.version, -1), self._order.get(diff.after.version, -1)

    def _diff(self, diff: Diff) -> Json:
        return {
            "a": self._order.get(diff.before.version),
            "b": self._order.get(diff.after.version),
            "on": diff.targets,
            "findings": [dict(self._finding(one)) for one in diff.findings if one.unit not in KINDS],
            **_beside(diff),
        }

    def _finding(self, one: Finding) -> Iterator[tuple[str, Any]]:
        yield from (("code", one.code), ("severity", one.severity), ("p", one.path), ("n", one.key or one.name or ""))
        for key, said in (("value", one.value), ("on", one.targets), ("with", one.with_it and _counted(one))):
            if said:
                yield key, said
        for key, said in (("before", one.before), ("after", one.after)):
            if isinstance(said, (str, int, list, tuple)) and len(text := _plain(said)) <= _LONGEST:
                yield key, text
        if one.witness:
            yield "witness", [one.witness.state, *one.witness.argv]

    def _conflict(self, one: Conflict) -> Json:
        values = [
            [self._targets[target], _plain(value)]
            for target, value in one.values_by_target.items()
            if target in self._targets
        ]
        return {"p": one.path, "n": one.key or one.name or "", "field": one.field, "values": values}


def _beside(diff: Diff) -> Json:
    """What a diff says that stands on no command; nothing where it says nothing of the kind."""
    found: dict[tuple[str, str], list[list[str]]] = {}
    for one in diff.findings:
        if one.unit in KINDS:
            stages = f"{one.before} → {one.after}" if BY_CODE[one.code].field == "stage" else ""
            said = "; ".join(filter(None, (stages, around(one))))
            found.setdefault((one.severity, one.code), []).append([one.name or "", *([said] if said else [])])
    return {
        **({"told": list(compared_in_words(diff))} if diff.surfaces else {}),
        **({"beside": [[*named, names] for named, names in found.items()]} if found else {}),
    }


def _counted(one: Finding) -> str:
    counted = one.with_it
    numbers = {} if counted is None else {name: getattr(counted, name) for name in ("commands", "flags", "args")}
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number)


def _plain(value: object) -> str:
    """A value of a fact for people."""
    if value is None:
        return "not stated"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    if isinstance(value, dict):
        return (
            str(value["name"]) if "name" in value else ", ".join(f"{key}: {_plain(one)}" for key, one in value.items())
        )
    return str(value)
