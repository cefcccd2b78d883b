"""Version metadata: ``versions/<version>.json``, written only if the version has earned its status."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from pipeline import canonical
from pipeline.contract.rules import Rules
from pipeline.errors import GateFailed, UsageError
from pipeline.layout import Root
from pipeline.lifecycle.gates import Earned, latest_validated_obstacle, status_obstacle
from pipeline.lifecycle.outcomes import outcome_problems
from pipeline.lifecycle.support import support_of
from pipeline.report.upstream import Upstream
from pipeline.surface.coverage import CoveredCommand, Manifest
from pipeline.surface.metadata import Artifacts, Promotion, Status, Validation, VersionMetadata


class CarriedOver(msgspec.Struct, frozen=True):
    """What an existing file hands on to the one that replaces it; the rest is derived anew."""

    notes: str | None = None
    validation: Validation | None = None
    status: Status | None = None


def metadata_bytes(
    root: Root,
    version: str,
    status: Status,
    rules: Rules,
    *,
    updated_at: str,
    existing: CarriedOver | None,
    validation: Validation | None = None,
) -> bytes:
    """Derive the metadata of a version from its union and the wrapper coverage, as the bytes of its file.

    ``notes`` are carried over from the ``existing`` file, and so is ``validation`` unless given.
    Raises GateFailed, ArtifactMissing for a stage that has not run yet.
    """
    union = canonical.read_bytes(root.union(version))
    if status is not Status.SNAPSHOTTED:
        canonical.read_bytes(root.report(version, "any"))
    coverage = None
    if status is not Status.SNAPSHOTTED or root.wrapper_coverage.exists():
        coverage = canonical.read(root.wrapper_coverage, Manifest).coverage
    metadata = build_metadata(
        Upstream.parse(union, root.union(version)),
        coverage,
        rules,
        version=version,
        status=status,
        updated_at=updated_at,
        validation=validation,
        existing=existing,
        union_sha256=hashlib.sha256(union).hexdigest(),
    )
    return canonical.encode(metadata)


def build_metadata(
    upstream: Upstream,
    coverage: Sequence[CoveredCommand] | None,
    rules: Rules,
    *,
    version: str,
    status: Status,
    updated_at: str,
    validation: Validation | None = None,
    existing: CarriedOver | None = None,
    union_sha256: str | None = None,
) -> VersionMetadata:
    """The metadata as a value. ``coverage`` is None only for a version that was snapshotted, no more."""
    if validation is not None:
        _check_validation(validation, status, rules)
    elif existing is not None:
        validation = existing.validation
    support = None if coverage is None else support_of(upstream, coverage, rules)
    earned = Earned.of(support, validation, upstream.targets)
    _check_gate(version, status, earned, rules, complete=upstream.complete)
    return VersionMetadata(
        schema_version=1,
        semantic_version=version,
        status=status,
        updated_at=updated_at,
        notes=existing.notes if existing else None,
        artifacts=Artifacts(
            snapshots_dir=f"snapshots/{version}",
            reports_dir=f"reports/{version}",
            union_complete=upstream.complete,
            union_sha256=union_sha256 if upstream.has_provenance else None,
        ),
        coverage=support,
        validation=validation,
        promotion=Promotion(
            eligible_for_latest_validated=status.reaches(
                rules.version_metadata.promotion_gate.latest_validated_requires
            )
            and latest_validated_obstacle(earned, rules, complete=upstream.complete) is None
        ),
    )


def _check_validation(validation: Validation, status: Status, rules: Rules) -> None:
    if status is Status.SNAPSHOTTED:
        raise UsageError(
            "a version that is only snapshotted has no validated targets",
            remedy="leave the target options out, or ask for a later status",
        )
    problem = next(outcome_problems(validation, rules), None)
    if problem:
        raise UsageError(problem.message, remedy=problem.remedy)


def _check_gate(version: str, status: Status, earned: Earned, rules: Rules, *, complete: bool) -> None:
    """Raise GateFailed if the version has not earned its status."""
    if reason := status_obstacle(status, earned, rules, complete=complete):
        raise GateFailed(
            f"{version} cannot become {status}: {reason.problem}",
            where=f"versions/{version}.json",
            remedy=reason.remedy,
        )
