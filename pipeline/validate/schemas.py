"""JSON Schemas: generated from the artifact types, and used to judge files by the right definition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.layout import Root
from pipeline.validate.finding import escaped

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# The definition that judges each kind of artifact: ours, then the name in the earlier tool's schemas.
DEFINITIONS = {
    "snapshot": ("Snapshot", "UpstreamSnapshotV1"),
    "union": ("Union", "UpstreamSnapshotUnionV2"),
    "wrapper_coverage": ("WrapperCoverage", "WrapperCoverageV1"),
    "report": ("Report", "CoverageReportV1"),
}


def schema_bytes(title: str) -> bytes:
    """``SCHEMA.json`` of an agent: the shapes of snapshots, unions, timeline, diffs, wrapper coverage and reports."""
    from pipeline.surface.coverage import WrapperCoverage
    from pipeline.surface.diff import Diff, Trials
    from pipeline.surface.report import Report
    from pipeline.surface.snapshot import Snapshot
    from pipeline.surface.timeline import Timeline
    from pipeline.surface.union import Union

    return generate(f"{title} parity artifacts", (Snapshot, Union, Timeline, Diff, Trials, WrapperCoverage, Report))


def metadata_schema_bytes(title: str) -> bytes:
    """``VERSION_METADATA_SCHEMA.json`` of an agent."""
    from pipeline.surface.metadata import VersionMetadata

    return generate(f"{title} version metadata", (VersionMetadata,))


def write_schemas(root: Root, title: str) -> None:
    canonical.write(root.schema, schema_bytes(title))
    canonical.write(root.metadata_schema, metadata_schema_bytes(title))


def generate(title: str, shapes: tuple[type[msgspec.Struct], ...]) -> bytes:
    """The JSON Schema of documents that have one of these shapes, in canonical bytes."""
    references, definitions = msgspec.json.schema_components(shapes, ref_template="#/$defs/{name}")
    top: Json = dict(references[0]) if len(references) == 1 else {"oneOf": list(references)}
    document = {"$schema": DIALECT, "title": title, **top, "$defs": definitions}
    return canonical.encode(_without_null_defaults(document))


def _without_null_defaults(value: Any) -> Any:
    """The types say "absent" with None; in a file an optional key is absent, and null is not allowed."""
    if isinstance(value, list):
        return [_without_null_defaults(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_null_defaults(one) for key, one in value.items() if not (key == "default" and one is None)}
    options = kept.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        rest = [one for one in options if one != {"type": "null"}]
        if len(rest) == 1:
            del kept["anyOf"]
            kept = {**rest[0], **kept}
        else:
            kept["anyOf"] = rest
    return kept


# A message that quotes a whole document helps nobody.
_LONG = 300


class Judge:
    """One schema. A compiled validator decides; the reference one is asked for its words when that denies.

    ``problem`` is (JSON pointer, message) of what keeps the document from being a schema that can be used: then
    everything fits. Offline: a schema that refers to something outside itself is a broken one.
    """

    def __init__(self, schema: Any) -> None:
        self.problem: tuple[str, str] | None = None
        self._schema = {key: value for key, value in schema.items() if key != "$id"} if isinstance(schema, dict) else {}
        if not isinstance(schema, dict):
            self.problem = "", "is no JSON object"
            return
        try:
            self._compiled = jsonschema_rs.Draft202012Validator(self._schema, retriever=_offline)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            place = "".join(map(escaped, getattr(error, "instance_path", ())))
            self.problem = place, str(getattr(error, "message", error)).partition("\n")[0][:_LONG]

    def violations(self, kind: str, document: Any) -> Iterator[tuple[str, str]]:
        """(JSON pointer, message) of each violation, in document order."""
        # What the schema as a whole accepts is of one kind, and says of which.
        if self.problem or (self._compiled.is_valid(document) and kind in ("metadata", _kind_of(document))):
            return
        for error in _reference(self._definition(kind)).iter_errors(document):
            pointer = "".join(map(escaped, error.absolute_path))
            yield pointer, error.message if len(error.message) < _LONG else f"does not fit {error.validator}"

    def fits_as_another(self, kind: str, document: Any) -> bool:
        """Whether the schema as a whole accepts a document that is not of the kind that its place asks for."""
        return _kind_of(document) != kind and not self.problem and bool(self._compiled.is_valid(document))

    def _definition(self, kind: str) -> Json:
        """The schema's definition of a kind; the schema as a whole if it has none."""
        definitions = self._schema.get("$defs", {})
        for name in DEFINITIONS.get(kind, ()):
            if name in definitions:
                return {"$schema": DIALECT, "$ref": f"#/$defs/{name}", "$defs": definitions}
        return self._schema


def _kind_of(document: Any) -> str | None:
    """The kind of artifact that a document says it is."""
    said = document if isinstance(document, dict) else {}
    if "snapshot_schema_version" in said:
        return "union" if said["snapshot_schema_version"] == _UNION else "snapshot"
    return "report" if "deltas" in said else "wrapper_coverage" if "coverage" in said else None


_UNION = 2


def _offline(uri: str) -> Json:
    raise ValueError(f"{uri} is not part of the schema")


def _reference(schema: Json) -> Any:
    # Its import costs more than all the judging of a valid tree.
    import jsonschema
    import referencing

    return jsonschema.Draft202012Validator(schema, registry=referencing.Registry())
