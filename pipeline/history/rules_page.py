"""docs/differences.md, from the table of rules."""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.history.rule import SEVERITIES
from pipeline.history.rules import RULES


def rules_page() -> str:
    """The table as Markdown."""
    lines = [
        "# Differences",
        "",
        "Every code that `parity diff` and `doit diff` can tell of two versions. Generated from the table of rules",
        "(`pipeline/history/rules.py`) by `doit findings`; do not edit.",
        "",
        "Codes are stable. A breaking finding shows a witness, a call that the version before takes and the one after",
        "refuses; one that no call shows, or whose witness the binaries refute, is told as risky. The mirror is what",
        "the other direction tells.",
        "",
        "| code | severity | of | looks at | says | mirror |",
        "|---|---|---|---|---|---|",
    ]
    for severity in SEVERITIES:
        lines += [
            f"| `{rule.code}` | {rule.severity} | {', '.join(rule.units)} | {rule.field} | {rule.summary} | "
            f"`{rule.mirror}` |"
            for rule in RULES
            if rule.severity == severity
        ]
    return "\n".join((*lines, ""))


def write_rules_page(path: Path) -> Path:
    canonical.write(path, rules_page().encode("utf-8"))
    return path
