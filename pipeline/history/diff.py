"""The semantic diff of two surfaces: surfaces in, findings out (their codes: ``pipeline.history.rules``).

Units are told as the surface before has them; those that are new, as the one after. What was read of one side only is
not known of the other: only targets that both have count, and nothing below a page that could not be read. A command
that is gone takes its flags, args and commands with it, which are counted and not told; a flag of the root those
commands that repeat it. A positional is told by its place: another name in help is nothing to a caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from pipeline.canonical import Json
from pipeline.history.beside import KINDS, beside_findings
from pipeline.history.calls import names_of
from pipeline.history.facts import commands_told
from pipeline.history.flags import flag_findings
from pipeline.history.pairing import Names, paired
from pipeline.history.rule import SEVERITIES
from pipeline.history.sides import Facts, Surface
from pipeline.history.telling import Teller, Unit, needed
from pipeline.surface.diff import Counted, Finding
from pipeline.surface.units import Path

_KINDS = ("command", "flag", "arg", *KINDS)


def difference(before: Surface, after: Surface) -> list[Finding]:
    """Every difference, the gravest first, then by command, unit and code."""
    one, other = narrowed(before, after)
    return sorted((*_findings(Teller(one, other)), *beside_findings(one, other)), key=order)


def narrowed(before: Surface, after: Surface) -> tuple[Surface, Surface]:
    """Both as far as the targets have them that were read of both."""
    both = common_targets(before, after)
    return before.on(both), after.on(both)


def common_targets(before: Surface, after: Surface) -> tuple[str, ...]:
    """The targets that were read of both."""
    return tuple(target for target in before.targets if target in after.targets)


def order(finding: Finding) -> tuple[object, ...]:
    """Where a finding stands in a diff."""
    return (
        SEVERITIES.index(finding.severity),
        finding.unit in KINDS,
        finding.path,
        _KINDS.index(finding.unit),
        finding.key or finding.name or "",
        finding.code,
        finding.value or "",
        finding.targets or (),
    )


def _findings(teller: Teller) -> Iterator[Finding]:
    pairs: list[tuple[Path, Path]] = []
    yield from _commands(teller, (), (), pairs)
    yield from flag_findings(teller, pairs)
    for one, other in pairs:
        yield from _args(teller, one, other)


def _commands(teller: Teller, one: Path, other: Path, pairs: list[tuple[Path, Path]]) -> Iterator[Finding]:
    """What changed of a command that both have, and of those below it; ``pairs`` gets those that both have."""
    pairs.append((one, other))
    before, after = teller.before, teller.after
    if one:
        unit = _command(before, one)
        yield from teller.changed(unit, after.commands[other].facts, before.targets, after.targets)
    theirs, ours = before.children.get(one, {}), after.children.get(other, {})
    if not theirs and not ours:
        return
    pairing = paired(_names(before, theirs), _names(after, ours))
    merged, split = pairing.merged(), pairing.split()
    yield from teller.names(pairing, lambda key: _command(before, theirs[key]), lambda _key, _name: False)
    for key in pairing.removed:
        told, into = commands_told(before, theirs[key]), merged.get(key)
        code = "command-merged" if into else "command-removed"
        yield teller.told(code, _command(before, theirs[key]), before=told, after=into, with_it=_counted(told))
    for key in pairing.added:
        unit, told, source = _command(after, ours[key]), commands_told(after, ours[key]), split.get(key)
        if source is None:
            yield teller.told("command-added", unit, after=told, with_it=_counted(told))
            continue
        # A witness calls what the name was before.
        owner = _command(before, theirs[source])
        found = teller.told("command-split", owner, key, before=source, after=told, with_it=_counted(told))
        yield replace(found, path=unit.path, value=None, targets=teller.where(unit.on))
    for key, name in sorted(pairing.pairs.items()):
        yield from _commands(teller, theirs[key], ours[name], pairs)


def _command(surface: Surface, path: Path) -> Unit:
    return Unit.of("command", path, "", surface.commands[path].facts, surface.targets)


def _args(teller: Teller, one: Path, other: Path) -> Iterator[Finding]:
    before, after = teller.offered(one, other)
    if before.unread or after.unread:
        return
    had, has = teller.reach(one, other)
    pairs = paired_args(before.args, after.args)
    for name, now in sorted(pairs.items()):
        unit = Unit.of("arg", one, name, before.args[name], had)
        if name != now:
            yield teller.told("arg-renamed", unit, before=name, after=now)
        yield from teller.changed(unit, after.args[now], had, has)
    for name in sorted(before.args.keys() - pairs.keys()):
        unit = Unit.of("arg", one, name, before.args[name], had)
        yield teller.told(needed("arg-removed", unit.facts), unit, before=unit.facts)
    for name in sorted(after.args.keys() - set(pairs.values())):
        unit = Unit.of("arg", one, name, after.args[name], has)
        yield teller.told(needed("arg-added", unit.facts), unit, after=unit.facts)


def paired_args(before: Mapping[str, Facts], after: Mapping[str, Facts]) -> dict[str, str]:
    """The same name is the same positional, and so is the same place under two names that only one side has."""
    pairs = {name: name for name in before if name in after}
    places = {facts["position"]: name for name, facts in after.items() if name not in before and "position" in facts}
    for name, facts in before.items():
        if name not in after and facts.get("position") in places:
            pairs[name] = places.pop(facts["position"])
    return pairs


def _names(surface: Surface, children: Mapping[str, Path]) -> Names:
    return {key: frozenset({key, *names_of(key, surface.commands[path].facts)}) for key, path in children.items()}


def _counted(told: list[Json]) -> Counted | None:
    """What goes along with a command: the commands below it, and the flags and args of all of them."""
    counts = {
        "commands": len(told) - 1,
        "flags": sum(len(command.get("flags", ())) for command in told),
        "args": sum(len(command.get("args", ())) for command in told),
    }
    return Counted(**{kind: count for kind, count in counts.items() if count}) if any(counts.values()) else None
