"""A wrapper's manifest -> ``wrapper_coverage.json``: scopes resolved to targets, everything sorted.

Nothing is judged here: two entries for one unit are both kept, and a level that nobody knows passes
through. Refused: rules that do not map every expected target to a platform
(RulesInvalid), and a scope naming a target or platform that the rules do not have (ArtifactInvalid).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pipeline.contract.rules import Rules
from pipeline.errors import ArtifactInvalid, RulesInvalid
from pipeline.surface.coverage import (
    CoveredArg,
    CoveredCommand,
    CoveredFlag,
    Level,
    Manifest,
    Scope,
    WrapperCoverage,
)

_RANK = {
    level.value: rank
    for rank, level in enumerate(
        (Level.EXPLICIT, Level.PASSTHROUGH, Level.INTENTIONALLY_UNSUPPORTED, Level.UNSUPPORTED, Level.UNKNOWN)
    )
}

# What is left of an entry's order once its identity is equal: scoped first, then targets, level, note.
_Rest = tuple[bool, str, int, str]


def normalise(
    manifest: Manifest, rules: Rules, *, generated_at: str, wrapper_version: str | None, where: object
) -> WrapperCoverage:
    """The wrapper coverage that a manifest states; ``where`` names the manifest in errors.

    ``generated_at`` is RFC 3339; the manifest's own ``generated_at`` and ``wrapper_version`` are not used.
    """
    scopes = _Scopes(rules, where)
    commands = [_command(entry, f"$.coverage[{i}]", scopes) for i, entry in enumerate(manifest.coverage)]
    return WrapperCoverage(
        schema_version=1,
        generated_at=generated_at,
        wrapper_version=wrapper_version,
        coverage=tuple(sorted(commands, key=lambda entry: (entry.path, _rest(entry)))),
    )


def _command(entry: CoveredCommand, place: str, scopes: _Scopes) -> CoveredCommand:
    flags = [
        msgspec.structs.replace(flag, scope=scopes.resolve(flag.scope, f"{place}.flags[{i}]"))
        for i, flag in enumerate(entry.flags or ())
    ]
    args = [
        msgspec.structs.replace(arg, scope=scopes.resolve(arg.scope, f"{place}.args[{i}]"))
        for i, arg in enumerate(entry.args or ())
    ]
    return msgspec.structs.replace(
        entry,
        scope=scopes.resolve(entry.scope, place),
        flags=tuple(sorted(flags, key=lambda flag: (flag.key, _rest(flag)))) or None,
        args=tuple(sorted(args, key=lambda arg: (arg.name, _rest(arg)))) or None,
    )


def _rest(entry: CoveredCommand | CoveredFlag | CoveredArg) -> _Rest:
    targets = (entry.scope.target_triples if entry.scope else None) or ()
    return (not targets, ",".join(targets), _RANK.get(entry.level, len(_RANK)), entry.note or "")


class _Scopes:
    """Resolves scopes against the targets and platforms of the rules."""

    def __init__(self, rules: Rules, where: object) -> None:
        self._where = where
        self._targets = rules.targets
        self._platforms: dict[str, list[str]] = {}
        for target in rules.targets:
            label = rules.union.platform_mapping.get(target)
            if label is None:
                raise RulesInvalid(
                    f"$.union.platform_mapping: expected target {target} has no platform",
                    where="RULES.json",
                    remedy="add it to the mapping",
                )
            self._platforms.setdefault(label, []).append(target)

    def resolve(self, scope: Scope | None, place: str) -> Scope | None:
        """The same scope as target triples in the rules' order; an empty scope claims nothing, so it is none."""
        if scope is None:
            return None
        named: set[str] = set()
        for i, target in enumerate(scope.target_triples or ()):
            if target not in self._targets:
                self._refuse(f"{place}.scope.target_triples[{i}]", f"unexpected target {target!r}", self._targets)
            named.add(target)
        for i, label in enumerate(scope.platforms or ()):
            if label not in self._platforms:
                self._refuse(f"{place}.scope.platforms[{i}]", f"unknown platform {label!r}", sorted(self._platforms))
            named.update(self._platforms[label])
        return Scope(target_triples=tuple(t for t in self._targets if t in named)) if named else None

    def _refuse(self, place: str, problem: str, known: Iterable[str]) -> None:
        raise ArtifactInvalid(
            f"{place}: {problem}", where=self._where, remedy=f"use one that RULES.json has: {', '.join(known)}"
        )
