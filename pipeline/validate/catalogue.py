"""docs/findings.md, from the table of checks."""

from __future__ import annotations

from pathlib import Path

from pipeline import canonical
from pipeline.validate.checks import CHECKS, Scope

_ABOUT = {
    Scope.ROOT: "Files of the root itself: rules, schemas, lock, pointers, wrapper coverage",
    Scope.VERSION: "Files of one version",
    Scope.WHOLE: "What only all versions together can tell",
    Scope.WORKSPACE: "The support matrix of all agents",
}


def catalogue() -> str:
    """The page: a table of codes for each scope, in the order in which they are looked for."""
    lines = [
        "# Findings",
        "",
        "Every code that `doit validate` and `parity validate` can find, and what holds where it is not found.",
        "Generated from the table of checks (`pipeline/validate/checks.py`) by `doit findings`; do not edit.",
        "",
        "A finding is one line, `path[json pointer]: CODE severity: message`, and says what to do. Codes are stable,",
        "messages are not. A wrong file is told once: what rests on a file with findings is not looked at until they",
        "are gone. Codes marked * derive files again, which `--no-recompute` leaves out.",
    ]
    for scope, about in _ABOUT.items():
        lines += ["", f"## {about}", "", "| code | severity | what holds |", "|---|---|---|"]
        lines += [
            f"| `{check.code}`{' *' if check.recomputes else ''} | {check.severity} | {check.summary} |"
            for check in CHECKS
            if check.scope is scope
        ]
    return "\n".join((*lines, ""))


def write_catalogue(path: Path) -> Path:
    canonical.write(path, catalogue().encode("utf-8"))
    return path
