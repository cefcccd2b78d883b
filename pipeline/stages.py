"""The stages, each one call: what a doit task runs and what a ``parity`` command runs is this.

A stage reads files below one agent's folder, writes its outputs atomically, and returns their paths. The
time it writes is the environment's SOURCE_DATE_EPOCH, else the one that the lock pins for the version.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import canonical
from pipeline.acquire.store import cached_binary
from pipeline.clock import timestamp
from pipeline.contract.folder import Folder
from pipeline.contract.links import refuse_links
from pipeline.contract.workspace import agent_roots
from pipeline.errors import ArtifactInvalid, BinaryMissing, IdentityMismatch, StatusDowngrade, UsageError
from pipeline.history import Sightings, read_timeline, timeline_bytes
from pipeline.history.diff import common_targets, difference
from pipeline.history.diffs import diff_bytes, unions, witnesses_of
from pipeline.history.sides import Surface
from pipeline.history.surfaces import surfaces_bytes
from pipeline.layout import MATRIX, Root
from pipeline.lifecycle.matrix import write_matrix
from pipeline.lifecycle.metadata import CarriedOver, metadata_bytes
from pipeline.lifecycle.pointers import named_by_pointers
from pipeline.report.stage import write_reports
from pipeline.snapshot import Subject, described, snapshot_bytes
from pipeline.snapshot.trial import verdicts
from pipeline.surface.diff import Trial, Trials
from pipeline.surface.metadata import Status, Validation
from pipeline.surface.snapshot import Snapshot
from pipeline.transaction.hold import exclusive
from pipeline.transaction.replace import replacing
from pipeline.union.build import write_union
from pipeline.validate.schemas import write_schemas
from pipeline.wrapper.capabilities import capabilities_of
from pipeline.wrapper.registry import wrapper
from pipeline.wrapper.stage import coverage_bytes


def schema(folder: Folder) -> list[Path]:
    """Write SCHEMA.json and VERSION_METADATA_SCHEMA.json from the artifact types."""
    tool = folder.require_agent().tool
    with exclusive(folder.root.path), replacing(folder.root.path) as copy:
        write_schemas(Root(copy), tool)
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
    with _writing(folder, path):
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
    return described(folder, started.path, started.launcher, row)


def union(folder: Folder, version: str) -> list[Path]:
    """Merge the version's snapshots."""
    with _writing(folder, folder.root.union(version), version=version):
        return [write_union(folder.root, version, folder.rules, collected_at=folder.stamp(version), tool=folder.tool)]


def wrapper_coverage(folder: Folder) -> list[Path]:
    """Derive the coverage of the wrapper that ``agent.toml`` names from its declarations."""
    named = folder.wrapper
    content = coverage_bytes(
        named.name, folder.rules, generated_at=timestamp(named.epoch), wrapper_version=named.version
    )
    with _writing(folder, folder.root.wrapper_coverage):
        canonical.write(folder.root.wrapper_coverage, content)
    return [folder.root.wrapper_coverage]


def timeline(folder: Folder) -> list[Path]:
    """Write what every version that was read had, as far as snapshots or the timeline so far know."""
    path = folder.root.timeline
    with _writing(folder, path):
        canonical.write(path, timeline_bytes(folder.root, folder.rules.targets, tool=folder.tool))
    return [path]


def surfaces(folder: Folder) -> list[Path]:
    """Write what every version offers besides its command line, as far as unions or the file so far know.

    Raises UsageError for an agent whose versions are not asked for it.
    """
    agent, path = folder.require_agent(), folder.root.surfaces
    if agent.surfaces is None:
        raise UsageError(
            "its versions are asked for no surfaces", remedy=f"say how to ask in [surfaces] of {folder.root.agent}"
        )
    with _writing(folder, path):
        canonical.write(path, surfaces_bytes(folder.root, tool=agent.tool))
    return [path]


def diff(folder: Folder, before: str, after: str) -> list[Path]:
    """Write what changed from one version's union to another's, as JSON and as a page.

    Raises UsageError for a version that has no union.
    """
    root = folder.root
    with _writing(folder), replacing(root.diffs) as copy:
        files = diff_bytes(root, before, after, program=folder.program)
        for path, content in files.items():
            canonical.write(copy / path.name, content)
    return list(files)


def trial(folder: Folder, before: str, after: str) -> list[Path]:
    """Put the witnesses of a diff to the two acquired binaries, and record what their parsers said.

    Asked on the first target that was read of both versions and whose binaries are there. Raises BinaryMissing where
    there is none.
    """
    path = folder.root.diff(before, after, ".trials.json")
    record = trials_of(folder, *unions(folder.root, before, after))
    with _writing(folder, path):
        canonical.write(path, canonical.encode(record))
    return [path]


def trials_of(folder: Folder, before: Surface, after: Surface) -> Trials:
    """The same as a value."""
    calls = witnesses_of(difference(before, after))
    targets, missing = common_targets(before, after), None
    for target in targets:
        try:
            subjects = [subject(folder, one.version, target) for one in (before, after)]
        except BinaryMissing as error:
            missing = missing or error
            continue
        heard = [verdicts(one, read.on((target,)), calls) for one, read in zip(subjects, (before, after), strict=True)]
        return Trials(
            trials_schema_version=1,
            target=target,
            before_sha256=before.binaries[target],
            after_sha256=after.binaries[target],
            trials=tuple(
                Trial(argv=argv, before=then, after=now)
                for argv, then, now in zip(calls, *heard, strict=True)
                if then or now
            ),
        )
    raise missing or BinaryMissing(
        "no target was read of both versions", where=folder.root.diffs, remedy="take a snapshot of each on one target"
    )


def capabilities(folder: Folder, table: Path) -> list[Path]:
    """Write to ``table`` which versions have the guarded units of the wrapper that ``agent.toml`` names."""
    declarations = wrapper(folder.wrapper.name).declarations
    with _writing(folder):
        sightings = Sightings.of(read_timeline(folder.root.timeline))
    found = capabilities_of(declarations, sightings, tool=folder.require_agent().tool)
    canonical.write(table, canonical.encode(found))
    return [table]


def report(folder: Folder, version: str) -> list[Path]:
    """Write all reports of a version, all at once."""
    with _writing(folder, version=version), replacing(folder.root.reports(version)) as reports:
        return write_reports(
            folder.root,
            version,
            generated_at=folder.stamp(version),
            rules_path=folder.rules_path,
            program=folder.program,
            into=reports,
        )


def version_metadata(
    folder: Folder,
    version: str,
    status: Status | None = None,
    validation: Validation | None = None,
    *,
    may_downgrade: bool = False,
) -> list[Path]:
    """Write the version's metadata.

    Without a ``status`` the one that the version has is kept, and one that has none is reported, or only
    snapshotted where no wrapper is compared: a rebuild neither promotes nor demotes. A file that cannot be read
    any more is made anew, unless a pointer relies on the status that it held. Raises StatusDowngrade for a status
    below the one that is recorded, unless that is asked for and no pointer relies on it.
    """
    path = folder.root.metadata(version)
    with _writing(folder, path, version=version):
        existing = _carried_over(folder.root, version)
        known = existing.status if existing else None
        if status is None:
            least = Status.REPORTED if folder.has_wrapper else Status.SNAPSHOTTED
            status = known if known and known.reaches(least) else least
        elif known and not status.reaches(known):
            _refuse_downgrade(folder, version, known, status, asked=may_downgrade)
        content = metadata_bytes(
            folder.root,
            version,
            status,
            folder.rules,
            updated_at=folder.stamp(version),
            existing=existing,
            validation=validation,
        )
        canonical.write(path, content)
    return [path]


def support_matrix(workspace: Path) -> list[Path]:
    """Write the support matrix of all agents in a workspace."""
    with (
        exclusive(workspace, *(root.path for root in agent_roots(workspace))),
        replacing(workspace / MATRIX) as folder,
    ):
        return write_matrix(workspace, folder)


@contextmanager
def _writing(folder: Folder, *outputs: Path, version: str | None = None) -> Iterator[None]:
    """Hold the folder while a stage reads what belongs to a version, and writes ``outputs``."""
    with exclusive(folder.root.path):
        if version is not None:
            refuse_links(folder.root, version)
        for path in outputs:
            canonical.discard_parts(path)
        yield


def _refuse_downgrade(folder: Folder, version: str, known: Status, status: Status, *, asked: bool) -> None:
    pointing = named_by_pointers(folder.root).get(version, ())
    if asked and not pointing:
        return
    raise StatusDowngrade(
        f"{version} is {known}, and would only be {status} after this",
        where=folder.root.metadata(version),
        remedy=f"first point {pointing[0]} elsewhere" if pointing else "say --allow-downgrade if that is meant",
    )


def _carried_over(root: Root, version: str) -> CarriedOver | None:
    """What the metadata that is there hands on; None where there is none, or none that can be read."""
    path = root.metadata(version)
    try:
        return canonical.read(path, CarriedOver) if path.exists() else None
    except ArtifactInvalid as error:
        if version in named_by_pointers(root):
            raise ArtifactInvalid(
                f"{error.problem}; its status, notes and validation cannot be derived, and a pointer relies on them",
                where=path,
                remedy="restore the file from git",
            ) from None
        return None
