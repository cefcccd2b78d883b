"""The values of the validation: what was run, what was expected, what was seen. What was not run never passed."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.surface.snapshot import Sha256
from pipeline.surface.units import Shape

Status = Literal["pass", "fail", "not_run"]
Area = Literal["config", "instructions", "skills", "commands", "agents", "servers", "permissions", "hooks", "target"]


class Check(Shape, frozen=True, kw_only=True):
    """``command`` is what was run, with ``{repo}`` and ``{home}`` for folders of that run; empty for our own code."""

    id: str
    area: Area
    command: tuple[str, ...] = ()
    expected: str
    observed: str
    status: Status
    critical: bool = False


class Scenario(Shape, frozen=True, kw_only=True):
    """One of S1 to S5; ``steps`` are its evidence."""

    id: str
    objective: str
    preconditions: str
    procedure: str
    steps: tuple[Check, ...]
    result: Status
    notes: str


class Evidence(Shape, frozen=True, kw_only=True):
    """``evidence.json``. ``binary_sha256`` is absent where there was none, ``sandbox``: it could sandbox.

    ``binary_version`` is what the program says of itself: it may be one that nobody has read yet.
    """

    evidence_schema_version: Literal[1]
    tree: str
    generated_at: Annotated[str, Meta(description="RFC 3339, UTC.")]
    target: str
    target_version: str
    lock_sha256: Sha256
    binary_sha256: Sha256 | None = None
    binary_version: str | None = None
    sandbox: bool = False
    checks: tuple[Check, ...]
    scenarios: tuple[Scenario, ...]


def judged(
    id_: str,
    area: Area,
    *,
    expected: str,
    observed: str,
    passed: bool | None,
    command: tuple[str, ...] = (),
    critical: bool = False,
) -> Check:
    """A check; ``passed`` None: it was not run."""
    status: Status = "not_run" if passed is None else "pass" if passed else "fail"
    return Check(
        id=id_, area=area, command=command, expected=expected, observed=observed, status=status, critical=critical
    )


def worst(checks: tuple[Check, ...]) -> Status:
    """The result of several steps: a failure counts before one that was not run."""
    states = {one.status for one in checks}
    return "fail" if "fail" in states else "not_run" if "not_run" in states or not checks else "pass"
