"""JSON Schemas: generated from the artifact types, and used to judge files by the right definition."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.layout import Root
from pipeline.surface.coverage import WrapperCoverage
from pipeline.surface.metadata import VersionMetadata
from pipeline.surface.report import Report
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.union import Union
from pipeline.surface.units import Shape

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# The definition that judges each kind of artifact: ours, then the name in the earlier tool's schemas.
DEFINITIONS = {
    "snapshot": ("Snapshot", "UpstreamSnapshotV1"),
    "union": ("Union", "UpstreamSnapshotUnionV2"),
    "wrapper_coverage": ("WrapperCoverage", "WrapperCoverageV1"),
    "report": ("Report", "CoverageReportV1"),
}


def schema_bytes(title: str) -> bytes:
    """``SCHEMA.json`` of an agent: the shapes of snapshots, unions, wrapper coverage and reports."""
    return _generate(f"{title} parity artifacts", (Snapshot, Union, WrapperCoverage, Report))


def metadata_schema_bytes(title: str) -> bytes:
    """``VERSION_METADATA_SCHEMA.json`` of an agent."""
    return _generate(f"{title} version metadata", (VersionMetadata,))


def write_schemas(root: Root, title: str) -> None:
    canonical.write(root.schema, schema_bytes(title))
    canonical.write(root.metadata_schema, metadata_schema_bytes(title))


def _generate(title: str, shapes: tuple[type[Shape], ...]) -> bytes:
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
    """Decides validity with a compiled validator; asks the reference one for its words when it is denied."""

    def __init__(self, schema: Json, kind: str | None = None) -> None:
        """``kind`` picks one of ``DEFINITIONS``; a schema that has none of them is applied as a whole."""
        chosen = {key: value for key, value in schema.items() if key != "$id"}
        for name in DEFINITIONS.get(kind or "", ()):
            if name in schema.get("$defs", {}):
                chosen = {"$schema": DIALECT, "$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
                break
        self._schema = chosen
        self._compiled = jsonschema_rs.validator_for(chosen)

    def violations(self, document: Any) -> Iterator[tuple[str, str]]:
        """(JSON pointer, message) of each violation, in document order."""
        if self._compiled.is_valid(document):
            return
        for error in self._reference().iter_errors(document):
            pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.absolute_path)
            yield pointer, error.message if len(error.message) < _LONG else f"does not fit {error.validator}"

    @cache  # noqa: B019 - a judge lives as long as its process validates
    def _reference(self) -> Any:
        import jsonschema  # its import costs more than all the judging of a valid tree

        return jsonschema.Draft202012Validator(self._schema)
