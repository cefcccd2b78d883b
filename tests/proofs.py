"""Proofs that an edit means nothing, although validation does not find it.

An edit is judged by what it changes in the *meaning* of its file: the value that stages see, flattened to leaves
(``union.expected_targets.0`` → value). What only spells that value in another way changes no leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from pipeline import canonical, stages
from pipeline.contract.agent import read_agent
from pipeline.contract.folder import open_folder, read_lock
from pipeline.contract.rules import read_rules
from pipeline.contract.targets import platform_of
from pipeline.history import read_timeline
from pipeline.layout import MATRIX, Root
from pipeline.lifecycle.matrix_text import END, START
from pipeline.surface.lock import Lock
from pipeline.surface.snapshot import Supplement

Leaves = Mapping[str, Any]

# Lists that stages only ask whether something is in them.
_SETS = ("always_keep", "applies_to", "fields_tracked.command", "fields_tracked.flag", "fields_tracked.arg", "watch")


def meaning(path: Path) -> Leaves:
    """What a file says to stages; nothing if there is none. Raises ParityError for one that cannot be read."""
    if not path.exists():
        return {}
    other = canonical.read_json if path.suffix == ".json" else _text
    return _flat(_READERS.get(path.name, other)(path))


def _text(path: Path) -> Any:
    return {"text": path.read_bytes()}


def _rows(path: Path) -> Any:
    return {f"{row.version} {row.target}": row for row in canonical.read(path, Lock).rows}


def _supplement(path: Path) -> Any:
    return canonical.read(path, Supplement).commands


def _page(path: Path) -> Any:
    before, _, rest = path.read_text(encoding="utf-8").partition(START)
    block, _, after = rest.partition(END)
    return {"outside": before + after, "between": block}


_READERS: Mapping[str, Callable[[Path], Any]] = {
    "RULES.json": read_rules,
    "agent.toml": read_agent,
    "artifacts.lock.json": _rows,
    "commands.json": _supplement,
    "README.md": _page,
}


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, list | tuple) and name.endswith(_SETS):
        return {f"{name}.{one}": True for one in value}
    if isinstance(value, msgspec.Struct):
        value = {field: one for field in value.__struct_fields__ if (one := getattr(value, field)) is not None}
    if not isinstance(value, dict | list | tuple):
        return {name: value}
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    parts = [_flat(child, f"{name}.{key}".removeprefix(".")) for key, child in inner]
    return {leaf: one for part in parts for leaf, one in part.items()}


@dataclass(frozen=True)
class Case:
    """An edit of the file ``path`` that was not found, lying in ``workspace``; in ``pristine`` all is as committed."""

    workspace: Path
    pristine: Path
    path: str

    @property
    def agent(self) -> Path:
        return self.workspace / self.path.partition("/")[0]

    @cached_property
    def before(self) -> Leaves:
        return meaning(self.pristine / self.path)

    @cached_property
    def after(self) -> Leaves:
        return meaning(self.workspace / self.path)

    @cached_property
    def changed(self) -> set[str]:
        """The leaves that differ."""
        absent = object()
        leaves = self.before.keys() | self.after.keys()
        return {leaf for leaf in leaves if self.before.get(leaf, absent) != self.after.get(leaf, absent)}


def same_meaning(case: Case) -> bool:
    return case.before == case.after


def rebuilt(case: Case) -> bool:
    """Deriving everything again, with the edit, gives the very bytes that are there."""
    there = _bytes_in(case.agent, case.workspace / MATRIX)
    if case.agent.name != MATRIX:
        folder = open_folder(case.agent)
        stages.schema(folder)
        if folder.has_wrapper:
            stages.wrapper_coverage(folder)
        for version in folder.root.versions():
            stages.union(folder, version)
            if folder.has_wrapper:
                stages.report(folder, version)
            stages.version_metadata(folder, version)
    stages.support_matrix(case.workspace)
    return there == _bytes_in(case.agent, case.workspace / MATRIX)


def _bytes_in(*folders: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def names_say_so(case: Case) -> bool:
    """A target without a platform has the one that its name says."""
    prefix = "union.platform_mapping."
    gone = {leaf.removeprefix(prefix): case.before.get(leaf) for leaf in case.changed - case.after.keys()}
    said = len(case.changed) == len(gone) and all(platform_of(name).os == one for name, one in gone.items())
    return said and rebuilt(case)


def locked_as_before(case: Case) -> bool:
    """Every locked package is still called what the lock calls it."""
    folder = open_folder(case.agent)
    agent, rows = folder.require_agent(), folder.lock().rows
    packages = [(row, agent.package(row.version, row.target)) for row in rows]
    return rebuilt(case) and all(package and package.spec(row.version) == row.package for row, package in packages)


def not_locked(case: Case) -> bool:
    """The targets are those of no row."""
    targets = {leaf.split(".")[1] for leaf in case.changed}
    return rebuilt(case) and not targets & {row.target for row in open_folder(case.agent).lock().rows}


def nothing_was_read_from_it(case: Case) -> bool:
    """Stages take the same from the lock: the times of versions, and what identifies the binary of each snapshot."""
    return _taken(case.agent) == _taken(case.pristine / case.agent.name)


def only_forgotten(case: Case) -> bool:
    """Rows are gone, and none is another one."""
    return not case.changed & case.after.keys() and nothing_was_read_from_it(case)


def only_a_version_forgotten(case: Case) -> bool:
    """The timeline tells of fewer versions, of each the same as before, and a rebuild of it says so too."""
    before, after = (
        {one.version: one.facts_sha256 for one in read_timeline(Root(agent).timeline).versions}
        for agent in (case.pristine / case.agent.name, case.agent)
    )
    return after.items() < before.items() and rebuilt(case)


def _taken(agent: Path) -> tuple[object, ...]:
    root, lock = Root(agent), read_lock(Root(agent))
    rows = [lock.row(version, target) for version in root.versions() for target in root.targets(version)]
    times = {row.version: lock.epoch(row.version) for row in lock.rows}
    return times, [row and (row.digest, row.size_bytes, row.tree_sha256) for row in rows]
