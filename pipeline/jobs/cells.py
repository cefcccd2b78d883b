"""What is left to do for an agent's snapshots: the lock's rows -> cells, without those that are up to date.

A committed snapshot is up to date when this version of the reader took it from the very binary that the lock pins, at
the time that the lock says. That needs no record of earlier builds, which a fresh clone does not have. A change of
``agent.toml`` or of the rules is not seen in the file: take such snapshots again by asking for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pipeline import canonical
from pipeline.clock import timestamp
from pipeline.contract.folder import Folder
from pipeline.errors import ParityError
from pipeline.jobs.runners import runner_of
from pipeline.jobs.shards import FETCH, UNKNOWN, Cell
from pipeline.layout import Root, is_version, version_key
from pipeline.surface.lock import LockRow
from pipeline.surface.revision import REVISION


class _Binary(msgspec.Struct):
    sha256: str


class _Reader(msgspec.Struct):
    revision: int


class _Head(msgspec.Struct):
    """What of a snapshot is looked at. All else is skipped, not checked: validation does that."""

    binary: _Binary
    collected_at: str
    commands: list[msgspec.Raw]
    generator: _Reader | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """``cells`` are to be done; ``done`` are up to date; ``homeless`` have no runner (all by name)."""

    cells: tuple[Cell, ...]
    done: tuple[str, ...] = ()
    homeless: tuple[str, ...] = ()


def work(folder: Folder, runners: dict[str, str], version: str | None = None, *, again: bool = False) -> Work:
    """The snapshots that a lock allows (of one ``version``), for CI. ``again``: also those that are up to date."""
    agent, lock = folder.root.path.name, folder.lock()
    cells, done, homeless = [], [], []
    pages = _pages(folder.root)
    stamps = {row.version: timestamp(lock.epoch(row.version), {}) for row in lock.rows}
    for row in lock.rows:
        if row.target not in folder.rules.targets or version not in (None, row.version) or not is_version(row.version):
            continue
        name = f"{agent}:{row.version}:{row.target}"
        runner = runner_of(row.target, runners, folder.rules.union.platform_mapping.get(row.target))
        if not again and is_current(folder.root.snapshot(row.version, row.target), row, stamps[row.version]):
            done.append(name)
        elif runner is None:
            homeless.append(name)
        else:
            cells.append(Cell(name, runner, FETCH + pages))
    return Work(tuple(cells), tuple(done), tuple(homeless))


def is_current(path: Path, row: LockRow, stamped: str) -> bool:
    """Whether a snapshot is what this reader would make of the row's binary at that time."""
    head = _head(path)
    if head is None or head.generator is None:
        return False
    return (head.generator.revision, head.binary.sha256, head.collected_at) == (REVISION, row.digest, stamped)


def _pages(root: Root) -> int:
    """How many pages the newest snapshot has: about what the next one will have."""
    for version in sorted(root.versions(), key=version_key, reverse=True):
        heads = (_head(root.snapshot(version, target)) for target in root.targets(version))
        if found := max((len(head.commands) for head in heads if head), default=0):
            return found
    return UNKNOWN


def _head(path: Path) -> _Head | None:
    try:
        return msgspec.json.decode(canonical.read_bytes(path), type=_Head)
    except (ParityError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def rows(cells: Iterator[Cell] | tuple[Cell, ...]) -> list[dict[str, Any]]:
    """A job for each cell: its task, and what its name says."""
    keys = ("agent", "version", "target")
    return [
        {"task": f"snapshot:{cell.name}", "stage": "snapshot", **dict(zip(keys, cell.name.split(":"), strict=True))}
        | {"runner": cell.runner, "tasks": words_of((cell,)), "name": cell.name.replace(":", "-")}
        for cell in sorted(cells)
    ]


def words_of(cells: tuple[Cell, ...]) -> str:
    """The words after ``doit`` that do cells, each binary fetched before it is read."""
    return " ".join(f"acquire:{cell.name} snapshot:{cell.name}" for cell in cells)
