"""findings:docs: docs/findings.md, from the table of checks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.step import Step


def task_findings() -> Iterator[dict[str, Any]]:
    """Write docs/findings.md"""
    page = Path("docs") / "findings.md"
    yield Step(
        stage="findings",
        name="docs",
        doc="every code that validation can find",
        outputs=(page,),
        rooms=("validate",),
        call=partial(_findings, page),
    ).task()


def _findings(page: Path) -> None:
    from pipeline.validate.catalogue import write_catalogue

    write_catalogue(page)
