"""Reports: every unit of the union put into the list where its standing belongs, per question.

One pass over the surface answers all questions. Units of equal availability and equal claims have equal
outcomes, and entries that stand in several reports are encoded once and spliced (``canonical.splice``):
the cost is that of the union's size, not of the number of reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.rules import Exclusion, Rules
from pipeline.contract.targets import TargetSet
from pipeline.report.markdown import render_lines, render_report
from pipeline.report.resolve import NO_WAIVERS, Claims, Resolver, Standing
from pipeline.report.upstream import Exclusions, Unit, Upstream
from pipeline.surface.coverage import CoveredCommand, Level
from pipeline.surface.report import Deltas
from pipeline.surface.units import fields_of

ALWAYS = ("missing_commands", "missing_flags", "missing_args")
_PLURAL = {"command": "commands", "flag": "flags", "arg": "args"}
_IDENTITY_KEY = {"flag": "key", "arg": "name"}


class Question(NamedTuple):
    """One report: its mode (``any``, ``all`` or a target), the targets asked about, and the quantifier."""

    mode: str
    relevant: int
    every: bool

    def asks(self, available: int) -> bool:
        """Whether something with this availability is part of the answer."""
        return available & self.relevant == self.relevant if self.every else bool(available & self.relevant)


class Placement(NamedTuple):
    """Where a unit goes: a list, in the reports of a bit mask over the questions, with what stands there.

    ``on`` is where upstream has it; for what upstream does not have at all, where the wrapper claims it. Where
    the wrapper's level differs by target, it is the targets of that level.
    """

    list: str
    questions: int
    on: tuple[str, ...]
    level: str | None
    note: str | None


@dataclass(slots=True)
class Group:
    """Consecutive entries of one list that stand in the same reports."""

    questions: int
    entries: list[Json]


@dataclass(frozen=True, slots=True)
class Sorted:
    """Every unit of a version in its lists: what the reports say, before anything is written."""

    upstream: Upstream
    questions: Sequence[Question]
    lists: dict[str, list[Group]]


def sort_units(
    upstream: Upstream,
    coverage: Sequence[CoveredCommand],
    rules: Rules,
    *,
    elsewhere: Callable[[Unit], Json] | None = None,
) -> Sorted:
    """Compare a union with a wrapper coverage. Raises LevelsMixed or NoteMissing.

    ``elsewhere`` gives what is added to the entry of a unit that only the wrapper has.
    """
    targets = TargetSet(rules, upstream.targets)
    questions = _questions(upstream, targets)
    resolver = Resolver(coverage, targets, exact=upstream.has_provenance)
    lists = _Sorter(questions, resolver, targets, elsewhere).sort(upstream, rules)
    return Sorted(upstream, questions, lists)


def render_reports(found: Sorted, *, inputs: Json, generated_at: str, program: str = "") -> dict[str, list[bytes]]:
    """All reports of one version: file name (``coverage.any.json``, ``coverage.any.md`` …) → bytes, in pieces.

    What stands in several reports is one piece of each. ``inputs`` is the report's ``inputs`` object without
    the targets.
    """
    spliced = {name: _splice(groups) for name, groups in found.lists.items()}
    lines = {
        name: [(group.questions, render_lines(group.entries, program)) for group in groups]
        for name, groups in found.lists.items()
    }
    files: dict[str, list[bytes]] = {}
    for index, question in enumerate(found.questions):
        bit = 1 << index
        document = _document(question, found.upstream, inputs, generated_at)
        document["deltas"] = {
            name: chosen
            for name, groups in spliced.items()
            if (chosen := [text for mask, text in groups if mask & bit]) or name in ALWAYS
        }
        files[f"coverage.{question.mode}.json"] = canonical.encode_pieces(document)
        texts = {name: [text for mask, text in groups if mask & bit] for name, groups in lines.items()}
        files[f"coverage.{question.mode}.md"] = render_report(document, texts)
    return files


def _questions(upstream: Upstream, targets: TargetSet) -> list[Question]:
    """``any``, then each input target, then ``all`` if no expected target is missing."""
    inputs = upstream.targets
    found = [Question("any", targets.mask(inputs), every=False)]
    found += [Question(target, targets.mask((target,)), every=False) for target in inputs]
    if upstream.complete:
        found.append(Question("all", targets.expected, every=True))
    return found


def _document(question: Question, upstream: Upstream, inputs: Json, generated_at: str) -> Json:
    asked: Sequence[str] = {"any": upstream.targets, "all": upstream.expected_targets}.get(
        question.mode, (question.mode,)
    )
    wanted: Json = {"mode": question.mode}
    if question.mode not in ("any", "all"):
        wanted = {"mode": "exact_target", "target_triple": question.mode}
    version, *digest = inputs["upstream"].items()
    return {
        "schema_version": 1,
        "generated_at": generated_at,
        "inputs": {**inputs, "upstream": dict([version, ("mode", "union"), ("targets", asked), *digest])},
        "platform_filter": wanted,
    }


def _splice(groups: Sequence[Group]) -> list[tuple[int, Any]]:
    # Entries stand three levels deep: document, deltas, list.
    return [(group.questions, canonical.splice(group.entries, 3)) for group in groups]


class _Sorter:
    """Puts units into lists; see SEMANTICS 5.2 and 5.3 for which.

    What decides is few and far between: units that agree on it share their placements.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        resolver: Resolver,
        targets: TargetSet,
        elsewhere: Callable[[Unit], Json] | None,
    ) -> None:
        self._elsewhere = elsewhere
        self._questions = questions
        self._resolver = resolver
        self._targets = targets
        self._lists: dict[str, list[Group]] = {}

    def sort(self, upstream: Upstream, rules: Rules) -> dict[str, list[Group]]:
        """Every list of every report, in the order in which a report shows them."""
        known: dict[Any, tuple[Placement, ...]] = {}
        path, waivers = None, NO_WAIVERS
        for unit, exclusion in Exclusions(rules).walk(upstream):
            if unit.path is not path:
                path, waivers = unit.path, self._resolver.waivers(unit.path)
            claims = self._resolver.claims(unit)
            key = (unit.kind, unit.available_on, unit.hidden, claims, waivers, exclusion and exclusion.note)
            placements = known.get(key)
            if placements is None:
                placements = known[key] = tuple(self._decide(unit, claims, waivers, exclusion))
            for placement in placements:
                self._put(unit, placement)
        self._wrapper_only(upstream)

        found = self._lists
        waived = [group for kind in _PLURAL.values() for group in found.pop(f"intentionally_unsupported.{kind}", ())]
        found["intentionally_unsupported"] = waived
        return {name: found.get(name, []) for name in fields_of(Deltas) if found.get(name) or name in ALWAYS}

    def _decide(
        self,
        unit: Unit,
        claims: Claims,
        waivers: tuple[Claims, ...],
        exclusion: Exclusion | None,
    ) -> Iterator[Placement]:
        """Where a unit of upstream goes."""
        available = self._targets.mask(unit.available_on)
        found: dict[tuple[str, tuple[str, ...], str | None, str | None], int] = {}
        for index, question in enumerate(self._questions):
            if not question.asks(available):
                continue
            present = question.relevant if question.every else available & question.relevant
            parts = (
                self._resolver.resolve(claims, question.relevant, present, unit)
                if exclusion
                else self._resolver.parts(unit, claims, waivers, question.relevant, present)
            )
            for targets, standing in parts:
                name = f"excluded_{_PLURAL[unit.kind]}" if exclusion else list_for(unit, standing)
                if name is not None:
                    on = unit.available_on if len(parts) == 1 else self._targets.list(targets)
                    outcome = (name, on, standing.level, exclusion.note if exclusion else standing.note)
                    found[outcome] = found.get(outcome, 0) | 1 << index
        for (name, on, level, note), questions in found.items():
            yield Placement(name, questions, on, level, note)

    def _wrapper_only(self, upstream: Upstream) -> None:
        """What the wrapper claims and upstream does not have, under each question."""
        commands = {command.path: command for command in upstream.commands}
        known: dict[Any, tuple[Placement, ...]] = {}
        for kind, path, key, claims in self._resolver.units():
            command = commands.get(path)
            unit = Unit(kind, path, key, command.availability(kind, key) if command else ())
            somewhere = command.available_on if command else ()
            decisive = (kind, claims, unit.available_on, somewhere)
            placements = known.get(decisive)
            if placements is None:
                placements = known[decisive] = tuple(self._decide_only(unit, claims, somewhere))
            for placement in placements:
                self._put(unit, placement, self._elsewhere(unit) if self._elsewhere else None)

    def _decide_only(self, unit: Unit, claims: Claims, command_on: tuple[str, ...]) -> Iterator[Placement]:
        """Where a unit that the wrapper claims goes, as far as upstream does not have it."""
        available = self._targets.mask(unit.available_on)
        found: dict[tuple[tuple[str, ...], Standing], int] = {}
        for index, question in enumerate(self._questions):
            if question.asks(claims.reach) and not question.asks(available):
                parts = self._resolver.resolve(claims, question.relevant, claims.reach & question.relevant, unit)
                for targets, standing in parts:
                    on = (len(parts) == 1 and (unit.available_on or command_on)) or self._targets.list(targets)
                    found[on, standing] = found.get((on, standing), 0) | 1 << index
        for (on, (level, note)), questions in found.items():
            yield Placement(f"wrapper_only_{_PLURAL[unit.kind]}", questions, on, level, note)

    def _put(self, unit: Unit, placement: Placement, added: Json | None = None) -> None:
        name, questions, on, level, note = placement
        entry: Json = {"path": unit.path}
        if unit.key:
            entry[_IDENTITY_KEY[unit.kind]] = unit.key
        entry["upstream_available_on"] = on
        if level is not None:
            entry["wrapper_level"] = level
        if note is not None:
            entry["note"] = note
        if added is not None:
            entry |= added
        groups = self._lists.setdefault(name, [])
        if groups and groups[-1].questions == questions:
            groups[-1].entries.append(entry)
        else:
            groups.append(Group(questions, [entry]))


def list_for(unit: Unit, standing: Standing) -> str | None:
    """The list that a unit belongs to, None if it is supported.

    Only commands have the lists ``unsupported`` and ``passthrough_candidates``: a flag that is not
    supported is missing, and one that is passed through is supported. A hidden unit is neither: it has lists
    of its own, with the level that the wrapper gives it, unless it is waived.
    """
    level = standing.level
    if level == Level.INTENTIONALLY_UNSUPPORTED:
        return f"intentionally_unsupported.{_PLURAL[unit.kind]}"
    if unit.hidden:
        return f"hidden_{_PLURAL[unit.kind]}"
    if level == Level.EXPLICIT:
        return None
    if level == Level.PASSTHROUGH:
        return "passthrough_candidates" if unit.kind == "command" else None
    if level == Level.UNSUPPORTED and unit.kind == "command":
        return "unsupported"
    return f"missing_{_PLURAL[unit.kind]}"
