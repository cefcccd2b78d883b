"""What two versions have besides their command lines, compared: methods of a server, events of hooks, features.

What a union, a snapshot or ``surfaces.json`` tells in, findings out. A kind that one of two versions does not tell is
compared with nothing: it may have it and only not say so. As with commands only targets count that both tell it on; a
name is judged on each of them, and the targets that say the same are one finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec

from pipeline.history.facts import Change, compared
from pipeline.history.rules import BY_CODE
from pipeline.history.sides import Beside, Facts, Surface
from pipeline.surface.diff import ComparedSurface, Finding
from pipeline.surface.surfaces import Surfaces

Kind = Literal["method", "hook_event", "feature"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_FIELDS: Mapping[Kind, str] = {"method": "rpc_methods", "hook_event": "hook_events", "feature": "features"}
# Where a version is known, and the target is not.
_ANY = ""


class _Conflict(msgspec.Struct, frozen=True):
    field: str
    values_by_target: dict[str, Any]


class _Named(msgspec.Struct, frozen=True):
    """A method, an event or a feature, of a union or of a snapshot's features."""

    name: str
    stage: str | None = None
    default: bool | None = None
    available_on: tuple[str, ...] | None = None
    conflicts: tuple[_Conflict, ...] = ()


Document = dict[str, tuple[str | _Named, ...]]
"""``surfaces`` of a union or a snapshot, as far as it is read."""


def beside_of(document: Document, everywhere: Sequence[str]) -> Beside:
    """By kind, target and name; ``everywhere`` are the targets of what does not say on which it is."""
    found: dict[str, dict[str, dict[str, Facts]]] = {}
    for kind, field in _FIELDS.items():
        told: dict[str, dict[str, Facts]] = {}
        for one in document.get(field, ()):
            unit = one if isinstance(one, _Named) else _Named(one)
            having = everywhere if unit.available_on is None else unit.available_on
            for target in having:
                told.setdefault(target, {})[unit.name] = _facts(unit, target)
        if told:
            found[kind] = {target: told[target] for target in everywhere if target in told}
    return found


def _facts(unit: _Named, target: str) -> Facts:
    said = {"stage": unit.stage, "default": unit.default}
    said |= {one.field: one.values_by_target[target] for one in unit.conflicts if target in one.values_by_target}
    return {field: value for field, value in said.items() if value is not None}


def beside_known(known: Mapping[str, Surfaces], version: str) -> Beside:
    """What ``surfaces.json`` tells of a version: that of any target.

    Of one that is not in it each kind that the others have stands there without a target: it was not read.
    """
    told = known.get(version)
    if told is None:
        return {kind: {} for kind in KINDS if any(getattr(one, _FIELDS[kind]) for one in known.values())}
    document = msgspec.convert(msgspec.to_builtins(told), Document)
    return beside_of(document, (_ANY,))


def on_targets(beside: Beside, targets: Sequence[str]) -> Beside:
    """The same as far as these targets tell it; of no targets, wherever it is."""
    return {kind: _on(told, targets) for kind, told in beside.items()}


def _on(told: Mapping[str, Mapping[str, Facts]], targets: Sequence[str]) -> Mapping[str, Mapping[str, Facts]]:
    if targets and _ANY not in told:
        return {target: told[target] for target in targets if target in told}
    somewhere: dict[str, Facts] = {}
    for names in told.values():
        somewhere = {**names, **somewhere}
    return {_ANY: somewhere} if told else {}


def compared_surfaces(before: Surface, after: Surface) -> Iterator[ComparedSurface]:
    """Each kind that either of two surfaces of the same targets tells: where it was compared, or who does not tell."""
    for kind in KINDS:
        if kind not in before.beside and kind not in after.beside:
            continue
        sides = [(one.version, one.beside.get(kind, {})) for one in (before, after)]
        on = _shared(before, after, kind)
        silent = [version for version, told in sides if not told] or [version for version, _ in sides]
        yield ComparedSurface(
            unit=kind,
            targets=None if not on or _ANY in on or set(on) == set(before.targets) else on,
            unread=None if on else tuple(silent),
        )


def beside_findings(before: Surface, after: Surface) -> Iterator[Finding]:
    """What differs, of two surfaces of the same targets."""
    for kind in KINDS:
        on = _shared(before, after, kind)
        then, now = before.beside.get(kind, {}), after.beside.get(kind, {})
        for name in sorted({name for side in (then, now) for target in on for name in side[target]}):
            found = [(target, _changes(kind, then[target].get(name), now[target].get(name))) for target in on]
            for change, targets in _together(found):
                yield Finding(
                    code=change.code,
                    severity=BY_CODE[change.code].severity,
                    unit=kind,
                    path=(),
                    name=name,
                    before=change.before,
                    after=change.after,
                    targets=None if len(targets) == len(on) else tuple(targets),
                )


def _shared(before: Surface, after: Surface, kind: Kind) -> tuple[str, ...]:
    """The targets that both tell a kind on."""
    return tuple(target for target in before.beside.get(kind, {}) if target in after.beside.get(kind, {}))


def _changes(kind: Kind, then: Facts | None, now: Facts | None) -> Iterator[Change]:
    word = kind.replace("_", "-")
    if then is not None and now is not None:
        yield from compared(kind, then, now)
    elif then is not None:
        yield Change(f"{word}-removed", then or None, None)
    elif now is not None:
        yield Change(f"{word}-added", None, now or None)


def _together(found: Iterable[tuple[str, Iterable[Change]]]) -> list[tuple[Change, list[str]]]:
    """Each change with the targets that it is one of; facts cannot be keys."""
    groups: list[tuple[Change, list[str]]] = []
    for target, changes in found:
        for change in changes:
            same = next((targets for one, targets in groups if one == change), None)
            if same is None:
                groups.append((change, [target]))
            else:
                same.append(target)
    return groups
