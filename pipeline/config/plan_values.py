"""The values of the plan: one decision per item and per field, and what a person decided otherwise."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.config.mapping import Classification, Mode, Risk
from pipeline.config.values import Finding
from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import Shape

# What no rule fits is unclassified.
Outcome = Classification | Literal["unclassified"]


class Override(Shape, frozen=True, kw_only=True):
    """A person's decision on a field, or on all fields of an item; ``field`` None is the item.

    ``owner`` and ``review`` (a date) are written only where the person gave them.
    """

    item: str
    field: str | None = None
    classification: Literal["unsupported", "defer"]
    reason: str
    risk: Risk = "low"
    owner: str | None = None
    review: str | None = None


class Overrides(Shape, frozen=True, kw_only=True):
    """The file of overrides: ``optional`` domains are no longer required."""

    override: tuple[Override, ...] = ()
    optional: tuple[str, ...] = ()


class Decision(Shape, frozen=True, kw_only=True):
    """What becomes of a field, or of an item as a whole (``field`` absent).

    ``classification`` ``unclassified``: no rule fits, and the phase fails. ``missing`` are predicates that the version
    of the target does not fulfil, ``since`` is the version from which on it fulfils all that were asked for.
    """

    item: str
    field: str | None = None
    domain: str
    path: str
    place: str | None = None
    classification: Outcome
    rule: str | None = None
    target: str | None = None
    mode: Mode = "none"
    rationale: str
    risk: Risk = "none"
    impact: str | None = None
    mitigation: str | None = None
    since: str | None = None
    missing: tuple[str, ...] | None = None
    owner: str | None = None
    review: str | None = None


class Plan(Shape, frozen=True, kw_only=True):
    """``plan.json``: decisions in the order of the inventory, an item before its fields."""

    plan_schema_version: Literal[1]
    mapping: str
    tree: str
    generated_at: Annotated[str, Meta(description="RFC 3339, UTC.")]
    target: str
    target_version: str
    inventory_sha256: Sha256
    overrides_sha256: Sha256 | None = None
    decisions: tuple[Decision, ...]
    findings: tuple[Finding, ...] = ()

    def fields(self) -> list[Decision]:
        return [one for one in self.decisions if one.field is not None]

    def items(self) -> list[Decision]:
        return [one for one in self.decisions if one.field is None]
