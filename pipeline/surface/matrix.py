"""The support matrix: what each version of each agent is worth on each target, as one table."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

from pipeline.surface.units import Shape


class Support(StrEnum):
    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"


class PointerPromotion(StrEnum):
    """Which of a target's two pointers name the version."""

    NONE = "none"
    LATEST_SUPPORTED = "latest_supported"
    LATEST_VALIDATED = "latest_validated"
    LATEST_SUPPORTED_AND_VALIDATED = "latest_supported_and_validated"


class Key(NamedTuple):
    """What a row is about; no two rows of a matrix are about the same."""

    agent: str
    version: str
    target: str

    def __str__(self) -> str:
        return f"{self.agent} {self.version} on {self.target}"


class MatrixRow(Shape, frozen=True, kw_only=True):
    """What the metadata says (``manifest_support``, never partial), what the report says, and what both leave for
    the unified API (``uaa_support``)."""

    agent: str
    version: str
    target: str
    manifest_support: Support
    backend_support: Support
    uaa_support: Support
    pointer_promotion: PointerPromotion
    evidence_notes: tuple[str, ...]

    @property
    def key(self) -> Key:
        return Key(self.agent, self.version, self.target)


class SupportMatrix(Shape, frozen=True, kw_only=True):
    """``support_matrix/current.json``. Rows by agent and target, of each the newest version first."""

    schema_version: Literal[1]
    rows: tuple[MatrixRow, ...]
