"""Checks of pointer files: their form, and that what they name has earned it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pipeline.contract.rules import Rules
from pipeline.layout import in_order, relative
from pipeline.lifecycle.gates import Earned, pointer_obstacle
from pipeline.lifecycle.pointers import NONE, Pointer, is_stable, named_by, pointers, read_pointer
from pipeline.surface.metadata import Status, Validation
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree, Version

# Where the metadata holds what a pointer rests on most.
_RESTS_ON = {"latest_supported": "/coverage/supported_targets", "latest_validated": "/validation/passed_targets"}


class _Supported(msgspec.Struct, frozen=True):
    supported_targets: tuple[str, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    """What pointers rest on."""

    status: Status
    coverage: _Supported | None = None
    validation: Validation | None = None


def file_findings(tree: Tree) -> Iterator[Finding]:
    rules = tree.folder.rules
    for pointer in pointers(tree.root, rules):
        said = read_pointer(pointer.path)
        if said.missing:
            message = f"no such file; write a version or {NONE!r}"
            yield tree.finding("POINTER_MISSING_FILE", pointer.path, message)
        elif said.unreadable:
            yield tree.finding("POINTER_UNREADABLE", pointer.path, str(said.problem))
        elif said.problem:
            message = f"{said.problem}; write one line and a newline"
            yield tree.finding("POINTER_INVALID_FORMAT", pointer.path, message)
        elif said.value == NONE:
            if pointer.target is None and not rules.versioning.pointers.root_pointers_allow_none:
                message = f"{NONE!r} is not allowed by the rules here"
                yield tree.finding("POINTER_INVALID_VALUE", pointer.path, message)
        elif not is_stable(said.value, rules):
            yield tree.finding("POINTER_INVALID_VALUE", pointer.path, f"{said.value!r} is not a stable version")


def agreement_findings(tree: Tree) -> Iterator[Finding]:
    root, rules = tree.root, tree.folder.rules
    latest, least = named_by(root.latest_validated, rules), named_by(root.min_supported, rules)
    twin = root.pointer("latest_validated", rules.union.required_target)
    if latest is not None and latest != named_by(twin, rules) and tree.sound(twin):
        yield tree.finding(
            "POINTER_LATEST_VALIDATED_MISMATCH",
            root.latest_validated,
            f"names {latest}, the required target's pointer names {named_by(twin, rules) or NONE}",
        )
    if latest is not None and least is not None and in_order((least, latest))[0] != least:
        yield tree.finding(
            "POINTER_MIN_SUPPORTED_ABOVE_LATEST_VALIDATED",
            root.min_supported,
            f"names {least}, which is later than the latest validated version, {latest}",
        )


def earned_findings(version: Version) -> Iterator[Finding]:
    """What the pointers that name a version rest on is there."""
    tree, root, name = version.tree, version.root, version.name
    for pointer in tree.pointing.get(name, ()):
        snapshot = root.snapshot(name, pointer.target) if pointer.target else None
        if version.metadata.missing:
            # Of a version that has snapshots, the missing file itself tells enough.
            if not root.snapshots(name).exists():
                message = f"names {name}, of which there is nothing; correct the pointer"
                yield tree.finding("POINTER_REFERENCES_MISSING_VERSION_METADATA", pointer.path, message)
        elif snapshot and not snapshot.exists():
            if tree.sound(snapshot):
                message = f"names {name}, of which there is no snapshot for {pointer.target}"
                yield tree.finding("POINTER_REFERENCES_MISSING_SNAPSHOT", pointer.path, message)
        elif tree.sound(root.metadata(name)) and (known := version.metadata.view(_Metadata)):
            for code, place, lacking in _unearned(pointer, known, tree.folder.rules):
                message = f"{lacking}, and {relative(pointer.path, root.path)} names it"
                yield tree.finding(code, root.metadata(name), message, place)


def _unearned(pointer: Pointer, known: _Metadata, rules: Rules) -> Iterator[tuple[str, str, str]]:
    """(code, JSON pointer, problem) of what a version's metadata lacks for a pointer to it."""
    least = rules.version_metadata.promotion_gate.latest_validated_requires
    if pointer.kind == "latest_validated" and not known.status.reaches(least):
        yield "POINTER_STATUS_TOO_LOW", "/status", f"is {known.status}, and not {least}"
    if pointer.target is not None:
        earned = Earned(
            supported=known.coverage.supported_targets if known.coverage else (),
            passed=(known.validation and known.validation.passed_targets) or (),
            inputs=rules.targets,
        )
        obstacle = pointer_obstacle(pointer.kind, pointer.target, earned, rules)
        if obstacle:
            yield "POINTER_INCONSISTENT_WITH_VERSION_METADATA", _RESTS_ON[pointer.kind], obstacle.problem
