"""Which versions' snapshots, reports and diffs stay in the tree, and why.

Kept are the last N versions that were validated or supported (``storage.retention`` of the rules), every version
that a pointer or the description of a foreign wrapper names, and work in progress: whatever is newer than the last
validated version. The metadata of a version is a record and stays in any case.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pipeline import canonical
from pipeline.contract.rules import Rules
from pipeline.errors import ArtifactInvalid, RulesInvalid
from pipeline.history.diffs import diff_files
from pipeline.layout import Root, in_order, is_version, relative
from pipeline.lifecycle.pointers import named_by_pointers, pointer_files, read_pointer
from pipeline.surface.metadata import Status
from pipeline.trace.described import named_by_wrappers, read_described


class _Recorded(msgspec.Struct, frozen=True):
    """All that retention asks of a version's metadata."""

    status: Status


@dataclass(frozen=True, slots=True)
class Retention:
    """Version → why it is kept, and the versions that are not; both oldest first.

    Only versions that have snapshots or reports are listed.
    """

    keep: Mapping[str, tuple[str, ...]]
    delete: tuple[str, ...]

    def listing(self, *, applied: bool) -> str:
        """The two lists as text, one version a line."""
        lines = [f"apply: {str(applied).lower()}"]
        for name, versions in (("keep_versions", self.keep), ("delete_versions", self.delete)):
            lines += [f"{name}:", *(f"  {version}" for version in versions)]
        return "\n".join((*lines, ""))

    def json(self, *, applied: bool) -> bytes:
        """The same with the reasons, as canonical JSON."""
        kept = [{"version": version, "reasons": list(why)} for version, why in self.keep.items()]
        return canonical.encode({"apply": applied, "keep_versions": kept, "delete_versions": list(self.delete)})


@dataclass(slots=True)
class Reasons:
    """Why a version is kept; asked for versions that have files or not."""

    _named: tuple[Mapping[str, tuple[str, ...]], ...]
    _window: frozenset[str]
    _newest: str | None
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, version: str) -> tuple[str, ...]:
        """The reasons, the files that name it first; none for a version that retention deletes."""
        if version not in self._known:
            self._known[version] = tuple(self._find(version))
        return self._known[version]

    def _find(self, version: str) -> Iterator[str]:
        for by_files in self._named:
            yield from by_files.get(version, ())
        if version in self._window:
            yield "among the last validated"
        if self._newest is None or in_order((self._newest, version))[-1] != self._newest:
            yield "work in progress"


def reasons(root: Root, rules: Rules, statuses: Mapping[str, Status]) -> Reasons | None:
    """Who is kept, given the status of each version that has one; None where the rules let nothing be deleted."""
    if rules.storage.retention is None:
        return None
    earned = in_order(version for version, status in statuses.items() if status.reaches(Status.VALIDATED))
    window = earned[-rules.storage.retention.keep_last_validated :]
    named = (named_by_pointers(root), named_by_wrappers(root))
    return Reasons(named, frozenset(window), window[-1] if window else None)


def plan(root: Root, rules: Rules) -> Retention:
    """Judge every version that has snapshots or reports.

    Raises RulesInvalid if the rules say nothing of retention, ArtifactInvalid if the metadata of a version or a pointer
    cannot be read (what cannot be judged is not deleted).
    """
    for path in pointer_files(root):
        said = read_pointer(path)
        if said.unreadable:
            raise _unjudgeable(path, str(said.problem))
    for name in root.wrapper_names():
        try:
            read_described(root.wrapper(name).description)
        except (ArtifactInvalid, RulesInvalid) as error:
            raise _unjudgeable(root.wrapper(name).description, error.problem) from None
    why = reasons(root, rules, recorded_statuses(root))
    if why is None:
        raise RulesInvalid(
            "$.storage.retention: is not there",
            where=root.rules,
            remedy="say how many validated versions are kept, in $.storage.retention.keep_last_validated",
        )
    there = in_order({folder.name for folder in _folders(root)})
    keep = {version: found for version in there if (found := why.of(version))}
    return Retention(keep, tuple(version for version in there if version not in keep))


def recorded_statuses(root: Root) -> dict[str, Status]:
    """Version → status, of every version that has metadata. Raises ArtifactInvalid."""
    found = {}
    for path in sorted((root.path / "versions").glob("*.json")):
        if is_version(path.stem):
            try:
                found[path.stem] = canonical.read(path, _Recorded).status
            except ArtifactInvalid as error:
                raise _unjudgeable(path, error.problem) from None
    return found


def _unjudgeable(path: Path, problem: str) -> ArtifactInvalid:
    return ArtifactInvalid(
        f"{problem}; without it nobody can say what may be deleted", where=path, remedy="restore the file from git"
    )


def prune(root: Root, retention: Retention) -> list[str]:
    """Delete the snapshots, reports and diffs of what is not kept; returns what is gone, relative to the root."""
    deleted = set(retention.delete)
    gone = [path for path, versions in diff_files(root) if versions and deleted.intersection(versions)]
    for path in gone:
        path.unlink()
    folders = [folder for folder in _folders(root) if folder.name in deleted]
    for folder in folders:
        shutil.rmtree(folder)
    gone += folders
    return [relative(folder, root.path) for folder in gone]


def _folders(root: Root) -> Iterator[Path]:
    """The folders of versions that retention is about; a link is nobody's to delete."""
    for parent in (root.path / "reports", root.path / "snapshots"):
        if parent.is_dir() and not parent.is_symlink():
            with os.scandir(parent) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
            yield from (parent / name for name in names if is_version(name))
