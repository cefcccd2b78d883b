"""Checks of the wrapper coverage: notes, scopes, what the rules exclude; and of claims that nothing answers to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.contract.exclusions import Identity
from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree

_NOTED = {
    Level.INTENTIONALLY_UNSUPPORTED: "IU_NOTE_MISSING",
    Level.PASSTHROUGH: "PASSTHROUGH_NOTE_MISSING",
}
_OVERLAP_UNIT = {"command": "command_path", "flag": "command_flag_key", "arg": "command_arg_name"}


class _Claim(NamedTuple):
    """One entry for one unit: its place, the entry of ``coverage`` it belongs to, and where it holds (a mask)."""

    unit: Identity
    pointer: str
    entry: int
    targets: int
    level: str
    note: str | None


def findings(tree: Tree) -> Iterator[Finding]:
    path = tree.root.wrapper_coverage
    if tree.coverage is None or not tree.sound(path):
        return
    excluded = {one.identity for one in tree.folder.rules.parity_exclusions.units}
    claims = list(_claims(tree))
    for claim in claims:
        if claim.unit in excluded:
            message = f"{_shown(claim.unit)} is excluded by the rules; remove one of the two"
            yield tree.finding("WRAPPER_COVERAGE_INCLUDES_EXCLUDED", path, message, claim.pointer)
        code = _NOTED.get(Level(claim.level)) if claim.level in list(Level) else None
        if code and not (claim.note or "").strip():
            message = f"{_shown(claim.unit)} is {claim.level} without a note; say why"
            yield tree.finding(code, path, message, f"{claim.pointer}/note")
    yield from _overlaps(tree, claims)
    yield from _unexpected(tree)


def _claims(tree: Tree) -> Iterator[_Claim]:
    scope = tree.targets.scope
    for index, command in enumerate(tree.coverage.coverage if tree.coverage else ()):
        place, everywhere = f"/coverage/{index}", scope(command.scope)

        def claim(
            kind: str,
            key: str,
            pointer: str,
            one: CoveredCommand | CoveredFlag | CoveredArg,
            within: int = everywhere,
            command: CoveredCommand = command,
            index: int = index,
        ) -> _Claim:
            targets = within if one.scope is None else scope(one.scope) & within
            return _Claim((kind, command.path, key), pointer, index, targets, one.level, one.note)

        yield claim("command", "", place, command)
        for at, flag in enumerate(command.flags or ()):
            yield claim("flag", flag.key, f"{place}/flags/{at}", flag)
        for at, arg in enumerate(command.args or ()):
            yield claim("arg", arg.name, f"{place}/args/{at}", arg)


def _overlaps(tree: Tree, claims: Sequence[_Claim]) -> Iterator[Finding]:
    rules = tree.folder.rules.wrapper_coverage.validation
    if not rules.disallow_overlapping_scopes:
        return
    by_unit: dict[Identity, list[_Claim]] = {}
    for claim in claims:
        if _OVERLAP_UNIT[claim.unit[0]] in rules.overlap_units:
            by_unit.setdefault(claim.unit, []).append(claim)
    for unit, rivals in by_unit.items():
        for target in tree.folder.rules.targets if len(rivals) > 1 else ():
            held = [claim.entry for claim in rivals if claim.targets & tree.targets.mask((target,))]
            if len(held) > 1:
                entries = ",".join(f"coverage[{index}]" for index in held)
                message = (
                    f"{_shown(unit)} is claimed more than once on target_triple={target} "
                    f"(matching_entry_indexes=[{entries}]); narrow the scopes"
                )
                yield tree.finding("WRAPPER_SCOPE_OVERLAP", tree.root.wrapper_coverage, message)


def _unexpected(tree: Tree) -> Iterator[Finding]:
    expected = tree.folder.rules.targets
    for index, command in enumerate(tree.coverage.coverage if tree.coverage else ()):
        scopes = [("", command.scope)]
        scopes += [(f"/flags/{at}", flag.scope) for at, flag in enumerate(command.flags or ())]
        scopes += [(f"/args/{at}", arg.scope) for at, arg in enumerate(command.args or ())]
        for pointer, scope in scopes:
            for at, target in enumerate((scope and scope.target_triples) or ()):
                if target not in expected:
                    yield tree.finding(
                        "WRAPPER_SCOPE_TARGET_NOT_EXPECTED",
                        tree.root.wrapper_coverage,
                        f"{target} is no target that the rules expect",
                        f"/coverage/{index}{pointer}/scope/target_triples/{at}",
                    )


def unused_findings(tree: Tree) -> Iterator[Finding]:
    """Exclusions and waivers that no version that was ever read has a unit for."""
    rules, coverage = tree.folder.rules_path, tree.root.wrapper_coverage
    if not tree.surfaces_seen or not tree.sound(rules, tree.root.timeline, *tree.unions):
        return
    excluded = [one.identity for one in tree.folder.rules.parity_exclusions.units]
    for index, unit in enumerate(excluded):
        if unit in tree.unused["exclusion"]:
            message = f"no version has {_shown(unit)} any more; remove the exclusion"
            yield tree.finding("EXCLUSION_UNUSED", rules, message, f"/parity_exclusions/units/{index}")
    for claim in _claims(tree) if tree.sound(coverage) else ():
        if claim.level == Level.INTENTIONALLY_UNSUPPORTED and claim.unit in tree.unused["waiver"]:
            message = f"no version has {_shown(claim.unit)} any more; remove the waiver"
            yield tree.finding("WAIVER_UNUSED", coverage, message, claim.pointer)


def _shown(unit: Identity) -> str:
    kind, path, key = unit
    return f"{kind} {' '.join((*path, key)).strip() or '(root)'}"
