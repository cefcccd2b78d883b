"""The second walk, with every feature switched on: which units exist only then.

The listed features and the plain tree in -> the record of the probe and the commands with the gated units
marked. Best effort: a feature that cannot be switched on, or a page that fails with all of them on, is
recorded and the plain page counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from pipeline import canonical
from pipeline.contract.agent import FeatureProbe
from pipeline.snapshot.calls import Caller
from pipeline.snapshot.crawl import Tree, Visit, Walker, command_of
from pipeline.snapshot.probe import Feature, ask_features
from pipeline.surface.units import Arg, Command, Flag, Path, flag_order, key_of

Unit = TypeVar("Unit", Flag, Arg)

MODE = "default_plus_all_enabled"


@dataclass(frozen=True, slots=True)
class Gated:
    """What came of the second walk; ``tree`` is None when there was none."""

    record: Mapping[str, Any]
    tree: Tree | None = None

    @property
    def listed(self) -> tuple[Feature, ...]:
        """The features; none where they could not be listed."""
        return tuple(self.record.get("listed", ()))


def walk_with_features(
    caller: Caller,
    walker: Walker,
    probe: FeatureProbe,
    excluded: Sequence[str],
    plain: Tree,
    same_with: Callable[[Sequence[str]], bool],
) -> Gated:
    """List the features, switch on all but those of an excluded stage, and walk the whole tree again.

    The walk is spared where the root's page stays the same and ``same_with`` proves that the rest does too.
    """
    listed = ask_features(caller, probe)
    if isinstance(listed, str):
        return Gated({"mode": MODE, "probe_error": listed})

    def walk(names: Sequence[str]) -> Tree | None:
        if not names:
            return None
        prefix = _enable(probe, names)
        root = walker.look(Visit(()), {}, prefix)
        if root.problem:
            return Tree({(): root})
        return plain if root.text == plain.root.text and same_with(prefix) else walker.walk(prefix)

    requested = [feature.name for feature in listed if feature.stage not in excluded]
    enabled, failures = requested, []
    tree = walk(enabled)
    if tree and tree.root.problem:
        # One bad feature spoils the call for all: find out which, and go on without it.
        alone = caller.each(lambda name: walker.look(Visit(()), {}, _enable(probe, [name])), requested)
        broken = {name: visit for name, visit in zip(requested, alone, strict=True) if visit.problem}
        failures = [{"error": visit.omission(), "name": name} for name, visit in broken.items()]
        enabled = [name for name in requested if name not in broken]
        if broken:
            tree = walk(enabled)
        if tree and tree.root.problem:
            failures.append({"error": tree.root.omission()})
            enabled, tree = [], None
    record = {"mode": MODE, "listed": listed, "requested_enable": requested, "enabled_for_snapshot": enabled}
    return Gated(record | ({"enable_failures": failures} if failures else {}), tree)


def _enable(probe: FeatureProbe, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.replace("{feature}", name) for name in names for word in probe.enable)


def mark_gated(
    commands: Mapping[Path, Command], gated: Gated, plain: Tree, pseudo_commands: Sequence[str]
) -> tuple[dict[Path, Command], dict[str, Any]]:
    """The plain commands with the units that only the second walk found, and the completed record.

    ``commands_added_when_all_enabled`` holds paths; ``flags_added…`` and ``args_added…`` (absent when empty)
    hold ``path`` with ``key`` or ``name``, for commands that are there without the features too.
    """
    merged = dict(commands)
    if gated.tree is None:
        return merged, canonical.sorted_keys(msgspec.to_builtins(gated.record))
    added: dict[str, list[Any]] = {"commands": [], "flags": [], "args": []}
    for path, visit in sorted(gated.tree.visits.items()):
        theirs = command_of(visit, pseudo_commands)
        ours = merged.get(path, Command(path=path, feature_gated=True))
        flags = _only_there(theirs.flags, ours.flags, key_of)
        args = _only_there(theirs.args, ours.args, lambda arg: arg.name)
        if path not in merged:
            added["commands"].append(path)
            merged[path] = replace(theirs, feature_gated=True, flags=flags or None, args=args or None)
        elif flags or args:
            added["flags"] += ({"key": key_of(flag), "path": path} for flag in flags)
            added["args"] += ({"name": arg.name, "path": path} for arg in args)
            merged[path] = replace(
                ours,
                flags=tuple(sorted((*(ours.flags or ()), *flags), key=flag_order)) or None,
                args=tuple(sorted((*(ours.args or ()), *args), key=lambda arg: arg.name)) or None,
            )
    record = dict(gated.record)
    for kind, units in added.items():
        if units or kind == "commands":
            record[f"{kind}_added_when_all_enabled"] = units
    failures = [{"error": visit.omission()} for visit in _spoilt(gated.tree, plain)]
    if failures:
        record["enable_failures"] = [*record.get("enable_failures", ()), *failures]
    return merged, canonical.sorted_keys(msgspec.to_builtins(record))


def _only_there(
    theirs: tuple[Unit, ...] | None, ours: tuple[Unit, ...] | None, identity: Callable[[Unit], str | None]
) -> tuple[Unit, ...]:
    """The units that only the second walk found, marked."""
    known = {identity(unit) for unit in ours or ()}
    return tuple(replace(unit, feature_gated=True) for unit in theirs or () if identity(unit) not in known)


def _spoilt(tree: Tree, plain: Tree) -> list[Visit]:
    """Pages that fail with the features on, though not for what is wrong with them anyway."""
    return [
        visit
        for path, visit in sorted(tree.visits.items())
        if visit.problem and (path not in plain.visits or visit.problem != plain.visits[path].problem)
    ]
