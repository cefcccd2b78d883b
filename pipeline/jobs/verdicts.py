"""Snapshots that jobs took again of a committed version -> the outcome of its validation, target by target.

A target passed when its snapshot came out as the committed one (who ran the binary may differ: ``emulated_by``), failed
when another came, or none although a job was started; one without a job was skipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from pipeline import canonical
from pipeline.contract.folder import Folder
from pipeline.errors import ArtifactError, UsageError
from pipeline.jobs.bundle import Packed, bundles_below
from pipeline.jobs.merge import check, expected_of
from pipeline.surface.metadata import Validation
from pipeline.surface.snapshot import Snapshot


def judged(folder: Folder, version: str, bundles: Path | None, matrix: Path | None) -> Validation:
    """The same from a folder of downloads and the matrix that their jobs were started for. Raises UsageError."""
    if bundles is None or matrix is None:
        raise UsageError("outcomes are told by half", remedy="use --bundles and --expect together")
    return verdicts(folder, version, expected_of(matrix), bundles_below(bundles))


def verdicts(folder: Folder, version: str, expected: Iterable[str], packed: Iterable[Packed]) -> Validation:
    """The outcome for every target of ``version`` that has a committed snapshot. Raises what reading one raises."""
    agent, root = folder.root.path.name, folder.root
    came = {one.name: one for one in packed}
    started = set(expected)
    outcomes: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}
    for target in (target for target in folder.rules.targets if target in root.targets(version)):
        name = f"{agent}:{version}:{target}"
        if name not in started:
            outcome = "skipped"
        elif name in came and _same(came[name], folder, root.snapshot(version, target)):
            outcome = "passed"
        else:
            outcome = "failed"
        outcomes[outcome].append(target)
    return Validation(
        passed_targets=tuple(outcomes["passed"]),
        failed_targets=tuple(outcomes["failed"]),
        skipped_targets=tuple(outcomes["skipped"]),
    )


def _same(one: Packed, folder: Folder, committed: Path) -> bool:
    try:
        found = check(one, folder, folder.lock())
    except ArtifactError:
        return False
    return _unemulated(found) == _unemulated(canonical.read(committed, Snapshot))


def _unemulated(snapshot: Snapshot) -> Snapshot:
    binary = msgspec.structs.replace(snapshot.binary, emulated_by=None)
    return msgspec.structs.replace(snapshot, binary=binary)
