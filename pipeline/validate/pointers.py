"""Checks of pointer files and of current.json."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.layout import POINTERS
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Tree

NONE = "none"


def pointer_files(tree: Tree) -> Iterator[tuple[str, str | None, Path]]:
    """(kind, target, path) of every pointer that has to be there; target None for the root's two."""
    root = tree.folder.root
    yield "min_supported", None, root.min_supported
    yield "latest_validated", None, root.latest_validated
    for kind in POINTERS:
        for target in tree.folder.rules.targets:
            yield kind, target, root.pointer(kind, target)


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


def _version(tree: Tree, path: Path) -> str | None:
    """The version that a well-formed pointer names; None for ``none`` and for a broken one."""
    value, _ = read_pointer(path)
    stable = tree.folder.rules.versioning.pointers.stable_semver_pattern
    return value if value and value != NONE and re.search(stable, value) else None


def file_findings(tree: Tree) -> Iterator[Finding]:
    rules = tree.folder.rules.versioning.pointers
    for _, target, path in pointer_files(tree):
        if not path.exists():
            yield tree.finding("POINTER_MISSING_FILE", path, f"no such file; write a version or {NONE!r}")
            continue
        value, problem = read_pointer(path)
        if problem:
            yield tree.finding("POINTER_INVALID_FORMAT", path, f"{problem}; write one line and a newline")
        elif value == NONE:
            if target is None and not rules.root_pointers_allow_none:
                yield tree.finding("POINTER_INVALID_VALUE", path, f"{NONE!r} is not allowed by the rules here")
        elif not re.search(rules.stable_semver_pattern, value or ""):
            yield tree.finding("POINTER_INVALID_VALUE", path, f"{value!r} is not a stable version")


def agreement_findings(tree: Tree) -> Iterator[Finding]:
    root, required = tree.folder.root, tree.folder.rules.union.required_target
    latest = _version(tree, root.latest_validated)
    twin = _version(tree, root.pointer("latest_validated", required))
    if latest is not None and latest != twin:
        yield tree.finding(
            "POINTER_LATEST_VALIDATED_MISMATCH",
            root.latest_validated,
            f"names {latest}, the required target's pointer names {twin or NONE}",
        )
    for kind, target, path in pointer_files(tree):
        version = _version(tree, path) if target else None
        metadata = tree.document(root.metadata(version)) if version else None
        if version and isinstance(metadata, dict):
            for pointer in _unearned(metadata, kind, target):
                yield tree.finding(
                    "POINTER_INCONSISTENT_WITH_VERSION_METADATA",
                    root.metadata(version),
                    f"does not hold {target}, which pointers/{kind}/{target}.txt relies on",
                    pointer,
                )


def _unearned(metadata: dict[str, Any], kind: str, target: str | None) -> Iterator[str]:
    if target not in (metadata.get("coverage") or {}).get("supported_targets", ()):
        yield "/coverage/supported_targets"
    if kind == "latest_validated" and target not in (metadata.get("validation") or {}).get("passed_targets", ()):
        yield "/validation/passed_targets"


def current_findings(tree: Tree) -> Iterator[Finding]:
    root, rules = tree.folder.root, tree.folder.rules
    latest, current = _version(tree, root.latest_validated), root.current
    if latest is None:
        if current.exists():
            yield tree.finding(
                "CURRENT_UNEXPECTED", current, "no version is validated yet, so there is nothing it could be"
            )
        elif not rules.versioning.pointers.root_pointers_allow_none:
            yield tree.finding("CURRENT_MISSING", current, "no such file; copy the latest validated union to it")
        return
    if not current.exists():
        yield tree.finding("CURRENT_MISSING", current, f"no such file; copy the union of {latest} to it")
        return
    union = root.union(latest)
    if union.exists() and union.read_bytes() != current.read_bytes():
        yield tree.finding(
            "CURRENT_JSON_NOT_EQUAL_UNION", current, f"differs from the union of {latest}; copy that one to it"
        )
    document = tree.document(current)
    if isinstance(document, dict) and isinstance(document.get("inputs"), list):
        required = rules.union.required_target
        inputs = [one for one in document["inputs"] if isinstance(one, dict) and one.get("target_triple") == required]
        if not inputs:
            yield tree.finding(
                "CURRENT_JSON_MISSING_REQUIRED_TARGET", current, f"has no input of {required}", "/inputs"
            )
        elif (inputs[0].get("binary") or {}).get("semantic_version") != latest:
            yield tree.finding(
                "CURRENT_JSON_SEMVER_MISMATCH",
                current,
                f"the required target's version is not {latest}",
                "/inputs/*/binary/semantic_version",
            )
