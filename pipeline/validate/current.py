"""Checks of current.json: the union of the latest validated version, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.lifecycle.pointers import named_by
from pipeline.validate.finding import Finding
from pipeline.validate.tree import Read, Tree, value_at


def findings(tree: Tree) -> Iterator[Finding]:
    root, rules = tree.root, tree.folder.rules
    latest, current = named_by(root.latest_validated, rules), tree.read(root.current)
    if latest is None:
        if not tree.sound(root.latest_validated):
            return  # nobody knows what it should be a copy of
        if not current.missing:
            message = "no version is validated yet, so there is nothing it could be"
            yield tree.finding("CURRENT_UNEXPECTED", root.current, message)
        elif not rules.versioning.pointers.root_pointers_allow_none:
            message = "no such file; copy the latest validated union to it"
            yield tree.finding("CURRENT_MISSING", root.current, message)
        return
    if current.missing:
        message = f"no such file; copy the union of {latest} to it"
        yield tree.finding("CURRENT_MISSING", root.current, message)
        return
    if current.error or any(one.code == "CURRENT_SCHEMA_INVALID" for one in tree.found_in(root.current)):
        return  # that it differs from the union goes without saying
    union = Read.bytes_of(root.union(latest))
    if union and union != current.raw:
        message = f"differs from the union of {latest}; copy that one to it"
        yield tree.finding("CURRENT_JSON_NOT_EQUAL_UNION", root.current, message)
    yield from _about(tree, current, latest)


def _about(tree: Tree, current: Read, latest: str) -> Iterator[Finding]:
    required, path = tree.folder.rules.union.required_target, tree.root.current
    inputs = value_at(current.document, "/inputs")
    listed = inputs if isinstance(inputs, list) else ()
    of_required = [one for one in listed if value_at(one, "/target_triple") == required]
    if not of_required:
        message = f"has no input of {required}"
        yield tree.finding("CURRENT_JSON_MISSING_REQUIRED_TARGET", path, message, "/inputs")
    elif value_at(of_required[0], "/binary/semantic_version") != latest:
        message = f"the required target's version is not {latest}"
        yield tree.finding("CURRENT_JSON_SEMVER_MISMATCH", path, message, "/inputs/*/binary/semantic_version")
