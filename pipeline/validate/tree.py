"""One root, read once for all checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.folder import Folder
from pipeline.contract.rules import PointerRules
from pipeline.errors import ArtifactError, ArtifactMissing
from pipeline.layout import POINTERS, in_order, is_target, is_version, relative
from pipeline.surface.lock import Lock
from pipeline.validate.finding import Finding

NONE = "none"

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
    lock: Lock
    _read: dict[Path, tuple[bytes, Any] | ArtifactError] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Folder, schema: Path | None = None, metadata_schema: Path | None = None) -> Tree:
        """Raises ArtifactMissing or ArtifactInvalid if a schema or the lock cannot be read: nothing could be judged."""
        return cls(
            folder,
            canonical.read_json(schema or folder.root.schema),
            canonical.read_json(metadata_schema or folder.root.metadata_schema),
            folder.lock(),
        )

    def versions(self) -> list[str]:
        """Every version that has a snapshot folder or metadata, or that a pointer names, oldest first."""
        root = self.folder.root
        found = {path.stem for path in (root.path / "versions").glob("*.json") if is_version(path.stem)}
        found.update(version for _, _, path in self.pointers() if (version := self.named_by(path)))
        return in_order(found.union(root.versions()))

    def pointers(self) -> Iterator[tuple[str, str | None, Path]]:
        """(kind, target, path) of every pointer that has to be there; target None for the root's two."""
        root = self.folder.root
        yield "min_supported", None, root.min_supported
        yield "latest_validated", None, root.latest_validated
        for kind in POINTERS:
            for target in self.folder.rules.targets:
                yield kind, target, root.pointer(kind, target)

    def named_by(self, pointer: Path) -> str | None:
        """The version that a well-formed pointer file names; None for ``none`` and for a broken one."""
        value, _ = read_pointer(pointer)
        return value if value != NONE and is_stable(value, self.folder.rules.versioning.pointers) else None

    def artifacts(self) -> Iterator[Artifact]:
        """Every JSON artifact that is there or has to be there."""
        root = self.folder.root
        for version in self.versions():
            for target in sorted({*root.targets(version), *self._merged(version)}):
                yield Artifact("snapshot", root.snapshot(version, target), version, target)
            yield Artifact("union", root.union(version), version)
            for path in sorted(root.reports(version).glob("coverage.*.json")):
                yield Artifact("report", path, version, path.name[len("coverage.") : -len(".json")])
            yield Artifact("metadata", root.metadata(version), version)
        if self.folder.has_wrapper or root.wrapper_coverage.exists():
            yield Artifact("wrapper_coverage", root.wrapper_coverage)
        if root.current.exists():
            yield Artifact("current", root.current)

    def _merged(self, version: str) -> Iterator[str]:
        """The targets whose snapshots the version's union says that it was made from."""
        inputs = value_at(self.document(self.folder.root.union(version)), "/inputs")
        for one in inputs if isinstance(inputs, list) else ():
            target = value_at(one, "/target_triple")
            if is_target(target):
                yield target

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


def value_at(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer of a document that may have any shape; None if nothing does."""
    for part in pointer.split("/")[1:]:
        document = document.get(part) if isinstance(document, dict) else None
    return document


def read_pointer(path: Path) -> tuple[str | None, str | None]:
    """(value, problem): the one line of a pointer file, or what is wrong with its form."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return None, "is not UTF-8"
    value = text.removesuffix("\n")
    if not text.endswith("\n"):
        return None, "has no final newline"
    if "\n" in value or "\r" in value:
        return None, "holds more than one line, or a carriage return"
    if value != value.strip():
        return None, "has blanks around its value"
    return value, None


def is_stable(value: str | None, rules: PointerRules) -> bool:
    """Whether a pointer may name this version."""
    return value is not None and is_version(value) and bool(re.search(rules.stable_semver_pattern, value))
