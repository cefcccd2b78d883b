"""The stages, each one call: what a doit task runs and what a ``parity`` command runs is this.

A stage reads files below one agent's folder, writes its outputs atomically, and returns their paths. The
time it writes is the environment's SOURCE_DATE_EPOCH, else the one that the lock pins for the version.
"""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.acquire.store import cached_binary
from pipeline.clock import timestamp
from pipeline.contract.folder import Folder
from pipeline.errors import ArtifactInvalid, BinaryMissing, IdentityMismatch
from pipeline.layout import Root
from pipeline.lifecycle.metadata import CarriedOver, metadata_bytes
from pipeline.report.stage import write_reports
from pipeline.snapshot import Subject, snapshot_bytes
from pipeline.surface.metadata import Status, Validation
from pipeline.surface.snapshot import Snapshot, Supplement
from pipeline.union.build import write_union
from pipeline.validate.schemas import write_schemas
from pipeline.wrapper.stage import coverage_bytes

_ORDER = tuple(Status)


def schema(folder: Folder) -> list[Path]:
    """Write SCHEMA.json and VERSION_METADATA_SCHEMA.json from the artifact types."""
    write_schemas(folder.root, folder.require_agent().tool)
    return [folder.root.schema, folder.root.metadata_schema]


def snapshot(folder: Folder, version: str, target: str) -> list[Path]:
    """Read the locked, acquired binary of a version and target (see ``subject`` for what it raises besides).

    Where the binary and all else that goes in are unchanged, nothing is spawned and nothing is hashed.
    Raises IdentityMismatch when the binary is not the one that the lock pins.
    """
    root = folder.root
    asked, row = subject(folder, version, target), folder.lock().row(version, target)
    content = snapshot_bytes(asked, collected_at=folder.stamp(version), raw_help=root.raw_help(version, target))
    found = canonical.convert(canonical.loads(content, asked.binary), Snapshot, asked.binary).binary
    pinned = row.digest if row else None
    if (found.semantic_version, found.sha256) != (version, pinned):
        raise IdentityMismatch(
            f"the binary says {found.version_output!r} and its sha256 is {found.sha256}; "
            f"the lock pins {version} with {pinned}",
            where=root.lock,
            remedy=f"run `doit lock:{root.path.name}:{version}` and look at what changed",
        )
    path = root.snapshot(version, target)
    canonical.write(path, content)
    return [path]


def subject(folder: Folder, version: str, target: str) -> Subject:
    """The acquired binary with all that the agent's folder says about reading it.

    Raises BinaryMissing with the command that acquires it.
    """
    agent, root = folder.require_agent(), folder.root
    row = folder.lock().row(version, target)
    started = cached_binary(agent, row) if row else None
    if row is None or started is None:
        step = f"doit acquire:{root.path.name}:{version}:{target}"
        raise BinaryMissing(
            f"{agent.program} {version} for {target} is not in the cache",
            where=root.lock,
            remedy=f"run `{step}`" if row else f"run `doit lock:{root.path.name}:{version}`, then `{step}`",
        )
    return Subject(
        binary=started.path,
        launcher=started.launcher,
        # A single file is identified by its own digest, which is taken from what is run.
        sha256=row.tree_sha256,
        size_bytes=row.size_bytes,
        program=agent.program,
        tool=agent.tool,
        target=target,
        help=agent.help,
        environment=agent.environment,
        limits=agent.limits,
        features=agent.features,
        oracles=agent.oracles,
        excluded_stages=folder.rules.features.enable_policy.excluded_stages,
        supplement=canonical.read(root.supplement, Supplement) if root.supplement.exists() else None,
        platform_os=folder.rules.union.platform_mapping.get(target),
    )


def union(folder: Folder, version: str) -> list[Path]:
    """Merge the version's snapshots."""
    return [write_union(folder.root, version, folder.rules, collected_at=folder.stamp(version), tool=folder.tool)]


def wrapper_coverage(folder: Folder) -> list[Path]:
    """Derive the coverage of the wrapper that ``agent.toml`` names from its declarations."""
    wrapper = folder.wrapper
    content = coverage_bytes(
        wrapper.name, folder.rules, generated_at=timestamp(wrapper.epoch), wrapper_version=wrapper.version
    )
    canonical.write(folder.root.wrapper_coverage, content)
    return [folder.root.wrapper_coverage]


def report(folder: Folder, version: str) -> list[Path]:
    """Write all reports of a version."""
    return write_reports(
        folder.root,
        version,
        generated_at=folder.stamp(version),
        rules_path=folder.rules_path,
        program=folder.program,
    )


def version_metadata(
    folder: Folder, version: str, status: Status | None = None, validation: Validation | None = None
) -> list[Path]:
    """Write the version's metadata.

    Without a ``status`` the one that the version has is kept, and one that has none is reported, or only
    snapshotted where no wrapper is compared: a rebuild neither promotes nor demotes. A file that cannot be read
    any more is made anew, unless a pointer relies on the status that it held.
    """
    if status is None:
        least = Status.REPORTED if folder.has_wrapper else Status.SNAPSHOTTED
        status = max(_known_status(folder.root, version) or least, least, key=_ORDER.index)
    path = folder.root.metadata(version)
    updated_at = folder.stamp(version)
    canonical.write(
        path,
        metadata_bytes(folder.root, version, status, folder.rules, updated_at=updated_at, validation=validation),
    )
    return [path]


def _known_status(root: Root, version: str) -> Status | None:
    path = root.metadata(version)
    if not path.exists():
        return None
    try:
        return canonical.read(path, CarriedOver).status
    except ArtifactInvalid as error:
        pointers = [root.latest_validated, *sorted(root.path.glob("pointers/*/*.txt"))]
        if any(one.exists() and one.read_bytes().strip() == version.encode() for one in pointers):
            raise ArtifactInvalid(
                f"{error.problem}; its status, notes and validation cannot be derived, and a pointer relies on them",
                where=path,
                remedy="restore the file from git",
            ) from None
        path.unlink()
        return None
