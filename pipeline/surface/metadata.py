"""Version metadata: the status of one upstream version and what it rests on."""

from enum import StrEnum
from typing import Literal

from pipeline.surface.snapshot import Sha256, Timestamp
from pipeline.surface.units import Shape


class Status(StrEnum):
    """How far a version has come; each status includes the ones before it."""

    SNAPSHOTTED = "snapshotted"
    REPORTED = "reported"
    VALIDATED = "validated"
    SUPPORTED = "supported"

    def reaches(self, other: str) -> bool:
        """Whether a version of this status has come as far as ``other``."""
        order = list(Status)
        return order.index(self) >= order.index(Status(other))


class Artifacts(Shape, frozen=True, kw_only=True):
    """Where the version's files are (relative to the root). The digest is there when it is known."""

    snapshots_dir: str
    reports_dir: str
    union_complete: bool
    union_sha256: Sha256 | None = None


class UnsupportedTarget(Shape, frozen=True, kw_only=True):
    """Why an expected target does not count as supported.

    Nobody has read its binary (``no_snapshot``), or units are not covered there: how many, and the first.
    """

    target_triple: str
    reason: Literal["no_snapshot", "uncovered_units"]
    uncovered_units: int | None = None
    first_uncovered: str | None = None

    def __str__(self) -> str:
        if self.reason == "no_snapshot":
            return "there is no snapshot of it"
        return f"{self.uncovered_units} units are not covered, the first is {self.first_uncovered}"


class SupportCoverage(Shape, frozen=True, kw_only=True):
    supported_targets: tuple[str, ...]
    supported_required_target: bool
    unsupported_targets: tuple[UnsupportedTarget, ...] | None = None


class Validation(Shape, frozen=True, kw_only=True):
    """Outcomes per target, disjoint. A set that a file leaves out stays out; it means that none is known."""

    passed_targets: tuple[str, ...] | None = None
    failed_targets: tuple[str, ...] | None = None
    skipped_targets: tuple[str, ...] | None = None

    def outcomes(self) -> tuple[str, ...]:
        """Every target that is named, in the order of the three sets."""
        return (*(self.passed_targets or ()), *(self.failed_targets or ()), *(self.skipped_targets or ()))


class Promotion(Shape, frozen=True, kw_only=True):
    eligible_for_latest_validated: bool


class VersionMetadata(Shape, frozen=True, kw_only=True):
    """``versions/<version>.json``."""

    schema_version: Literal[1]
    semantic_version: str
    status: Status
    updated_at: Timestamp
    notes: str | None = None
    artifacts: Artifacts
    coverage: SupportCoverage | None = None
    validation: Validation | None = None
    promotion: Promotion
