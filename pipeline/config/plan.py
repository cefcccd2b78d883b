"""P1: an inventory → a plan, by the rules of a mapping and what a version of the target has.

An item may be a link only if every field of it may: then nothing in it needs to be rewritten.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from pipeline import canonical
from pipeline.config.mapping import Mapping, Mode, Rule, value_of
from pipeline.config.names import base_of, target_names
from pipeline.config.plan_values import Decision, Outcome, Override, Overrides, Plan
from pipeline.config.readers.servers import fits
from pipeline.config.tree import finding
from pipeline.config.values import Field, Finding, Inventory, Item, in_order
from pipeline.errors import ArtifactMissing
from pipeline.layout import version_key
from pipeline.questions.predicates import Having
from pipeline.toml import read_toml

RISKS = ("critical", "high", "medium", "low", "none")
_CLASSES: tuple[Outcome, ...] = ("unclassified", "defer", "unsupported", "adaptation", "direct-port")


def make_plan(inventory: Inventory, mapping: Mapping, version: Having, overrides: Path | None = None) -> Plan:
    """Decide on everything. Raises ArtifactError for a file of overrides that cannot be read."""
    decided, digest = read_overrides(overrides)
    findings: list[Finding] = []
    names = target_names(inventory.items, mapping, findings)
    decisions: list[Decision] = []
    servers = [item.name for item in inventory.items if item.domain == "servers"]
    every = (one for item in inventory.items for one in item.fields)
    servers += [value_of(one.value, "server") for one in every if one.kind.startswith("server.")]
    for item in inventory.items:
        kinds = [(one, _kind(item, one, servers)) for one in item.fields]
        fields = [_decide(item, one, kind, mapping, version, names, decided) for one, kind in kinds]
        findings += [_unclassified(one) for one in fields if one.classification == "unclassified"]
        decisions += [_whole(item, fields, decided), *fields]
    findings += _unused(decided, inventory, mapping)
    raw = canonical.encode(inventory)
    return Plan(
        plan_schema_version=1,
        mapping=mapping.name,
        tree=inventory.tree,
        generated_at=inventory.generated_at,
        target=mapping.target.agent,
        target_version=version.version,
        inventory_sha256=hashlib.sha256(raw).hexdigest(),
        overrides_sha256=digest,
        decisions=tuple(_unlinked(decisions, inventory)),
        findings=in_order(findings),
    )


def _kind(item: Item, field: Field, servers: Sequence[str]) -> str:
    """A field's kind; a rule on a server that the repository does not have is about somebody else's."""
    spelled = field.value.get("server") if isinstance(field.value, dict) and item.domain == "permissions" else None
    absent = ".mcp." in field.kind and spelled is not None and not any(fits(spelled, one) for one in servers)
    return f"{field.kind}.absent" if absent else field.kind


def _decide(
    item: Item,
    field: Field,
    kind: str,
    mapping: Mapping,
    version: Having,
    names: dict[str, str],
    overrides: Overrides,
) -> Decision:
    rule = mapping.rule(item.domain, kind)
    base = Decision(
        item=item.id,
        field=field.name,
        domain=item.domain,
        path=item.path,
        place=field.place,
        classification="unclassified",
        rationale=f"no rule of {mapping.name} says what becomes of {kind!r}",
        risk="critical",
    )
    if person := _override(overrides, item.id, field.name):
        return _by_person(base, person)
    if rule is None:
        return base
    asked = [one.format(event=value_of(field.value, "event")) for one in rule.requires]
    missing = tuple(one for one in asked if not version.holds(one))
    decided = replace(
        base,
        classification=rule.classification,
        rule=rule.id,
        target=_target(rule, item, names, base_of(item.path, mapping.source.folder)) if rule.target else None,
        mode=rule.mode,
        rationale=rule.rationale,
        risk=rule.risk,
        impact=rule.impact or None,
        mitigation=rule.mitigation or None,
        since=max(filter(None, map(version.since, asked)), key=version_key, default=None),
    )
    if not missing:
        return decided
    return replace(
        decided,
        classification=rule.otherwise,
        target=None,
        mode="none",
        rationale=f"{version.version} of the target lacks {', '.join(missing)}.",
        risk=min(rule.risk, "medium", key=RISKS.index),
        since=None,
        missing=missing,
    )


def _whole(item: Item, fields: Sequence[Decision], overrides: Overrides) -> Decision:
    """The decision on an item, from those on its fields: the weakest class of what is carried, the highest risk."""
    classes = Counter(one.classification for one in fields)
    carried = [one for one in fields if one.classification in ("direct-port", "adaptation")]
    told = ", ".join(f"{count} {name}" for name, count in sorted(classes.items()))
    whole = Decision(
        item=item.id,
        domain=item.domain,
        path=item.path,
        classification=_class(fields, carried),
        target=next((one.target for one in carried if one.target), None),
        mode=_mode(fields),
        rationale=f"Of its fields: {told}.",
        risk=min((one.risk for one in fields), key=RISKS.index, default="none"),
    )
    person = _override(overrides, item.id, None)
    return _by_person(replace(whole, target=None, mode="none"), person) if person else whole


def _class(fields: Sequence[Decision], carried: Sequence[Decision]) -> Outcome:
    weakest: Outcome = min((one.classification for one in fields), key=_CLASSES.index, default="direct-port")
    return weakest if weakest in ("unclassified", "direct-port") or not carried else "adaptation"


def _mode(fields: Sequence[Decision]) -> Mode:
    """A link only where every field may be one; else a copy or a new file, as the first of its rules says."""
    modes = {one.mode for one in fields if one.classification != "unclassified"} - {"none"}
    if modes == {"link"}:
        return "link" if all(one.classification == "direct-port" for one in fields) else "generate"
    return "copy" if "copy" in modes else "generate" if modes else "none"


def _target(rule: Rule, item: Item, names: dict[str, str], base: str) -> str:
    scope = scope_of(item) if "{scope}" in rule.target else ""
    return rule.target.format(name=names[item.id], folder=base, scope=f"{scope}/" if scope else "")


def scope_of(item: Item) -> str:
    """The folder that a page of patterns is for; empty: the root."""
    return next((one.value["folder"] for one in item.fields if value_of(one.value, "folder")), "")


def _unlinked(decisions: Sequence[Decision], inventory: Inventory) -> list[Decision]:
    """What else decides how an item is written: others that make the same file, and what is at its place already."""
    makers = Counter(one.target for one in decisions if one.field is None and one.mode != "none")
    items = {item.id: item for item in inventory.items}
    modes = {
        one.item: _mode_beside(one, items[one.item], inventory, makers[one.target])
        for one in decisions
        if one.field is None
    }
    return [
        replace(one, mode=modes[one.item])
        if one.field is None or (one.mode == "link" and modes[one.item] != "link")
        else one
        for one in decisions
    ]


def _mode_beside(one: Decision, item: Item, inventory: Inventory, makers: int) -> Mode:
    target = one.target or ""
    page = f"{target}{posixpath.basename(item.path)}" if target.endswith("/") else target
    there = next((present for present in inventory.present if present.path == page), None)
    imported = [field.value["path"] for field in item.fields if field.kind.endswith(".import.file")]
    if one.mode != "none" and target in imported:
        return "none" if set(imported) == {target} and _only_imports(item) else "generate"
    if (
        there
        and there.sha256 == item.sha256
        and (item.link or (one.mode == "link" and _all_there(item, target, inventory)))
    ):
        return "none"
    if one.mode == "link" and (makers > 1 or (there and not there.link)):
        return "generate"
    return one.mode


def _all_there(item: Item, target: str, inventory: Inventory) -> bool:
    """Whether each file that belongs to an item is at the target's place already, as it is here."""
    there = {present.path: present.sha256 for present in inventory.present}
    return all(there.get(f"{target}{value['path']}") == value["sha256"] for value in item.values("file"))


def _only_imports(item: Item) -> bool:
    """Whether a file says nothing but what it imports."""
    text = next((str(field.value) for field in item.fields if field.kind.endswith(".text")), "")
    return all(line.startswith("@") for line in text.split("\n") if line.strip())


def _by_person(base: Decision, person: Override) -> Decision:
    return replace(
        base,
        classification=person.classification,
        rule="override",
        rationale=person.reason,
        risk=person.risk,
        owner=person.owner,
        review=person.review,
    )


def _override(overrides: Overrides, item: str, field: str | None) -> Override | None:
    fitting = (one for one in overrides.override if one.item == item and one.field in (None, field))
    return next(fitting, None)


def read_overrides(path: Path | None) -> tuple[Overrides, str | None]:
    if path is None:
        return Overrides(), None
    try:
        return read_toml(path, Overrides), hashlib.sha256(canonical.read_bytes(path)).hexdigest()
    except ArtifactMissing:
        return Overrides(), None


def _unused(overrides: Overrides, inventory: Inventory, mapping: Mapping) -> list[Finding]:
    """Overrides of what is not there: a slip, or a decision whose subject is gone."""
    domains = {one.id for one in mapping.domains}
    remedy = f"name one of {', '.join(sorted(domains))}"
    unknown = [
        finding("override-unused", mapping.source.overrides, f"there is no domain {one!r}", remedy, "optional")
        for one in overrides.optional
        if one not in domains
    ]
    known = {(item.id, field) for item in inventory.items for field in (None, *(one.name for one in item.fields))}
    return unknown + [
        finding(
            "override-unused", one.item, f"there is no {one.field or 'such item'} to override", "remove the override"
        )
        for one in overrides.override
        if (one.item, one.field) not in known
    ]


def _unclassified(one: Decision) -> Finding:
    remedy = "correct it, or say in the overrides what becomes of it"
    return finding("unclassified", one.path, f"{one.field}: {one.rationale}", remedy, one.place)
