"""Rows as CI takes them: a matrix as JSON, or as a job's output in one line, with the number of its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline.errors import UsageError

# What GitHub takes as one output of a job, counted as UTF-16.
LIMIT = 1 << 20


def matrix_text(rows: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"include": list(rows)}, indent=2) + "\n"


def as_output(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """``NAME={…}`` and ``NAME-count=N``: a matrix without rows is an error there, so that a job asks for the number.

    Raises UsageError for more than a provider passes on.
    """
    compact = json.dumps({"include": list(rows)}, separators=(",", ":"))
    if 2 * len(compact) > LIMIT:
        raise UsageError(
            f"{len(rows)} rows are {2 * len(compact)} bytes, and a job's output has at most {LIMIT}",
            remedy="leave out what is up to date (--stale), or plan for one agent (--only)",
        )
    return f"{name}={compact}\n{name}-count={len(rows)}\n"
