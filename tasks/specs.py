"""spec-index:docs: the index of this project's specs; specs:guard: whether specs follow the code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from tasks.step import Step, asked_for

_DECLARED = Path("pyproject.toml")
_DOCS, _INDEX = Path("docs"), Path("docs") / "specs.json"


def task_spec_index() -> Iterator[dict[str, Any]]:
    """Write docs/specs.json from the front matter of the specs"""
    yield Step(
        stage="spec-index",
        name="docs",
        doc="the index of this project's specs",
        inputs=(_DECLARED, *sorted(_DOCS.glob("*.md"))),
        outputs=(_INDEX,),
        rooms=("specs", "declared", "process"),
        call=partial(_index, Path()),
    ).task()


task_spec_index.basename = "spec-index"  # type: ignore[attr-defined]


def task_specs() -> Iterator[dict[str, Any]]:
    """Find code that changed without a spec, and specs that nobody has reviewed of late"""
    yield asked_for("specs", "guard", "hold specs and code together", partial(_guard, Path()))


def _index(repository: Path) -> None:
    from pipeline.specs import settings_of, write_index

    write_index(repository, settings_of(repository))


def _guard(repository: Path) -> TaskFailed | None:
    from pipeline.runs.manifest import OVERRIDE
    from pipeline.specs import guard, settings_of

    # As the command does: a run tells its guard so.
    found = guard(repository, settings_of(repository), override=os.environ.get(OVERRIDE)).findings
    lines = [f"{finding.path}: {finding.code}: {finding.message}" for finding in found]
    return TaskFailed("\n".join(lines)) if found else None
