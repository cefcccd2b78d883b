"""What a snapshot is taken of: one binary, with all that its agent's folder says about reading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import canonical
from pipeline.contract.agent import FeatureProbe, Help, Limits, Oracles, SurfaceProbe
from pipeline.contract.folder import Folder
from pipeline.surface.lock import LockRow
from pipeline.surface.snapshot import Supplement


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``target`` is a triple (``x86_64-unknown-linux-musl``) or a package's name for one (``linux-x64``).

    ``launcher`` are the words that start a ``binary`` which is no program itself (``node``). ``sha256`` and
    ``size_bytes`` identify what is run where that is more than this file.
    ``program`` is the name in usage lines; without it, the one that the root's page uses. A ``tool`` without a
    name is called after the program. ``excluded_stages`` are stages of features that are not switched on.
    ``platform_os`` is the rules' name of the target's system; without it the target says it.
    """

    binary: Path
    launcher: tuple[str, ...] = ()
    sha256: str | None = None
    size_bytes: int | None = None
    program: str | None
    tool: str | None
    target: str
    help: Help
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    features: FeatureProbe | None = None
    surfaces: SurfaceProbe | None = None
    oracles: Oracles = field(default_factory=Oracles)
    excluded_stages: tuple[str, ...] = ()
    supplement: Supplement | None = None
    platform_os: str | None = None


def described(folder: Folder, binary: Path, launcher: tuple[str, ...], row: LockRow) -> Subject:
    """The binary that a row pins, with all that the agent's folder says about reading it."""
    agent, root = folder.require_agent(), folder.root
    return Subject(
        binary=binary,
        launcher=launcher,
        # A single file is identified by its own digest, which is taken from what is run.
        sha256=row.tree_sha256,
        size_bytes=row.size_bytes,
        program=agent.program,
        tool=agent.tool,
        target=row.target,
        help=agent.help,
        environment=agent.environment,
        limits=agent.limits,
        features=agent.features,
        surfaces=agent.surfaces,
        oracles=agent.oracles,
        excluded_stages=folder.rules.features.enable_policy.excluded_stages,
        supplement=canonical.read(root.supplement, Supplement) if root.supplement.exists() else None,
        platform_os=folder.rules.union.platform_mapping.get(row.target),
    )
