"""Checks of what reports list: nothing excluded or waived counts as missing, and waivers say why, in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from pipeline.contract.exclusions import Identity
from pipeline.surface.coverage import Level
from pipeline.surface.metadata import Status
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Artifact, Version

_MISSING = {"missing_commands": "command", "missing_flags": "flag", "missing_args": "arg"}
_RANK = {"command": 0, "flag": 1, "arg": 2}


class _Delta(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    key: str | None = None
    name: str | None = None
    wrapper_level: str | None = None
    note: str | None = None

    def kind(self) -> str:
        return "flag" if self.key is not None else "arg" if self.name is not None else "command"

    def order(self) -> tuple[int, tuple[str, ...], str]:
        return _RANK[self.kind()], self.path, self.key or self.name or ""


class _Deltas(msgspec.Struct, frozen=True):
    missing_commands: tuple[_Delta, ...] = ()
    missing_flags: tuple[_Delta, ...] = ()
    missing_args: tuple[_Delta, ...] = ()
    intentionally_unsupported: tuple[_Delta, ...] = ()


class _Report(msgspec.Struct, frozen=True):
    deltas: _Deltas


def missing_findings(version: Version) -> Iterator[Finding]:
    """Every report that the version's status and union call for is there, and where they are derived no other is."""
    if version.pruned:
        return
    tree, root, name = version.tree, version.root, version.name
    folder, union = root.reports(name), root.union(name)
    there = {path.name for path in folder.glob("coverage.*") if path.suffix in (".json", ".md")}
    asked = ["any", *version.merged, *(["all"] if version.complete else [])]
    # Markdown is this project's own: a folder of another tool need not have it.
    suffixes = (".json", ".md") if tree.folder.agent else (".json",)
    wanted = {f"coverage.{mode}{suffix}" for mode in asked for suffix in suffixes}
    if there or (version.status and version.status.reaches(Status.REPORTED)):
        for missing in sorted(wanted - there):
            yield tree.finding("REPORT_MISSING", folder / missing, f"no such file; rebuild the reports of {name}")
    if tree.derives and tree.sound(union):
        known = wanted | {name.replace(".json", ".md") for name in wanted}
        for odd in sorted(there - known):
            yield tree.finding("ORPHAN", folder / odd, "answers no question of this version; remove it")


def delta_findings(version: Version) -> Iterator[Finding]:
    tree = version.tree
    excluded = {one.identity for one in tree.folder.rules.parity_exclusions.units}
    for artifact in version.artifacts:
        report = version.read(artifact.path).view(_Report) if artifact.kind == "report" else None
        if report is not None and tree.sound(artifact.path):
            yield from _missing(version, artifact, report.deltas, excluded)
            yield from _waived(version, artifact, report.deltas)


def _missing(version: Version, artifact: Artifact, deltas: _Deltas, excluded: set[Identity]) -> Iterator[Finding]:
    for listed, kind in _MISSING.items():
        for index, one in enumerate(getattr(deltas, listed)):
            pointer = f"/deltas/{listed}/{index}"
            if (kind, one.path, one.key or one.name or "") in excluded:
                code, message = "REPORT_MISSING_INCLUDES_EXCLUDED", "is missing here, and excluded by the rules"
                yield version.tree.finding(code, artifact.path, f"{message}; rebuild the reports", pointer)
            if one.wrapper_level == Level.INTENTIONALLY_UNSUPPORTED:
                code = "REPORT_MISSING_INCLUDES_INTENTIONALLY_UNSUPPORTED"
                message = "is missing here, and waived by the wrapper; rebuild the reports"
                yield version.tree.finding(code, artifact.path, message, pointer)


def _waived(version: Version, artifact: Artifact, deltas: _Deltas) -> Iterator[Finding]:
    place, waived = "/deltas/intentionally_unsupported", deltas.intentionally_unsupported
    for index, one in enumerate(waived):
        if one.wrapper_level != Level.INTENTIONALLY_UNSUPPORTED:
            message = f"stands among the waived units as {one.wrapper_level}; rebuild the reports"
            pointer = f"{place}/{index}/wrapper_level"
            yield version.tree.finding("REPORT_IU_NOTE_MISSING", artifact.path, message, pointer)
        if not (one.note or "").strip():
            message = "is waived without a note; say why in the wrapper, and rebuild the reports"
            yield version.tree.finding("REPORT_IU_NOTE_MISSING", artifact.path, message, f"{place}/{index}/note")
    if any(later.order() < one.order() for one, later in pairwise(waived)):
        message = "is not in order (commands, flags, args; each by path, then key or name); rebuild the reports"
        yield version.tree.finding("REPORT_IU_NOT_SORTED", artifact.path, message, place)
