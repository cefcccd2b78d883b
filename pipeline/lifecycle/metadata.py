"""Version metadata: ``versions/<version>.json``, written only if the version has earned its status."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from pipeline import canonical
from pipeline.contract.rules import Rules
from pipeline.errors import GateFailed, UsageError
from pipeline.layout import Root
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
    validation: Validation | None = None,
) -> bytes:
    """Derive the metadata of a version from its union and the wrapper coverage, as the bytes of its file.

    ``notes`` are carried over from the file that is there, and so is ``validation`` unless given.
    Raises GateFailed, ArtifactMissing for a stage that has not run yet.
    """
    union = canonical.read_bytes(root.union(version))
    path = root.metadata(version)
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
        existing=canonical.read(path, CarriedOver) if path.exists() else None,
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
    metadata = VersionMetadata(
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
        promotion=Promotion(eligible_for_latest_validated=status is Status.VALIDATED),
    )
    _check_gates(metadata, rules)
    return metadata


def _check_validation(validation: Validation, status: Status, rules: Rules) -> None:
    if status is Status.SNAPSHOTTED:
        raise UsageError(
            "a version that is only snapshotted has no validated targets",
            remedy="leave the target options out, or ask for a later status",
        )
    named = validation.outcomes()
    for target in named:
        if target not in rules.targets:
            raise UsageError(f"{target} is not an expected target", remedy=f"name one of {', '.join(rules.targets)}")
        if named.count(target) > 1:
            raise UsageError(f"{target} is named twice", remedy="a target either passed, failed or was skipped")


def _check_gates(metadata: VersionMetadata, rules: Rules) -> None:
    """Raise GateFailed if the version has not earned its status."""
    if reason := _obstacle(metadata, rules):
        problem, remedy = reason
        raise GateFailed(
            f"{metadata.semantic_version} cannot become {metadata.status}: {problem}",
            where=f"versions/{metadata.semantic_version}.json",
            remedy=remedy,
        )


def _obstacle(metadata: VersionMetadata, rules: Rules) -> tuple[str, str] | None:
    """What stands between a version and its status, and what to do about it."""
    required, supported = rules.union.required_target, _supported(metadata)
    passed = (metadata.validation and metadata.validation.passed_targets) or ()
    if metadata.status is Status.VALIDATED:
        if required not in supported:
            return _uncovered(required, metadata)
        if required not in passed:
            return (
                f"validation has not passed on the required target {required}",
                f"validate it there and say so with --passed-target {required}",
            )
    if metadata.status is Status.SUPPORTED:
        if rules.version_metadata.supported_policy.requires_union_complete and not metadata.artifacts.union_complete:
            return "its union is not complete", "take the snapshots of the missing targets"
        if lacking := [target for target in rules.targets if target not in supported]:
            return _uncovered(lacking[0], metadata)
    return None


def _supported(metadata: VersionMetadata) -> tuple[str, ...]:
    return metadata.coverage.supported_targets if metadata.coverage else ()


def _uncovered(target: str, metadata: VersionMetadata) -> tuple[str, str]:
    reasons = (metadata.coverage and metadata.coverage.unsupported_targets) or ()
    why = next(
        (
            f": {one.uncovered_units} units are not covered, the first is {one.first_uncovered}"
            for one in reasons
            if one.target_triple == target
        ),
        "",
    )
    return f"{target} is not supported{why}", "cover or waive what the reports list as missing"
