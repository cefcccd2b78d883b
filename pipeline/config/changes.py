"""What another version of the target changes: which fields of a tree become portable, which stop being so, and why.

Two versions in, and a tree if there is one; the decisions that differ out, and the rules whose predicates only one of
the two fulfils. Nothing is written: a plan is made for each version and thrown away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.config.documents import render
from pipeline.config.mapping import Mapping, Rule
from pipeline.config.phase_inventory import inventory_of
from pipeline.config.phases import Job
from pipeline.config.plan import make_plan
from pipeline.config.plan_values import Outcome, Plan
from pipeline.questions.predicates import Having, having
from pipeline.surface.units import Shape

Effect = Literal["gained", "lost", "otherwise"]
_CARRIED = ("direct-port", "adaptation")
_PAGE = "changes.md"


class FieldChange(Shape, frozen=True, kw_only=True):
    """A field on which the two versions decide otherwise; ``because`` are the predicates that only one fulfils."""

    item: str
    field: str
    domain: str
    path: str
    place: str | None = None
    rule: str | None = None
    before: Outcome
    after: Outcome
    effect: Effect
    because: tuple[str, ...]


class RuleChange(Shape, frozen=True, kw_only=True):
    """A rule of which the two versions make another class; where it asks for an event, for that event."""

    rule: str
    domain: str
    before: Outcome
    after: Outcome
    effect: Effect
    because: tuple[str, ...]


class Changes(Shape, frozen=True, kw_only=True):
    """``<A>..<B>.json``: fields in the order of the inventory (none without a tree), rules in that of the mapping."""

    changes_schema_version: Literal[1]
    mapping: str
    tree: str | None = None
    target: str
    before: str
    after: str
    fields: tuple[FieldChange, ...] = ()
    rules: tuple[RuleChange, ...]

    @property
    def loses(self) -> bool:
        """Whether something stops being portable: in the tree, or without one in any that has it."""
        return any(one.effect == "lost" for one in (self.rules if self.tree is None else self.fields))

    def having(self, effect: Effect) -> list[FieldChange]:
        return [one for one in self.fields if one.effect == effect]


def changes_of(job: Job, before: str, after: str) -> Changes:
    """Compare what two versions make of a tree. Raises UsageError for a version that is not known."""
    old, new = (having(job.mapping.target.agent, version) for version in (before, after))
    inventory = inventory_of(job)
    plans = [make_plan(inventory, job.mapping, one, job.overrides) for one in (old, new)]
    return _changes(job.mapping, old, new, fields=field_changes(*plans), tree=job.name)


def changes_of_rules(mapping: Mapping, before: str, after: str) -> Changes:
    """The same of no tree: what can change for any."""
    return _changes(mapping, *(having(mapping.target.agent, version) for version in (before, after)))


def _changes(
    mapping: Mapping, old: Having, new: Having, *, fields: Iterable[FieldChange] = (), tree: str | None = None
) -> Changes:
    return Changes(
        changes_schema_version=1,
        mapping=mapping.name,
        tree=tree,
        target=mapping.target.agent,
        before=old.version,
        after=new.version,
        fields=tuple(fields),
        # Of several events that a rule is asked of, all may wait for the same.
        rules=tuple(dict.fromkeys(_rule_changes(mapping.rules, old, new))),
    )


def field_changes(before: Plan, after: Plan) -> Iterator[FieldChange]:
    """Where two plans of one inventory decide otherwise."""
    earlier = {(one.item, one.field): one for one in before.fields()}
    for one in after.fields():
        other = earlier[one.item, one.field]
        if other.classification != one.classification:
            yield FieldChange(
                item=one.item,
                field=str(one.field),
                domain=one.domain,
                path=one.path,
                place=one.place,
                rule=one.rule,
                before=other.classification,
                after=one.classification,
                effect=_effect(other.classification, one.classification),
                because=tuple(sorted({*(other.missing or ())} ^ {*(one.missing or ())})),
            )


def _rule_changes(rules: Iterable[Rule], old: Having, new: Having) -> Iterator[RuleChange]:
    for rule in rules:
        for predicates in _asked(rule, old, new):
            lacking = [{one for one in predicates if not version.holds(one)} for version in (old, new)]
            before, after = (rule.otherwise if missing else rule.classification for missing in lacking)
            if before != after:
                because = tuple(sorted(lacking[0] ^ lacking[1]))
                yield RuleChange(
                    rule=rule.id,
                    domain=rule.domain,
                    before=before,
                    after=after,
                    effect=_effect(before, after),
                    because=because,
                )


def _asked(rule: Rule, old: Having, new: Having) -> list[list[str]]:
    """What a rule asks for: its predicates, once for each name that a version has where a field's value gives it."""
    open_ = [one.partition(":")[0] for one in rule.requires if "{event}" in one]
    names = sorted({name for form in open_ for version in (old, new) for name in version.names(form)})
    return [[one.format(event=name) for one in rule.requires] for name in (names if open_ else [""])]


def _effect(before: Outcome, after: Outcome) -> Effect:
    was, is_ = before in _CARRIED, after in _CARRIED
    return "otherwise" if was is is_ else "gained" if is_ else "lost"


def write_changes(changes: Changes, into: Path) -> list[Path]:
    """``<A>..<B>.json`` and ``.md`` in a folder."""
    name = f"{changes.before}..{changes.after}"
    files = [(into / f"{name}.json", canonical.encode(changes)), (into / f"{name}.md", page(changes).encode("utf-8"))]
    canonical.write_all(files)
    return [path for path, _ in files]


def page(changes: Changes, *, heading: str = "#") -> str:
    """As Markdown."""
    rules: dict[tuple[str, str, Outcome, Outcome], list[str]] = defaultdict(list)
    for one in changes.rules:
        rules[one.effect, one.rule, one.before, one.after] += one.because
    return render(_PAGE, changes=changes, rules=rules, heading=heading).decode("utf-8")
