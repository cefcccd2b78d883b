"""patterns:index: the index of the learning library, from its metadata."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.step import Step

_FOLDER = Path("pipeline") / "patterns"


def task_patterns() -> Iterator[dict[str, Any]]:
    """Write the learning library's index"""
    yield Step(
        stage="patterns",
        name="index",
        doc="the index of the learning library's assets",
        inputs=(_FOLDER / "assets.toml", *sorted((_FOLDER / "templates").glob("*.md"))),
        outputs=(_FOLDER / "index.json",),
        rooms=("patterns",),
        call=partial(_index, _FOLDER),
    ).task()


def _index(folder: Path) -> None:
    from pipeline.patterns.assets import write_index

    write_index(folder)
