"""Checks of the lock: its rows against each other, against agent.toml, and against what was read from binaries."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import canonical
from pipeline.clock import carried, timestamp
from pipeline.errors import ArtifactError, EpochMissing
from pipeline.layout import is_target, is_version, version_key
from pipeline.surface.lock import LockRow
from pipeline.surface.revision import REVISION
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Read, Tree, Version, value_at

if TYPE_CHECKING:
    from pipeline.contract.agent import Package

_SHA256 = re.compile("[0-9a-f]{64}")
# A package, or a package and a file in it.
_Of = tuple[str, ...]
# The key of a row, and what is wrong there.
_Problem = tuple[str, str]
# The digest that each registry's client gives of a package (SRI): one text for one digest, to the last bit.
_INTEGRITY = {
    "npm": re.compile("sha512-[A-Za-z0-9+/]{85}[AQgw]=="),
    "pypi": re.compile("sha256-[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="),
}


def row_findings(tree: Tree) -> Iterator[Finding]:
    path, rows, agent = tree.root.lock, tree.lock.rows, tree.folder.agent
    if tree.read(path).missing and agent is not None and agent.packages and tree.root.versions():
        message = "no such file, and the snapshots were read from what it pins; restore it, or run the lock task"
        yield tree.finding("LOCK_MISSING", path, message)
    if not tree.sound(path):
        return
    keys = {}
    seen: dict[_Of, tuple[int, LockRow]] = {}
    for index, row in enumerate(rows):
        wrong = False
        for key, problem in list(_problems(tree, row)) or _unlike_twin(tree, index, row, seen):
            wrong = True
            yield tree.finding("LOCK_ROW_INVALID", path, f"{problem}; run the lock task", f"/rows/{index}/{key}")
        if not wrong:
            keys[index] = (version_key(row.version), row.version, row.target)
    for (_, one), (index, other) in pairwise(keys.items()):
        if one == other:
            message = f"{other[1]} for {other[2]} is locked twice; keep one row"
            yield tree.finding("LOCK_ROW_DUPLICATE", path, message, f"/rows/{index}")
        elif other < one:
            message = "is not in order (version, then target); run the lock task"
            yield tree.finding("LOCK_NOT_SORTED", path, message, f"/rows/{index}")


def _problems(tree: Tree, row: LockRow) -> Iterator[_Problem]:
    """What cannot be so in a row."""
    agent = tree.folder.agent
    if not is_version(row.version):
        yield "version", f"{row.version!r} is not a version"
    elif not is_target(row.target) or row.target not in tree.folder.rules.targets:
        yield "target", f"{row.target!r} is no target that the rules expect"
    elif agent is not None:
        package = agent.package(row.version, row.target)
        if package is None:
            yield "target", f"agent.toml publishes no {row.version} for {row.target}"
        else:
            yield from _unlike(package, row)
    try:
        timestamp(row.epoch, {})
    except EpochMissing as error:
        yield "epoch", error.problem
    beside = [(f"beside.{name}", digest) for name, digest in row.beside.items()]
    for key, digest in (("sha256", row.sha256), ("tree_sha256", row.tree_sha256), *beside):
        if digest is not None and not _SHA256.fullmatch(digest):
            yield key, "is no SHA-256 in lower-case hex"


def _unlike(package: Package, row: LockRow) -> Iterator[_Problem]:
    """Where a row is not of what agent.toml says is published."""
    spec = package.spec(row.version)
    if row.package != spec:
        yield "package", f"is {row.package!r}, agent.toml publishes {row.version} as {spec!r}"
    if not _INTEGRITY[package.registry].fullmatch(row.integrity):
        yield "integrity", f"is no digest as {package.registry} publishes it"
    elif package.kind == "venv" and base64.b64decode(row.integrity.partition("-")[2]).hex() != row.sha256:
        yield "integrity", "is another digest than sha256, and both are of the wheel"
    if (package.kind == "file") != (row.tree_sha256 is None):
        there = "is not there" if row.tree_sha256 is None else "is there"
        yield "tree_sha256", f'{there}, and agent.toml says kind = "{package.kind}"'
    for name in sorted(row.beside.keys() - package.beside.keys()):
        yield "beside", f"{name!r} is nothing that agent.toml names beside the program"
    if not package.starts(row.member):
        yield "member", f"{row.member!r} fits none of the members that agent.toml names"


def _unlike_twin(tree: Tree, index: int, row: LockRow, seen: dict[_Of, tuple[int, LockRow]]) -> Iterator[_Problem]:
    """Where a sound row says something else of its package or file than an earlier one; adds the row to ``seen``.

    Not of Python applications: under one name an index has a wheel for each platform.
    """
    agent = tree.folder.agent
    package = agent.package(row.version, row.target) if agent else None
    if package is None or package.kind == "venv":
        return
    of_package = ("integrity", "epoch", *(("tree_sha256",) if package.kind == "tree" else ()))
    for of, keys in (((row.package,), of_package), ((row.package, row.member), ("sha256", "size_bytes", "beside"))):
        at, twin = seen.setdefault(of, (index, row))
        for key in keys:
            if getattr(row, key) != getattr(twin, key):
                yield key, f"differs from that of row {at}, which is of the same {' '.join(of)}"


def requirements(tree: Tree) -> Iterator[tuple[Path, LockRow]]:
    """What each Python application of a sound lock was installed with, and the row that pins it."""
    agent = tree.folder.agent
    for row in tree.lock.rows if agent and tree.sound(tree.root.lock) else ():
        package = agent.package(row.version, row.target) if agent else None
        if package is not None and package.kind == "venv":
            yield tree.root.requirements(row.version, row.target), row


def requirement_findings(tree: Tree) -> Iterator[Finding]:
    """What a Python application was installed with is what the lock pins."""
    for path, row in requirements(tree):
        try:
            found = hashlib.sha256(canonical.read_bytes(path)).hexdigest()
        except ArtifactError as error:
            yield tree.finding("REQUIREMENTS_MISSING", path, f"{error.problem}; run the lock task")
            continue
        if found != row.tree_sha256:
            message = f"its sha256 is {found}, the lock pins {row.tree_sha256}; restore it, or run the lock task"
            yield tree.finding("REQUIREMENTS_NOT_LOCKED", path, message)


def snapshot_findings(version: Version) -> Iterator[Finding]:
    tree = version.tree
    for artifact in version.artifacts:
        read = version.read(artifact.path)
        made_here = value_at(read.document, "/generator") is not None
        if artifact.kind != "snapshot" or not tree.sound(artifact.path) or not made_here:
            continue
        if tree.sound(tree.root.lock) and not tree.read(tree.root.lock).missing:
            row = tree.lock.row(version.name, artifact.target or "")
            for pointer, problem in _unlocked(read, row, tree.lock.epoch(version.name)):
                yield tree.finding("SNAPSHOT_NOT_LOCKED", artifact.path, f"artifacts.lock.json {problem}", pointer)
        revision = value_at(read.document, "/generator/revision")
        if revision != REVISION:
            message = f"was read by revision {revision}, this version reads by {REVISION}; take the snapshot again"
            yield tree.finding("SNAPSHOT_PARSER_OLD", artifact.path, message, "/generator/revision")


def _unlocked(read: Read, row: LockRow | None, epoch: int | None) -> Iterator[tuple[str, str]]:
    if row is None:
        yield "/binary/sha256", "has no row for it"
    elif row.digest != value_at(read.document, "/binary/sha256"):
        yield "/binary/sha256", f"says {row.digest}"
    elif row.size_bytes != value_at(read.document, "/binary/size_bytes"):
        yield "/binary/size_bytes", f"says {row.size_bytes}"
    elif epoch is not None and (found := str(value_at(read.document, "/collected_at"))) != carried(found, epoch):
        yield "/collected_at", f"stamps its version with {carried(found, epoch)}"
