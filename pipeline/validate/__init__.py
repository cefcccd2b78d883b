"""Validation: everything committed is checked against its schema, its neighbours and its own derivation.

Checks are values in one table (``checks.CHECKS``); what they find are values too, sorted once at the edge.
"""

from pipeline.validate.finding import Finding, render_json, render_lines
from pipeline.validate.run import validate
from pipeline.validate.schemas import metadata_schema_bytes, schema_bytes, write_schemas

__all__ = [
    "Finding",
    "metadata_schema_bytes",
    "render_json",
    "render_lines",
    "schema_bytes",
    "validate",
    "write_schemas",
]
