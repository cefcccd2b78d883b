"""Checks of what snapshots and unions list: a root, no unit twice, everything in its order, expected targets only."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from pipeline.contract.exclusions import Identity
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree, Version


class _Flag(msgspec.Struct, frozen=True):
    key: str | None = None
    long: str | None = None
    short: str | None = None

    def identity(self) -> str | None:
        return self.key or self.long or self.short


class _Arg(msgspec.Struct, frozen=True):
    name: str


class _Command(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    flags: tuple[_Flag, ...] = ()
    args: tuple[_Arg, ...] = ()


class Surface(msgspec.Struct, frozen=True):
    """The identities of a snapshot's or union's units, in file order; ``surfaces`` are names, or have some."""

    commands: tuple[_Command, ...]
    surfaces: dict[str, tuple[str | _Arg, ...]] = {}
    generator: Any = None
    inputs: tuple[dict[str, Any], ...] = ()


def findings(version: Version) -> Iterator[Finding]:
    tree = version.tree
    for artifact in version.artifacts:
        if artifact.kind == "union":
            tree.unions.append(artifact.path)
        if artifact.kind not in ("snapshot", "union") or not tree.sound(artifact.path):
            continue
        if artifact.target is not None and artifact.target not in tree.folder.rules.targets:
            message = f"{artifact.target} is no target that the rules expect; nothing is derived from it"
            yield tree.finding("SNAPSHOT_TARGET_NOT_EXPECTED", artifact.path, message, "/binary/target_triple")
            continue
        surface = version.read(artifact.path).view(Surface)
        if surface is not None and tree.derives:
            yield from _units(tree, artifact.path, surface, by_key=artifact.kind == "union")
            yield from _names(tree, artifact.path, surface)
            yield from _inputs(tree, artifact.path, surface)
        if artifact.kind == "union":
            _use(tree, surface)


def _units(tree: Tree, path: Path, surface: Surface, *, by_key: bool) -> Iterator[Finding]:
    rules, commands = tree.folder.rules.validation, surface.commands
    made_here = surface.generator is not None or any("generator" in one for one in surface.inputs)
    paths = [command.path for command in commands]
    # The earlier tool has folders whose snapshots hold nothing at all; ours never do.
    if rules.require_root_path_entry and () not in paths and (commands or made_here):
        yield tree.finding("SURFACE_ROOT_MISSING", path, "has no entry for the root command", "/commands")
    if rules.require_unique_command_paths:
        yield from _twice(tree, "SURFACE_COMMAND_DUPLICATE", path, "/commands", paths)
    yield from _unsorted(tree, path, "/commands", paths)
    for index, command in enumerate(commands):
        place = f"/commands/{index}"
        if len(command.flags) > 1:
            flags = [flag.identity() for flag in command.flags]
            order = flags if by_key else [(one.long is None, one.long or "", one.short or "") for one in command.flags]
            if rules.require_unique_flag_keys_per_command:
                yield from _twice(tree, "SURFACE_FLAG_DUPLICATE", path, f"{place}/flags", flags)
            yield from _unsorted(tree, path, f"{place}/flags", order)
        if len(command.args) > 1:
            names = [arg.name for arg in command.args]
            if rules.require_unique_arg_names_per_command:
                yield from _twice(tree, "SURFACE_ARG_DUPLICATE", path, f"{place}/args", names)
            yield from _unsorted(tree, path, f"{place}/args", names)


def _names(tree: Tree, path: Path, surface: Surface) -> Iterator[Finding]:
    for kind, units in surface.surfaces.items():
        names = [one if isinstance(one, str) else one.name for one in units]
        yield from _twice(tree, "SURFACE_NAME_DUPLICATE", path, f"/surfaces/{kind}", names)
        yield from _unsorted(tree, path, f"/surfaces/{kind}", names)


def _twice(tree: Tree, code: str, path: Path, pointer: str, found: Sequence[Hashable]) -> Iterator[Finding]:
    if len(set(found)) == len(found):
        return
    seen: set[Hashable] = set()
    for index, identity in enumerate(found):
        if identity in seen and identity is not None:
            shown = " ".join(identity) or "the root" if isinstance(identity, tuple) else identity
            yield tree.finding(code, path, f"{shown} is listed twice; keep one of them", f"{pointer}/{index}")
        seen.add(identity)


def _unsorted(tree: Tree, path: Path, pointer: str, found: Sequence[Any]) -> Iterator[Finding]:
    try:
        place = next((index for index, (one, other) in enumerate(pairwise(found), start=1) if other < one), None)
    except TypeError:  # nameless flags of another tool
        return
    if place is not None:
        message = "is not in order (commands by path, flags by key, all else by name); rebuild the file"
        yield tree.finding("SURFACE_NOT_SORTED", path, message, f"{pointer}/{place}")


def _inputs(tree: Tree, path: Path, surface: Surface) -> Iterator[Finding]:
    for index, one in enumerate(surface.inputs):
        target = one.get("target_triple")
        if target not in tree.folder.rules.targets:
            message = f"{target!r} is no target that the rules expect; rebuild the union"
            yield tree.finding("UNION_INPUT_NOT_EXPECTED", path, message, f"/inputs/{index}/target_triple")


def _use(tree: Tree, surface: Surface | None) -> None:
    """Cross off the exclusions and waivers that this version has a unit for."""
    if surface is None or not surface.commands:
        return
    tree.surfaces_seen += 1
    left = set[Identity]().union(*tree.unused.values())
    commands = {command.path: command for command in surface.commands}
    for path in sorted({path for _, path, _ in left} & commands.keys()):
        units: set[Identity] = {("command", path, "")}
        units.update(("flag", path, str(flag.identity())) for flag in commands[path].flags)
        units.update(("arg", path, arg.name) for arg in commands[path].args)
        for unused in tree.unused.values():
            unused.difference_update(units)
