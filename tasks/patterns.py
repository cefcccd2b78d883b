"""patterns:index: the assets of the learning library tried on their examples, and their index from metadata."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from tasks.step import Step

_FOLDER, _EXAMPLES = Path("pipeline") / "patterns", Path("tests") / "golden" / "patterns"


def task_patterns() -> Iterator[dict[str, Any]]:
    """Try the learning library's assets, and write their index"""
    yield Step(
        stage="patterns",
        name="index",
        doc="the index of the learning library's assets, once each has done what its examples say",
        inputs=(
            _FOLDER / "assets.toml",
            *sorted(path for path in (_FOLDER / "templates").iterdir() if path.is_file()),
            *sorted(_EXAMPLES.rglob("*.py")),
        ),
        outputs=(_FOLDER / "index.json",),
        rooms=("patterns", "declared"),
        call=partial(_index, _FOLDER, _EXAMPLES),
    ).task()


def _index(folder: Path, examples: Path) -> TaskFailed | None:
    from pipeline.patterns.assets import write_index
    from pipeline.patterns.trial import tried

    failures = tried(folder, examples)
    if failures:
        return TaskFailed("; ".join(map(str, failures)))
    write_index(folder)
    return None
