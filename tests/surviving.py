"""Edits that validation does not find: each kind with the reason why it means nothing, and a proof of that.

An edit is judged by what it changes in the *meaning* of its file: the value that stages see, flattened to leaves
(``union.expected_targets.0`` → value). What only spells that value in another way changes no leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from pipeline import canonical, stages
from pipeline.contract.agent import read_agent
from pipeline.contract.folder import open_folder, read_lock
from pipeline.contract.rules import read_rules
from pipeline.contract.targets import platform_of
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


# -- proofs ------------------------------------------------------------------------------------------


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


def _taken(agent: Path) -> tuple[object, ...]:
    root, lock = Root(agent), read_lock(Root(agent))
    rows = [lock.row(version, target) for version in root.versions() for target in root.targets(version)]
    times = {row.version: lock.epoch(row.version) for row in lock.rows}
    return times, [row and (row.digest, row.size_bytes, row.tree_sha256) for row in rows]


# -- the list ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Survivor:
    """``files`` and ``leaves`` are glob patterns; an edit is one of these if they cover every leaf that it changes."""

    files: str
    leaves: tuple[str, ...]
    reason: str
    proof: Callable[[Case], bool]

    def covers(self, case: Case) -> set[str] | None:
        """The patterns that a case needs; None if the entry is not about it."""
        if not fnmatchcase(case.path, self.files) or bool(self.leaves) != bool(case.changed):
            return None
        needed = {next((one for one in self.leaves if fnmatchcase(leaf, one)), None) for leaf in case.changed}
        return None if None in needed else {one or "" for one in needed}


SURVIVORS = (
    Survivor(
        "*/RULES.json",
        (),
        "the rules are the same: the order of keys, that of a list which is a set, or a default that goes without saying",
        same_meaning,
    ),
    Survivor(
        "*/agent.toml",
        (),
        "the description is the same: a comment, blank space, the order of keys, or a default that goes without saying",
        same_meaning,
    ),
    Survivor(
        "*/RULES.json",
        ("union.require_same_tool", "union.require_same_semantic_version", "union.require_semantic_version"),
        "asked of snapshots that are still to come: those that are there have what is asked, so that both answers do",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("globals.effective_flags_model.*",),
        "whether a command's flag that repeats one of the root is listed: no command of this agent repeats one",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("union.conflict_handling.fields_tracked.*",),
        "which facts are compared between targets: all versions of this agent have one target, or agree in the fact",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("storage.retention.*",),
        "how many validated versions are kept is a person's choice: none is validated yet, so that all are kept",
        rebuilt,
    ),
    Survivor(
        "*/RULES.json",
        ("union.platform_mapping.*",),
        "what is not said of a target is what its name says",
        names_say_so,
    ),
    Survivor(
        "*/agent.toml",
        (
            "program",
            "help.dialect",
            "help.style",
            "environment.*",
            "limits.*",
            "features.list.*",
            "features.enable.*",
            "oracles.ask*",
            "oracles.completion",
            "oracles.probe",
            "packages.*.launcher.*",
            "packages.*.requires.*",
        ),
        "how a binary is started and asked when it is read the next time; of this a snapshot holds nothing",
        rebuilt,
    ),
    Survivor(
        "*/agent.toml",
        ("packages.*.name", "packages.*.members.*"),
        "what is published for a target of which no version is locked: the registry says, when one is",
        not_locked,
    ),
    Survivor(
        "*/agent.toml",
        ("packages.*.since", "packages.*.shared_until"),
        "from which version on something is published in another way: the bound lies between two locked versions",
        locked_as_before,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.integrity",),
        "the digest of a package: only its registry knows it, and `acquire` refuses a package that has another",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.sha256", "*.size_bytes"),
        "a binary that nothing was read from yet: `acquire` refuses another one, and a snapshot has to agree",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.member",),
        "the part of a path that agent.toml leaves open: `acquire` refuses a package without such a file",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*.epoch",),
        "the publish time of a package that is not the first of its version: the first one's stamps everything",
        nothing_was_read_from_it,
    ),
    Survivor(
        "*/artifacts.lock.json",
        ("*",),
        "a row of a binary that nothing was read from yet: whoever wants to read it locks it again",
        only_forgotten,
    ),
    Survivor("*/supplement/commands.json", (), "a supplement without commands adds what none adds", same_meaning),
    Survivor(
        "support_matrix/README.md",
        ("outside",),
        "what stands outside the markers is for people, and kept as it is",
        rebuilt,
    ),
    Survivor(
        "*/*.orig",
        ("text",),
        "beside the artifacts anybody may keep a file that no stage could have written or reads",
        rebuilt,
    ),
)
