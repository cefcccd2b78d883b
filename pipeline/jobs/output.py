"""Rows as CI takes them: a matrix as JSON, or as a job's output in one line, with the number of its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def matrix_text(rows: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"include": list(rows)}, indent=2) + "\n"


def as_output(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """``NAME={…}`` and ``NAME-count=N``: a matrix without rows is an error there, so that a job asks for the number."""
    compact = json.dumps({"include": list(rows)}, separators=(",", ":"))
    return f"{name}={compact}\n{name}-count={len(rows)}\n"
