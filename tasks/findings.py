"""findings:docs: docs/findings.md and docs/differences.md, from the tables of checks and of a diff's rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tasks.step import Step


def task_findings() -> Iterator[dict[str, Any]]:
    """Write docs/findings.md and docs/differences.md"""
    findings, differences = Path("docs") / "findings.md", Path("docs") / "differences.md"
    yield Step(
        stage="findings",
        name="docs",
        doc="every code that validation can find and that a diff can tell",
        outputs=(findings, differences),
        rooms=("validate", "history"),
        call=partial(_findings, findings, differences),
    ).task()


def _findings(findings: Path, differences: Path) -> None:
    from pipeline.history.rules_page import write_rules_page
    from pipeline.validate.catalogue import write_catalogue

    write_catalogue(findings)
    write_rules_page(differences)
