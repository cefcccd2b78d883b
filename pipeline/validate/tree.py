"""One root, read once for all checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.folder import Folder
from pipeline.errors import ArtifactError, ArtifactMissing
from pipeline.layout import is_version, relative, version_key
from pipeline.validate.finding import Finding

PREFIX = {
    "snapshot": "SNAPSHOT",
    "union": "UNION",
    "report": "REPORT",
    "wrapper_coverage": "WRAPPER_COVERAGE",
    "metadata": "VERSION_METADATA",
    "current": "CURRENT",
}


class Artifact(NamedTuple):
    """One JSON file of the root: its kind, and what it belongs to as far as its place says."""

    kind: str
    path: Path
    version: str | None = None
    target: str | None = None


@dataclass(slots=True)
class Tree:
    """A folder under validation. Files are read when a check first asks, and once."""

    folder: Folder
    schema: Json
    metadata_schema: Json
    _read: dict[Path, tuple[bytes, Any] | ArtifactError] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Folder, schema: Path | None = None, metadata_schema: Path | None = None) -> Tree:
        """Raises ArtifactMissing or ArtifactInvalid if a schema cannot be read: nothing could be judged then."""
        return cls(
            folder,
            canonical.read_json(schema or folder.root.schema),
            canonical.read_json(metadata_schema or folder.root.metadata_schema),
        )

    def versions(self) -> list[str]:
        """Every version that has a snapshot folder or metadata, oldest first."""
        named = {path.stem for path in (self.folder.root.path / "versions").glob("*.json") if is_version(path.stem)}
        return sorted(named.union(self.folder.root.versions()), key=version_key)

    def artifacts(self) -> Iterator[Artifact]:
        """Every JSON artifact that is there or has to be there."""
        root = self.folder.root
        for version in self.versions():
            for target in root.targets(version):
                yield Artifact("snapshot", root.snapshot(version, target), version, target)
            yield Artifact("union", root.union(version), version)
            for path in sorted(root.reports(version).glob("coverage.*.json")):
                yield Artifact("report", path, version, path.name[len("coverage.") : -len(".json")])
            yield Artifact("metadata", root.metadata(version), version)
        yield Artifact("wrapper_coverage", root.wrapper_coverage)
        if root.current.exists():
            yield Artifact("current", root.current)

    def raw(self, path: Path) -> bytes | None:
        """The file's bytes; None if it cannot be read as JSON (which the schema check reports)."""
        found = self._load(path)
        return None if isinstance(found, ArtifactError) else found[0]

    def document(self, path: Path) -> Any:
        """The parsed file; None if it cannot be read as JSON."""
        found = self._load(path)
        return None if isinstance(found, ArtifactError) else found[1]

    def problem(self, path: Path) -> ArtifactError | None:
        found = self._load(path)
        return found if isinstance(found, ArtifactError) else None

    def missing(self, path: Path) -> bool:
        return isinstance(self.problem(path), ArtifactMissing)

    def _load(self, path: Path) -> tuple[bytes, Any] | ArtifactError:
        if path not in self._read:
            try:
                raw = canonical.read_bytes(path)
                self._read[path] = raw, canonical.loads(raw, path)
            except ArtifactError as error:
                self._read[path] = error
        return self._read[path]

    def finding(self, code: str, path: Path, message: str, pointer: str | None = None) -> Finding:
        return Finding(
            code=code, path=relative(path, self.folder.root.path), json_pointer=pointer or None, message=message
        )
