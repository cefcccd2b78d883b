"""One root under validation. Files are read once; those of a version are forgotten when its checks are over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from pipeline import canonical
from pipeline.contract.exclusions import Identity, Problem
from pipeline.contract.folder import Folder
from pipeline.contract.targets import TargetSet
from pipeline.errors import ArtifactError, ArtifactMissing, FileUnreadable
from pipeline.history import Sightings, Unit
from pipeline.layout import Root, in_order, is_version
from pipeline.lifecycle.pointers import Pointer, is_stable, named_by, pointers
from pipeline.lifecycle.retention import Reasons, reasons
from pipeline.surface.coverage import Level, Manifest
from pipeline.surface.lock import Lock
from pipeline.surface.metadata import Status
from pipeline.surface.timeline import Timeline
from pipeline.validate.finding import Finding
from pipeline.validate.schemas import Judge

T = TypeVar("T")


class Artifact(NamedTuple):
    """One JSON file of the root: its kind, and what it belongs to as far as its place says."""

    kind: str
    path: Path
    version: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """A file as it was read: its bytes and value, or why there are none."""

    raw: bytes = b""
    document: Any = None
    is_canonical: bool = True
    error: ArtifactError | None = None

    @classmethod
    def from_file(cls, path: Path, *, lenient: bool = False) -> Read:
        """``lenient`` accepts keys that stand twice."""
        try:
            raw = canonical.read_bytes(path)
            return cls(raw, *canonical.parse(raw, path, lambda _: lenient))
        except ArtifactError as error:
            return cls(error=error)

    @staticmethod
    def bytes_of(path: Path) -> bytes:
        """A file that is no JSON; b"" if it cannot be read, which no such file is."""
        try:
            return canonical.read_bytes(path)
        except ArtifactError:
            return b""

    @property
    def missing(self) -> bool:
        return isinstance(self.error, ArtifactMissing)

    @property
    def unreadable(self) -> bool:
        return isinstance(self.error, FileUnreadable)

    def view(self, type_: type[T]) -> T | None:
        """The value as a type; None if it does not fit."""
        try:
            return msgspec.convert(self.document, type_)
        except msgspec.ValidationError:
            return None


@dataclass(eq=False)
class Tree:
    """A folder under validation.

    ``exclusion_problems`` are what is wrong with the rules' exclusions. ``found`` are the findings so
    far by file: what is derived from a file that has some would only say the same once more. ``surfaces_seen`` and
    ``unions`` are what was looked through for units, and where.
    """

    folder: Folder
    exclusion_problems: tuple[Problem, ...] = ()
    schema: Path | None = None
    metadata_schema: Path | None = None
    found: dict[str, list[Finding]] = field(default_factory=dict)
    surfaces_seen: int = 0
    unions: list[Path] = field(default_factory=list)
    expected_coverage: bytes | None = None
    expected_timeline: bytes | None = None
    _files: dict[Path, Read] = field(default_factory=dict)

    @property
    def root(self) -> Root:
        return self.folder.root

    def read(self, path: Path) -> Read:
        """A file of the root itself; those of versions are read by ``Version``."""
        if path not in self._files:
            self._files[path] = Read.from_file(path)
        return self._files[path]

    def sound(self, *paths: Path) -> bool:
        """Whether nothing has been found in these files so far."""
        return not any(self._place(path) in self.found for path in paths)

    def found_in(self, path: Path) -> list[Finding]:
        """What has been found in a file so far."""
        return self.found.get(self._place(path), [])

    def finding(self, code: str, path: Path, message: str, pointer: str | None = None) -> Finding:
        return Finding(code=code, path=self._place(path), json_pointer=pointer or None, message=message)

    def _place(self, path: Path) -> str:
        top, text = self._top, str(path)
        place = text[len(top) :].replace(os.sep, "/") if text.startswith(top) else path.name
        # A name that is no text still has to be told.
        return place if place.isascii() else os.fsencode(place).decode("utf-8", "replace")

    @cached_property
    def _top(self) -> str:
        return f"{self.root.path}{os.sep}"

    @cached_property
    def rules(self) -> Read:
        """RULES.json; which of its keys may stand twice was judged when the folder was opened."""
        return Read.from_file(self.folder.rules_path, lenient=True)

    @cached_property
    def schema_paths(self) -> dict[str, Path]:
        """The schema of artifacts and that of version metadata."""
        return {
            "artifacts": self.schema or self.root.schema,
            "metadata": self.metadata_schema or self.root.metadata_schema,
        }

    @cached_property
    def judges(self) -> dict[str, Judge]:
        """The same two schemas, as far as they can be read."""
        read = {kind: self.read(path) for kind, path in self.schema_paths.items()}
        return {kind: Judge(one.document) for kind, one in read.items() if not one.error}

    @cached_property
    def lock(self) -> Lock:
        """The lock; an empty one where there is none, or none that can be read."""
        return self.read(self.root.lock).view(Lock) or Lock(lock_schema_version=1, rows=())

    @cached_property
    def timeline(self) -> Timeline | None:
        """The timeline that lies there; None where there is none, or none that can be read."""
        return self.read(self.root.timeline).view(Timeline)

    @cached_property
    def coverage(self) -> Manifest | None:
        """The wrapper coverage that lies there; None where there is none, or none that can be read."""
        return self.read(self.root.wrapper_coverage).view(Manifest)

    @cached_property
    def targets(self) -> TargetSet:
        return TargetSet(self.folder.rules)

    @cached_property
    def derives(self) -> bool:
        """Whether the tree's rules say how its files are derived.

        Where they do not, people keep the files by hand (the corpus has such a folder), and what a derivation would
        guarantee is not asked of them: order, no unit twice, nothing left over, freshness.
        """
        return self.folder.agent is not None or "sorting" in self.rules.document

    @property
    def tells_surfaces(self) -> bool:
        """Whether the agent's folder says how its versions are asked for more than their command line."""
        return self.folder.agent is not None and self.folder.agent.surfaces is not None

    @cached_property
    def unused(self) -> dict[str, set[Identity]]:
        """Exclusions and waivers that no version seen so far has a unit for, nor one whose snapshots are gone."""
        excluded = {one.identity for one in self.folder.rules.parity_exclusions.units}
        known = Sightings.of(self.timeline) if self.timeline and self.sound(self.root.timeline) else None

        def unknown(unit: Identity) -> bool:
            return known is None or not known.versions(Unit(unit[1], unit[2]))

        return {"exclusion": set(filter(unknown, excluded)), "waiver": set(filter(unknown, self._waivers()))}

    def _waivers(self) -> Iterator[Identity]:
        for command in self.coverage.coverage if self.coverage else ():
            units = [("command", "", command.level)]
            units += [("flag", flag.key, flag.level) for flag in command.flags or ()]
            units += [("arg", arg.name, arg.level) for arg in command.args or ()]
            for kind, key, level in units:
                if level == Level.INTENTIONALLY_UNSUPPORTED:
                    yield kind, command.path, key

    @cached_property
    def pointing(self) -> dict[str, list[Pointer]]:
        """Version → the pointers that name it."""
        found: dict[str, list[Pointer]] = {}
        for pointer in pointers(self.root, self.folder.rules):
            if named := named_by(pointer.path, self.folder.rules):
                found.setdefault(named, []).append(pointer)
        return found

    def versions(self) -> Iterator[Version]:
        """Every version that has snapshots or metadata, or that a pointer names, oldest first."""
        rules, keep = self.folder.rules, self._keep()
        recorded = {path.stem for path in (self.root.path / "versions").glob("*.json") if is_stable(path.stem, rules)}
        for name in in_order(recorded.union(self.pointing, self.root.versions())):
            folders = (self.root.snapshots(name), self.root.reports(name))
            gone = name in recorded and not any(os.path.lexists(folder) for folder in folders)
            yield Version(self, name, pruned=gone and keep is not None and not keep.of(name))

    def _keep(self) -> Reasons | None:
        if self.folder.rules.storage.retention is None:
            return None
        statuses = {}
        for path in sorted((self.root.path / "versions").glob("*.json")):
            if is_version(path.stem) and (known := Read.from_file(path).view(_Recorded)):
                statuses[path.stem] = known.status
        return reasons(self.root, self.folder.rules, statuses)


class _Recorded(msgspec.Struct, frozen=True):
    status: Status


@dataclass(eq=False)
class Version:
    """One version of a tree. A ``pruned`` one has been left to its metadata by retention."""

    tree: Tree
    name: str
    pruned: bool = False
    _files: dict[Path, Read] = field(default_factory=dict)

    @property
    def root(self) -> Root:
        return self.tree.root

    def read(self, path: Path) -> Read:
        if path not in self._files:
            self._files[path] = Read.from_file(path)
        return self._files[path]

    @cached_property
    def union(self) -> Read:
        return self.read(self.root.union(self.name))

    @cached_property
    def metadata(self) -> Read:
        return self.read(self.root.metadata(self.name))

    @cached_property
    def status(self) -> Status | None:
        known = self.metadata.view(_Recorded)
        return known.status if known else None

    @cached_property
    def merged(self) -> list[str]:
        """The expected targets that the union says it was made from."""
        inputs = value_at(self.union.document, "/inputs")
        named = [value_at(one, "/target_triple") for one in inputs] if isinstance(inputs, list) else []
        return [target for target in named if target in self.tree.folder.rules.targets]

    @cached_property
    def complete(self) -> bool:
        return value_at(self.union.document, "/complete") is True

    @cached_property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Every JSON artifact of the version that is there or has to be there."""
        return tuple(self._artifacts())

    def _artifacts(self) -> Iterator[Artifact]:
        root, name = self.root, self.name
        yield Artifact("metadata", root.metadata(name), name)
        if self.pruned:
            return
        for target in sorted({*root.targets(name), *self.merged}):
            yield Artifact("snapshot", root.snapshot(name, target), name, target)
        yield Artifact("union", root.union(name), name)
        for path in sorted(root.reports(name).glob("coverage.*.json")):
            yield Artifact("report", path, name, path.name[len("coverage.") : -len(".json")])


def value_at(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer of a document that may have any shape; None if nothing does."""
    for part in pointer.split("/")[1:]:
        document = document.get(part) if isinstance(document, dict) else None
    return document
