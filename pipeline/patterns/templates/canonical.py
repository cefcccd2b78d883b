"""Canonical JSON: UTF-8, two-space indent, non-ASCII raw, one newline at the end. The only writer of JSON files."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def encode(value: Any) -> bytes:
    """The canonical bytes of a value. Raises ValueError for NaN and infinities, which JSON does not have."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def sorted_keys(value: Any) -> Any:
    """The value with the keys of every object in order."""
    return json.loads(json.dumps(value, sort_keys=True))


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: beside it, then in its place. A link is followed, its mode stays."""
    path = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
