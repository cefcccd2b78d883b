"""The corpus of real inputs beside the checkout: its cases, and where each case's files lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "corpus"
ABSENT = "the corpus is not beside this checkout (../shared/corpus); CI has it"


def cases(stage: str) -> list[Any]:
    """A pytest parameter per case of a stage; one skipped parameter where the corpus is absent."""
    index = FOLDER / "index.json"
    if not index.exists():
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=ABSENT))]
    return [
        pytest.param(case, id=case["id"])
        for case in orjson.loads(index.read_bytes())["cases"]
        if case["stage"] == stage
    ]


def folder(case: dict[str, Any]) -> Path:
    return FOLDER / case["dir"]
