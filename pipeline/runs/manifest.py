"""The manifest of a run: what was asked, on what, with which versions, and how each command ended.

Only the holder of the run's lock writes it, always whole, so that it is valid at every instant. Paths in it are
relative to the run's folder, with forward slashes; no secret, no environment and no place of the machine stands in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.surface.snapshot import Timestamp
from pipeline.surface.units import Shape

VERSION = 1
INTERVAL, STALE = 10, 30
# The variable by which a runner tells the spec guard why it is overridden.
OVERRIDE = "PARITY_SPEC_OVERRIDE"

Status = Literal["queued", "in_progress", "succeeded", "failed", "cancelled"]
State = Literal["pending", "running", "succeeded", "failed", "skipped", "cancelled"]
Outcome = Literal["running", "succeeded", "failed", "cancelled", "interrupted"]
Guardrail = Literal["passed", "failed", "missing", "not_run"]
TransportName = Annotated[
    Literal["local", "app-server", "mcp"], Meta(description="A migrated run was carried out by mcp, without an agent.")
]
# What a server's commands may do; the same words as in ``pipeline.wrapper.serving``.
Sandbox = Literal["workspaceWrite", "readOnly", "dangerFullAccess"]
Role = Literal["manager", "builder", "tester", "reviewer"]
Severity = Literal["critical", "high", "medium", "low"]
# Whoever reads a manifest follows these: none may lead out of the folder.
_INSIDE = r"^(?![/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|$))."
Relative = Annotated[str, Meta(description="Relative to the run's folder.", pattern=_INSIDE)]

# What ends a run for good; a failed one may be resumed.
ENDED = frozenset({"succeeded", "failed", "cancelled"})


class Command(Shape, frozen=True, kw_only=True):
    """One command of the queue. ``argv`` holds {python} and {repository} where places of the machine would stand.

    A goal's step has a ``role``. In its ``argv`` {agent} is the agent's program, {repository} the worktree, {evidence}
    the folder ``evidence``, which holds what a turn of a model was asked and what came of it.
    """

    index: int
    id: str
    argv: tuple[str, ...]
    status: State
    guardrail: bool = False
    attempt: int | None = None
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    duration_seconds: float | None = None
    exit_code: int | None = None
    summary: str | None = None
    response_file: Relative | None = None
    error_file: Relative | None = None
    role: Role | None = None
    evidence: Relative | None = None


class Attempt(Shape, frozen=True, kw_only=True):
    """One life of the runner. ``pid_started`` tells it from a later process with the same id."""

    number: int
    pid: int
    pid_started: float
    started_at: Timestamp
    outcome: Outcome
    ended_at: Timestamp | None = None
    duration_seconds: float | None = None


class AgentUsed(Shape, frozen=True, kw_only=True):
    """The agent that carried the commands out, as its binary said and was."""

    name: str
    version: str
    sha256: str


class Workspace(Shape, frozen=True, kw_only=True):
    """What the commands ran on. ``diff`` is what was not committed when the run began, ``diff_after`` what was at its
    end where that differs; without git there is neither."""

    revision: str | None = None
    changed: bool | None = None
    diff: Relative | None = None
    diff_after: Relative | None = None


class Goal(Shape, frozen=True, kw_only=True):
    """What a run of kind goal shall reach. ``base`` is the revision that the patch is against."""

    text: str
    base: str
    settings: Annotated[Relative, Meta(description="The roles, as they were when the run began.")]
    patch: Relative | None = None
    patch_sha256: str | None = None
    changed: Annotated[tuple[str, ...], Meta(description="The files that the patch changes.")] = ()
    findings: Annotated[dict[Severity, int] | None, Meta(description="How many the reviewer has, by severity.")] = None
    findings_file: Relative | None = None


class Approval(Shape, frozen=True, kw_only=True):
    """Somebody wanted the patch in the working tree. It is ``approved`` before it is applied, and ``applied`` then."""

    by: str
    at: Timestamp
    outcome: Literal["approved", "applied"]
    reason: str
    despite: Annotated[tuple[str, ...], Meta(description="What stood against it and was overridden.")] = ()


class Manifest(Shape, frozen=True, kw_only=True):
    """``manifest.json`` of a run."""

    schema_version: Literal[1]
    generator: Annotated[str, Meta(description="The program that made the run, with its version.")]
    run_id: str
    task: str
    kind: str
    status: Status
    status_detail: str | None = None
    created_at: Timestamp
    updated_at: Timestamp
    completed_at: Timestamp | None = None
    transport: TransportName
    agent: AgentUsed | None = None
    sandbox: Sandbox | None = None
    permission_profile: Annotated[str | None, Meta(description="Of the agent's configuration.")] = None
    approval_policy: str
    timeout_seconds: float
    heartbeat_interval_seconds: int
    heartbeat_stale_after_seconds: int
    token_sha256: str
    workspace: Workspace
    commands: tuple[Command, ...]
    attempts: tuple[Attempt, ...]
    guardrail: Guardrail
    guardrail_override: Annotated[str | None, Meta(description="Why the spec guard was overridden.")] = None
    summary: tuple[str, ...]
    log: Relative
    goal: Goal | None = None
    approvals: tuple[Approval, ...] = ()

    @property
    def needs_binary(self) -> bool:
        """Whether the agent's program has to be there."""
        return self.agent is not None and (self.transport != "local" or self.goal is not None)


def read(path: Path) -> Manifest:
    """Raises ArtifactMissing, ArtifactInvalid; of a newer shape it says so, and not what does not fit."""
    document = canonical.read_json(path)
    try:
        return canonical.convert(document, Manifest, path)
    except ArtifactInvalid:
        said = document.get("schema_version") if isinstance(document, dict) else None
        if isinstance(said, int) and said > VERSION:
            raise ArtifactInvalid(
                f"the manifest has schema_version {said}; this program reads up to {VERSION}",
                where=path,
                remedy="install a newer cli-parity",
            ) from None
        raise


def encode(manifest: Manifest) -> bytes:
    return canonical.encode(manifest)


def settle(manifest: Manifest, at: str) -> Manifest:
    """The manifest after its last attempt was cut off: that ended with what is known, and what ran waits again.

    ``at`` is when it was last seen alive.
    """
    attempts = tuple(
        msgspec.structs.replace(each, outcome="interrupted", ended_at=at) if each.outcome == "running" else each
        for each in manifest.attempts
    )
    return msgspec.structs.replace(manifest, attempts=attempts)
