"""The facts of one unit on both sides, compared by the table of rules; and facts as findings tell them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.canonical import Json
from pipeline.history.rule import Rule
from pipeline.history.rules import RULES
from pipeline.history.sides import Facts, Offered, Surface
from pipeline.surface.units import Path

# What goes with a flag's value: told with it where a flag comes to take one, or takes none any more.
_OF_VALUE = ("value_name", "possible_values")
_BY_KIND: dict[str, tuple[Rule, ...]] = {
    kind: tuple(rule for rule in RULES if rule.when and kind in rule.units)
    for kind in dict.fromkeys(unit for rule in RULES for unit in rule.units)
}


@dataclass(frozen=True, slots=True)
class Change:
    code: str
    before: Any
    after: Any
    value: str | None = None


def compared(kind: str, before: Facts, after: Facts) -> Iterator[Change]:
    """Every change of one unit, but for its names and targets."""
    if before == after:
        return
    valueless = before.get("value") != after.get("value") and "none" in (before.get("value"), after.get("value"))
    skipped = _OF_VALUE if valueless else ()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}.difference(skipped)
    for rule in _BY_KIND[kind]:
        if (
            rule.field in changed
            and rule.when
            and rule.when(then := before.get(rule.field), now := after.get(rule.field))
        ):
            if rule.field == "value" and valueless:
                then, now = _value(before), _value(after)
            yield Change(rule.code, then, now)
    if "possible_values" in changed:
        yield from _values(before.get("possible_values"), after.get("possible_values"))


def _value(facts: Facts) -> Json:
    return {name: facts[name] for name in ("value", *_OF_VALUE) if name in facts}


def _values(before: list[Json] | None, after: list[Json] | None) -> Iterator[Change]:
    if before is None or after is None:
        yield Change("values-listed" if after else "values-unlisted", before, after)
        return
    then, now = {one["name"]: one for one in before}, {one["name"]: one for one in after}
    for name in sorted(then.keys() | now.keys()):
        if name not in now:
            yield Change("value-removed", then[name].get("about"), None, name)
        elif name not in then:
            yield Change("value-added", None, now[name].get("about"), name)
        elif then[name] != now[name]:
            yield Change("about-changed", then[name].get("about"), now[name].get("about"), name)


def on_targets(facts: Facts, reach: Sequence[str]) -> tuple[str, ...]:
    """The targets that have a unit; ``reach`` are those of what it is of."""
    return tuple(facts.get("available_on", reach))


def follows(
    then: Sequence[str], now: Sequence[str], had: Sequence[str], has: Sequence[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(code, targets) of what a unit's targets do beyond those of its command, which had and has these."""
    came, went = [one for one in has if one not in had], [one for one in had if one not in has]
    gained = tuple(one for one in now if one not in then and one not in came)
    lost = tuple(one for one in then if one not in now and one not in went)
    if gained:
        yield "platform-gained", gained
    if lost:
        yield "platform-lost", lost
    if not gained and not lost:
        apart = {*then, *came}.difference(went) ^ set(now) | {*now, *went}.difference(came) ^ set(then)
        if apart:
            yield "platform-apart", tuple(one for one in dict.fromkeys((*then, *now, *had, *has)) if one in apart)


def commands_told(surface: Surface, top: Path) -> list[Json]:
    """A command and all below it, as findings tell them."""
    return [_told(command) for path, command in surface.commands.items() if path == top or path[: len(top)] == top]


def _told(command: Offered) -> Json:
    found: Json = {"path": list(command.path), **command.facts}
    if command.inherited:
        found["inherited_from_root"] = sorted(command.inherited)
    if command.args:
        found["args"] = [{"name": name, **facts} for name, facts in sorted(command.args.items())]
    if command.flags:
        found["flags"] = [{"key": key, **facts} for key, facts in sorted(command.flags.items())]
    return found
