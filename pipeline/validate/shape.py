"""Checks of single files: schema, canonical bytes, names, rules."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline import canonical
from pipeline.contract.rules import unhonoured_keys
from pipeline.validate.finding import Finding
from pipeline.validate.schemas import DEFINITIONS, Judge
from pipeline.validate.tree import PREFIX, Artifact, Tree, value_at


def schema_findings(tree: Tree) -> Iterator[Finding]:
    judges = {kind: Judge(tree.schema, kind) for kind in DEFINITIONS}
    judges["current"] = judges["union"]
    judges["metadata"] = Judge(tree.metadata_schema)
    for artifact in tree.artifacts():
        prefix, problem = PREFIX[artifact.kind], tree.problem(artifact.path)
        if tree.missing(artifact.path):
            yield tree.finding(f"{prefix}_MISSING", artifact.path, "no such file; run the stage that writes it")
        elif problem:
            yield tree.finding(f"{prefix}_INVALID_JSON", artifact.path, problem.problem)
        else:
            for pointer, message in judges[artifact.kind].violations(tree.document(artifact.path)):
                yield tree.finding(f"{prefix}_SCHEMA_INVALID", artifact.path, message, pointer)


def canonical_findings(tree: Tree) -> Iterator[Finding]:
    for artifact in tree.artifacts():
        raw = tree.raw(artifact.path)
        if raw is not None and canonical.encode(tree.document(artifact.path)) != raw:
            yield tree.finding(
                "NOT_CANONICAL",
                artifact.path,
                "not in canonical form (UTF-8, LF, two-space indent, one final newline); rebuild it",
            )


def name_findings(tree: Tree) -> Iterator[Finding]:
    for artifact in tree.artifacts():
        document = tree.document(artifact.path)
        if isinstance(document, dict):
            for pointer, expected in _named(artifact):
                found = value_at(document, pointer)
                if found != expected:
                    yield tree.finding(
                        "NAME_MISMATCH", artifact.path, f"is {found!r}, the file's place says {expected!r}", pointer
                    )


def _named(artifact: Artifact) -> Iterator[tuple[str, str]]:
    """What the place of a file says of its content: (JSON pointer, value)."""
    version, target = artifact.version or "", artifact.target or ""
    if artifact.kind == "snapshot":
        yield "/binary/semantic_version", version
        yield "/binary/target_triple", target
    elif artifact.kind == "report":
        yield "/inputs/upstream/semantic_version", version
        if target in ("any", "all"):
            yield "/platform_filter/mode", target
        else:
            yield "/platform_filter/target_triple", target
    elif artifact.kind == "metadata":
        yield "/semantic_version", version


def rule_findings(tree: Tree) -> Iterator[Finding]:
    path = tree.folder.rules_path
    document = canonical.loads(canonical.read_bytes(path), path, may_repeat=lambda _: True)
    for place in unhonoured_keys(document):
        pointer = place.removeprefix("$").replace("[", "/").replace("]", "").replace(".", "/")
        yield Finding(
            code="RULE_NOT_HONOURED",
            severity="warning",
            path=path.name,
            json_pointer=pointer,
            message="no stage honours this key; remove it, or it only decorates",
        )
