"""Promotion: what the files of a tree become when a version is the latest validated one.

Linux first: what the required target has earned decides; every other target's pointers advance on their own as far
as that target has earned it, and no pointer moves back. ``min_supported.txt`` is a person's decision and is never
among the files. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline import canonical
from pipeline.contract.rules import Rules
from pipeline.errors import ArtifactInvalid, GateFailed, UsageError
from pipeline.layout import POINTERS, Root, in_order
from pipeline.lifecycle.gates import Earned, Obstacle, latest_validated_obstacle, pointer_obstacle
from pipeline.lifecycle.metadata import CarriedOver, metadata_bytes
from pipeline.lifecycle.pointers import NONE, is_stable, read_pointer
from pipeline.report.upstream import Upstream
from pipeline.surface.metadata import Status, Validation, VersionMetadata


def promoted_files(
    root: Root, rules: Rules, version: str, *, stamp: Callable[[str], str], validation: Validation | None = None
) -> dict[Path, bytes]:
    """Every file that promotion touches, with its new bytes.

    ``stamp`` gives the time that artifacts of a version carry; ``validation`` replaces the outcomes that the metadata
    records. Raises GateFailed if the version has not earned it or a later one is validated already, UsageError for
    a version that no pointer may name, ArtifactMissing for a stage that has not run yet, ArtifactInvalid for
    a pointer of which nobody can say whether it would move back.
    """
    if not is_stable(version, rules):
        raise UsageError(f"{version} is no stable version, and no pointer may name it", remedy="promote a release")
    existing = canonical.read(root.metadata(version), CarriedOver)
    known = existing.status or Status.SNAPSHOTTED
    least = Status(rules.version_metadata.promotion_gate.latest_validated_requires)
    metadata = metadata_bytes(
        root,
        version,
        known if known.reaches(least) else least,
        rules,
        updated_at=stamp(version),
        existing=existing,
        validation=validation,
    )
    union = canonical.read_bytes(root.union(version))
    upstream = Upstream.parse(union, root.union(version))
    held = canonical.convert(canonical.loads(metadata, root.metadata(version)), VersionMetadata, root.metadata(version))
    earned = Earned.of(held.coverage, held.validation, upstream.targets)
    required = rules.union.required_target
    _refuse_if(version, latest_validated_obstacle(earned, rules, complete=upstream.complete))
    _refuse_if(version, pointer_obstacle("latest_validated", required, earned, rules))
    for path in (root.latest_validated, root.pointer("latest_validated", required)):
        later = _named(path, rules)
        if later and not _advances(version, later):
            _refuse_if(version, Obstacle(f"{later} is validated already", "promote a later version"))

    line = f"{version}\n".encode()
    files = {root.metadata(version): metadata, root.current: union, root.latest_validated: line}
    for kind in POINTERS:
        for target in rules.targets:
            path = root.pointer(kind, target)
            advances = _advances(version, _named(path, rules))
            if advances and not pointer_obstacle(kind, target, earned, rules):
                files[path] = line
    return files


def _named(path: Path, rules: Rules) -> str | None:
    """The version that a pointer names; None for one that is not there or says ``none``."""
    said = read_pointer(path)
    if said.missing or said.value == NONE:
        return None
    if not is_stable(said.value, rules):
        raise ArtifactInvalid(
            said.problem or f"{said.value!r} is no stable version",
            where=path,
            remedy="correct the pointer; `parity validate --mode fix` does where only its form is broken",
        )
    return said.value


def _advances(version: str, over: str | None) -> bool:
    return over is None or in_order((over, version))[-1] == version


def _refuse_if(version: str, reason: Obstacle | None) -> None:
    if reason:
        raise GateFailed(
            f"{version} cannot become the latest validated version: {reason.problem}",
            where=f"versions/{version}.json",
            remedy=reason.remedy,
        )
