"""The gates of the phases, and the record that a phase leaves: what it read, what it wrote, whether it passed.

Entry: every earlier phase passed, its outputs are there as it left them, and what it read has not changed since. Exit:
the phase's own outputs are there. Quality: no critical blocker is open. A phase that fails a gate still leaves its
documents, which say why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pipeline import canonical
from pipeline.errors import ArtifactMissing, GateFailed
from pipeline.surface.units import Shape

PHASES = ("P0", "P1", "P2", "P3", "P4")
NAMES = {"P0": "inventory", "P1": "plan", "P2": "emit", "P3": "verify", "P4": "harden"}
TITLES = {
    "P0": "Discovery baseline",
    "P1": "Gap analysis",
    "P2": "Implementation",
    "P3": "Validation",
    "P4": "Hardening",
}


class Gate(Shape, frozen=True, kw_only=True):
    name: Literal["entry", "exit", "quality"]
    passed: bool
    says: str


class PhaseRecord(Shape, frozen=True, kw_only=True):
    """``phase.<Pn>.json``: digests of what was read and written, by path below the output folder."""

    phase_schema_version: Literal[1]
    phase: str
    tree: str
    generated_at: str
    gates: tuple[Gate, ...]
    blockers: tuple[str, ...] = ()
    scope_changes: tuple[str, ...] = ()
    inputs: dict[str, str]
    outputs: dict[str, str]

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)


def record_name(phase: str) -> str:
    return f"phase.{phase}.json"


def enter(out: Path, phase: str) -> Gate:
    """The entry gate. Raises GateFailed where an earlier phase is missing, failed, or is no longer as it was."""
    earlier = PHASES[: PHASES.index(phase)]
    if not earlier:
        return Gate(name="entry", passed=True, says="there is no earlier phase")
    for one in earlier:
        _require(out, phase, one)
    return Gate(name="entry", passed=True, says=f"{earlier[-1]} passed, and its outputs are as it left them")


def _require(out: Path, phase: str, earlier: str) -> None:
    path = out / record_name(earlier)
    remedy = f"run the phase {NAMES[earlier]} first"
    try:
        record = canonical.read(path, PhaseRecord)
    except ArtifactMissing:
        raise GateFailed(f"{phase} needs {earlier}, which has not been run", where=path, remedy=remedy) from None
    if not record.passed:
        told = "; ".join(gate.says for gate in record.gates if not gate.passed)
        raise GateFailed(
            f"{phase} needs {earlier}, which did not pass: {told}", where=path, remedy=f"correct it, then {remedy}"
        )
    # What the first phase read is the tree: whoever needs that reads it again.
    read = record.inputs if earlier != PHASES[0] else {}
    for name, digest in read.items():
        if _digest(out / name) != digest:
            again = f"run the phase {NAMES[earlier]} again"
            raise GateFailed(f"it is not what {earlier} read", where=out / name, remedy=again)
    for name, digest in record.outputs.items():
        if _digest(out / name) != digest:
            raise GateFailed(f"it is not as {earlier} left it", where=out / name, remedy=remedy)


def exit_gate(outputs: Sequence[str]) -> Gate:
    return Gate(name="exit", passed=bool(outputs), says=f"{len(outputs)} outputs are written")


def quality_gate(blockers: tuple[str, ...]) -> Gate:
    says = f"{len(blockers)} critical blockers are open" if blockers else "no critical blocker is open"
    return Gate(name="quality", passed=not blockers, says=says)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
