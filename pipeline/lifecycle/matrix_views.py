"""The files of an agent's folder as the support matrix reads them: a few keys of each, whoever wrote it.

Other keys are not looked at. Every reader raises ArtifactError with the file and the place in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline import canonical
from pipeline.contract.rules import read_rules
from pipeline.errors import ArtifactInvalid, ArtifactMissing
from pipeline.layout import Root, in_order, is_target, is_version


class _Binary(msgspec.Struct, frozen=True):
    semantic_version: str | None = None


class _Input(msgspec.Struct, frozen=True):
    target_triple: str
    binary: _Binary = _Binary()


class _Current(msgspec.Struct, frozen=True):
    expected_targets: tuple[str, ...]
    inputs: tuple[_Input, ...] = ()


class _Coverage(msgspec.Struct, frozen=True):
    supported_targets: tuple[str, ...] = ()


class Metadata(msgspec.Struct, frozen=True):
    """``versions/<version>.json``."""

    status: str | None = None
    coverage: _Coverage | None = None

    def supports(self, target: str) -> bool:
        return self.coverage is not None and target in self.coverage.supported_targets


# Only whether a list is empty counts: the entries of a big report are not decoded.
_Entries = tuple[msgspec.Raw, ...]


class _Deltas(msgspec.Struct, frozen=True):
    missing_commands: _Entries
    missing_flags: _Entries
    missing_args: _Entries
    intentionally_unsupported: _Entries = ()
    wrapper_only_commands: _Entries = ()
    wrapper_only_flags: _Entries = ()
    wrapper_only_args: _Entries = ()


class _Upstream(msgspec.Struct, frozen=True):
    targets: tuple[str, ...] = ()


class _Inputs(msgspec.Struct, frozen=True):
    upstream: _Upstream


class _Report(msgspec.Struct, frozen=True):
    inputs: _Inputs
    deltas: _Deltas


class Reported(NamedTuple):
    """What a report found, and the targets that it is about (none stands for all)."""

    targets: tuple[str, ...]
    missing: bool
    waived: bool
    wrapper_only: bool


def read_report(path: Path) -> Reported | None:
    """None if there is no such report."""
    try:
        report = canonical.decode(canonical.read_bytes(path), _Report, path)
    except ArtifactMissing:
        return None
    found = report.deltas
    return Reported(
        targets=report.inputs.upstream.targets,
        missing=any((found.missing_commands, found.missing_flags, found.missing_args)),
        waived=bool(found.intentionally_unsupported),
        wrapper_only=any((found.wrapper_only_commands, found.wrapper_only_flags, found.wrapper_only_args)),
    )


def read_metadata(root: Root) -> dict[str, Metadata]:
    """The metadata of each version that has some, oldest first; a file of another name is no version's."""
    folder = root.path / "versions"
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ArtifactInvalid(f"cannot be listed: {error.strerror}", where=folder) from None
    stems = (name.removesuffix(".json") for name in names if name.endswith(".json"))
    return {
        version: canonical.read(root.metadata(version), Metadata) for version in in_order(filter(is_version, stems))
    }


def read_targets(root: Root) -> tuple[tuple[str, ...], frozenset[tuple[str, str]]]:
    """The expected targets, and as (version, target) those that the snapshots of ``current.json`` leave out.

    They are the rules' while nothing is validated and there is no ``current.json``.
    """
    path = root.current
    try:
        current = canonical.decode(canonical.read_bytes(path), _Current, path)
    except ArtifactMissing:
        return read_rules(root.rules).targets, frozenset()
    remedy = "copy the latest validated union to it"
    targets = current.expected_targets
    if wrong := [one for one in targets if not is_target(one) or targets.count(one) > 1]:
        problem = f"$.expected_targets: {wrong[0]!r} stands there twice or cannot name a file"
        raise ArtifactInvalid(problem, where=path, remedy=remedy)
    versions = {one.binary.semantic_version for one in current.inputs} - {None}
    if len(versions) > 1:
        found = ", ".join(sorted(map(str, versions)))
        raise ArtifactInvalid(f"$.inputs: are of several versions ({found})", where=path, remedy=remedy)
    there = {one.target_triple for one in current.inputs}
    return targets, frozenset((str(version), one) for version in versions for one in targets if one not in there)
