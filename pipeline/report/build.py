"""Reports: every unit of the union put into the list where its standing belongs, per question.

One pass over the surface answers all questions. Units of equal availability and equal claims have equal
outcomes, and entries that stand in several reports are encoded once and spliced (``canonical.fragments``):
the cost is that of the union's size, not of the number of reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.rules import Exclusion, Rules
from pipeline.report.markdown import render_lines, render_report
from pipeline.report.resolve import Claim, Resolver, Standing, TargetSet, reach, resolve
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
    """Where a unit goes: a list, in the reports of a bit mask over the questions, with what stands there."""

    list: str
    questions: int
    level: str | None
    note: str | None


@dataclass(slots=True)
class Group:
    """Consecutive entries of one list that stand in the same reports."""

    questions: int
    entries: list[Json]


def build_reports(
    upstream: Upstream,
    coverage: Sequence[CoveredCommand],
    rules: Rules,
    *,
    inputs: Json,
    generated_at: str,
    program: str = "",
) -> dict[str, bytes]:
    """All reports of one version: file name (``coverage.any.json``, ``coverage.any.md`` …) → bytes.

    ``inputs`` is the report's ``inputs`` object without the targets. Raises LevelsMixed, ScopeMismatch or
    NoteMissing; nothing is returned then.
    """
    targets = TargetSet(rules, upstream.targets)
    questions = _questions(upstream, targets)
    with canonical.no_collector_pauses():
        lists = _Sorter(questions, Resolver(coverage, targets), targets).sort(upstream, rules)
        spliced = {name: _splice(groups) for name, groups in lists.items()}
        lines = {
            name: [(group.questions, render_lines(group.entries, program)) for group in groups]
            for name, groups in lists.items()
        }
        files: dict[str, bytes] = {}
        for index, question in enumerate(questions):
            bit = 1 << index
            document = _document(question, upstream, inputs, generated_at)
            document["deltas"] = {
                name: chosen
                for name, groups in spliced.items()
                if (chosen := [text for mask, text in groups if mask & bit]) or name in ALWAYS
            }
            files[f"coverage.{question.mode}.json"] = canonical.encode(document)
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
    return [(group.questions, canonical.fragments(group.entries, 3)) for group in groups]


class _Sorter:
    """Puts units into lists; see SEMANTICS 5.2 and 5.3 for which."""

    def __init__(self, questions: Sequence[Question], resolver: Resolver, targets: TargetSet) -> None:
        self._questions = questions
        self._resolver = resolver
        self._targets = targets
        self._lists: dict[str, list[Group]] = {}
        self._known: dict[Any, tuple[Placement, ...]] = {}

    def sort(self, upstream: Upstream, rules: Rules) -> dict[str, list[Group]]:
        """Every list of every report, in the order in which a report shows them."""
        # Availability of everything upstream, for the wrapper's side of the comparison.
        masks: dict[tuple[str, ...], int] = {}
        for unit, exclusion in Exclusions(rules).walk(upstream):
            on = unit.available_on
            available = masks.get(on)
            if available is None:
                available = masks[on] = self._targets.mask(on)
            for placement in self._placements(unit, available, exclusion):
                self._put(unit, placement, on)
        self._wrapper_only(upstream)

        found = self._lists
        waived = [group for kind in _PLURAL.values() for group in found.pop(f"intentionally_unsupported.{kind}", ())]
        found["intentionally_unsupported"] = waived
        return {name: found.get(name, []) for name in fields_of(Deltas) if found.get(name) or name in ALWAYS}

    def _placements(self, unit: Unit, available: int, exclusion: Exclusion | None) -> tuple[Placement, ...]:
        claims, waivers = self._resolver.claims(unit), self._resolver.waivers(unit.path)
        key = (unit.kind, available, claims, waivers, exclusion.note if exclusion else None)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = tuple(self._decide(unit, available, claims, waivers, exclusion))
        return known

    def _decide(
        self,
        unit: Unit,
        available: int,
        claims: tuple[Claim, ...],
        waivers: tuple[tuple[Claim, ...], ...],
        exclusion: Exclusion | None,
    ) -> Iterator[Placement]:
        found: dict[tuple[str, str | None, str | None], int] = {}
        for index, question in enumerate(self._questions):
            if not question.asks(available):
                continue
            if exclusion:
                level = resolve(claims, question.relevant, unit).level
                outcome: tuple[str, str | None, str | None] = (f"excluded_{_PLURAL[unit.kind]}", level, exclusion.note)
            else:
                present = question.relevant if question.every else available & question.relevant
                standing = self._resolver.standing(unit, claims, waivers, question.relevant, present)
                name = _list_for(unit, standing)
                if name is None:
                    continue
                outcome = (name, *standing)
            found[outcome] = found.get(outcome, 0) | 1 << index
        for (name, level, note), questions in found.items():
            yield Placement(name, questions, level, note)

    def _wrapper_only(self, upstream: Upstream) -> None:
        """What the wrapper claims and upstream does not have, under each question."""
        available: dict[tuple[str, tuple[str, ...], str], tuple[str, ...]] = {}
        for command in upstream.commands:
            available["command", command.path, ""] = command.available_on
            for flag in command.flags:
                available["flag", command.path, flag.key] = flag.available_on
            for arg in command.args:
                available["arg", command.path, arg.name] = arg.available_on
        for (kind, path, key), claims in self._resolver.units():
            claimed = reach(claims)
            own = available.get((kind, path, key), ())
            mask = self._targets.mask(own)
            somewhere = own or available.get(("command", path, ""))
            unit = Unit(kind, path, key, own)
            found: dict[tuple[Standing, tuple[str, ...]], int] = {}
            for index, question in enumerate(self._questions):
                if question.asks(claimed) and not question.asks(mask):
                    standing = resolve(claims, question.relevant, unit)
                    on: tuple[str, ...] = somewhere or self._targets.list(claimed & question.relevant)
                    found[standing, on] = found.get((standing, on), 0) | 1 << index
            for ((level, note), on), questions in found.items():
                self._put(unit, Placement(f"wrapper_only_{_PLURAL[kind]}", questions, level, note), on)

    def _put(self, unit: Unit, placement: Placement, on: Sequence[str]) -> None:
        entry: Json = {"path": unit.path}
        if unit.key:
            entry[_IDENTITY_KEY[unit.kind]] = unit.key
        entry["upstream_available_on"] = on
        if placement.level is not None:
            entry["wrapper_level"] = placement.level
        if placement.note is not None:
            entry["note"] = placement.note
        groups = self._lists.setdefault(placement.list, [])
        if groups and groups[-1].questions == placement.questions:
            groups[-1].entries.append(entry)
        else:
            groups.append(Group(placement.questions, [entry]))


def _list_for(unit: Unit, standing: Standing) -> str | None:
    """The list that a unit belongs to, None if it is supported.

    Only commands have the lists ``unsupported`` and ``passthrough_candidates``: a flag that is not
    supported is missing, and one that is passed through is supported.
    """
    level = standing.level
    if level == Level.EXPLICIT:
        return None
    if level == Level.INTENTIONALLY_UNSUPPORTED:
        return f"intentionally_unsupported.{_PLURAL[unit.kind]}"
    if level == Level.PASSTHROUGH:
        return "passthrough_candidates" if unit.kind == "command" else None
    if level == Level.UNSUPPORTED and unit.kind == "command":
        return "unsupported"
    return f"missing_{_PLURAL[unit.kind]}"
