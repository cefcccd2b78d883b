"""Checks of pointer files and of current.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.validate.finding import Finding
from pipeline.validate.tree import NONE, Tree, is_stable, read_pointer, value_at


def file_findings(tree: Tree) -> Iterator[Finding]:
    rules = tree.folder.rules.versioning.pointers
    for _, target, path in tree.pointers():
        if not path.exists():
            yield tree.finding("POINTER_MISSING_FILE", path, f"no such file; write a version or {NONE!r}")
            continue
        value, problem = read_pointer(path)
        if problem:
            yield tree.finding("POINTER_INVALID_FORMAT", path, f"{problem}; write one line and a newline")
        elif value == NONE:
            if target is None and not rules.root_pointers_allow_none:
                yield tree.finding("POINTER_INVALID_VALUE", path, f"{NONE!r} is not allowed by the rules here")
        elif not is_stable(value, rules):
            yield tree.finding("POINTER_INVALID_VALUE", path, f"{value!r} is not a stable version")


def agreement_findings(tree: Tree) -> Iterator[Finding]:
    root, required = tree.folder.root, tree.folder.rules.union.required_target
    latest = tree.named_by(root.latest_validated)
    twin = tree.named_by(root.pointer("latest_validated", required))
    if latest is not None and latest != twin:
        yield tree.finding(
            "POINTER_LATEST_VALIDATED_MISMATCH",
            root.latest_validated,
            f"names {latest}, the required target's pointer names {twin or NONE}",
        )
    for kind, target, path in tree.pointers():
        version = tree.named_by(path) if target else None
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
    needed = ["/coverage/supported_targets"]
    if kind == "latest_validated":
        needed.append("/validation/passed_targets")
    for pointer in needed:
        held = value_at(metadata, pointer)
        if not isinstance(held, list) or target not in held:
            yield pointer


def current_findings(tree: Tree) -> Iterator[Finding]:
    root, rules = tree.folder.root, tree.folder.rules
    latest, current = tree.named_by(root.latest_validated), root.current
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
        elif value_at(inputs[0], "/binary/semantic_version") != latest:
            yield tree.finding(
                "CURRENT_JSON_SEMVER_MISMATCH",
                current,
                f"the required target's version is not {latest}",
                "/inputs/*/binary/semantic_version",
            )
