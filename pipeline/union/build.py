"""Which snapshots go into a union, and the document around the merged commands."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.contract.rules import Rules
from pipeline.errors import IdentityMismatch, RequiredTargetMissing
from pipeline.layout import Root
from pipeline.surface.union import UnionInput
from pipeline.surface.units import fields_of
from pipeline.union.conflicts import Evidence
from pipeline.union.merge import Merge
from pipeline.union.read import Reader, Source
from pipeline.union.surfaces import merged_surfaces


def write_union(root: Root, version: str, rules: Rules, *, collected_at: str, tool: str | None = None) -> Path:
    """Write ``snapshots/<version>/union.json`` and return its path (see ``union_bytes`` for errors)."""
    path = root.union(version)
    canonical.write(path, _pieces(root, version, rules, collected_at, tool))
    return path


def union_bytes(root: Root, version: str, rules: Rules, *, collected_at: str, tool: str | None = None) -> bytes:
    """Read the snapshots of ``version`` below ``root`` and return the canonical bytes of their union.

    ``tool`` is the tool that every snapshot must name; without it, the one that they agree on counts.
    Raises RequiredTargetMissing, IdentityMismatch, ArtifactInvalid; snapshots of targets that the rules do
    not expect are left out.
    """
    return b"".join(_pieces(root, version, rules, collected_at, tool))


@canonical.no_collector_pauses()
def _pieces(root: Root, version: str, rules: Rules, collected_at: str, tool: str | None) -> list[bytes]:
    reader = Reader()
    sources = {
        target: reader.read(path) for target in rules.targets if (path := root.snapshot(version, target)).exists()
    }
    return canonical.encode_pieces(build_union(sources, root, version, rules, collected_at=collected_at, tool=tool))


def build_union(
    sources: dict[str, Source], root: Root, version: str, rules: Rules, *, collected_at: str, tool: str | None = None
) -> Json:
    """Merge snapshots (target → source, in expected order) into a union document for ``canonical.encode``."""
    required = rules.union.required_target
    if required not in sources:
        raise RequiredTargetMissing(
            f"the snapshot of the required target {required} is missing",
            where=root.snapshot(version, required),
            remedy="take the snapshot of that target first, or require another target in RULES.json",
        )
    tool = tool or sources[required].head["tool"]
    for target, source in sources.items():
        _check_identity(source, target, version, tool, rules)

    _check_same_reader(sources)
    missing = [target for target in rules.targets if target not in sources]
    document: Json = {
        "snapshot_schema_version": 2,
        "tool": tool,
        "mode": "union",
        "collected_at": collected_at,
        "expected_targets": list(rules.targets),
        "complete": not missing,
    }
    if missing:
        document["missing_targets"] = missing
    document["inputs"] = [_input(source, target) for target, source in sources.items()]
    if (surfaces := merged_surfaces(sources, required)) is not None:
        document["surfaces"] = surfaces
    commands = Merge(sources, rules, Evidence(root, version, sources)).commands()
    # Encoded while they are made: holding all of them as objects first costs half as much again.
    batches = iter(lambda: list(islice(commands, 100)), [])
    document["commands"] = [canonical.splice(batch, 2) for batch in batches]
    return document


def _check_identity(source: Source, target: str, version: str, tool: str, rules: Rules) -> None:
    def refuse(place: str, found: object, expected: str, remedy: str) -> None:
        raise IdentityMismatch(f"{place} is {found!r}, expected {expected!r}", where=source.path, remedy=remedy)

    binary = source.head["binary"]
    found = binary.get("semantic_version")
    if rules.union.require_same_tool and source.head["tool"] != tool:
        refuse("$.tool", source.head["tool"], tool, "put the snapshot below the root of its own tool")
    if rules.union.require_semantic_version and found is None:
        refuse("$.binary.semantic_version", None, version, "take the snapshot again from a binary that prints one")
    if rules.union.require_same_semantic_version and found != version:
        refuse("$.binary.semantic_version", found, version, "move the snapshot to the folder of its own version")
    if binary["target_triple"] != target:
        refuse("$.binary.target_triple", binary["target_triple"], target, "name the file after the target it is of")


def _check_same_reader(sources: dict[str, Source]) -> None:
    """Two revisions of a parser may read one page as two surfaces, which are no difference between targets."""
    readers = {target: source.head.get("generator") for target, source in sources.items()}
    (first, expected), *others = readers.items()
    for target, reader in others:
        if reader != expected:
            raise IdentityMismatch(
                f"$.generator is {_spelled(reader)}, that of {first} is {_spelled(expected)}",
                where=sources[target].path,
                remedy="take the older snapshot again with this version: one parser must have read them all",
            )


def _spelled(generator: Json | None) -> str:
    return " ".join(f"{key} {value}" for key, value in generator.items()) if generator else "not stated"


def _input(source: Source, target: str) -> Json:
    found: Json = {**source.head, "target_triple": target}
    if source.sha256:
        found["snapshot_sha256"] = source.sha256
    if "features" in found:
        found["features"] = canonical.sorted_keys(found["features"])
    return {key: found[key] for key in fields_of(UnionInput) if key in found}
