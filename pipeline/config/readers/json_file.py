"""A JSON file as an object: strict, with the line of what is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pipeline import canonical
from pipeline.config.readers.reading import Reading
from pipeline.config.tree import Found, finding
from pipeline.errors import ArtifactInvalid


@dataclass(frozen=True, slots=True)
class Document:
    value: dict[str, Any]
    sha256: str


def read_object(reading: Reading, one: Found) -> Document | None:
    """The object of a file; None, a finding and an unread item where there is none."""
    text = reading.text(one)
    if text is None:
        reading.unread(one)
        return None
    try:
        value = canonical.loads(text.text.encode("utf-8"), one.path)
    except ArtifactInvalid as error:
        place = _line(text.text)
        reading.findings.append(finding("json-invalid", one.path, error.problem, "correct the JSON there", place))
        reading.unread(one)
        return None
    if not isinstance(value, dict):
        reading.findings.append(finding("json-invalid", one.path, "it is not an object", "write an object", "line 1"))
        reading.unread(one)
        return None
    return Document(value, text.sha256)


def _line(text: str) -> str | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}"
    except RecursionError:
        return None
    return None


def pointer(*keys: object) -> str:
    """An RFC 6901 pointer."""
    return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in keys)
