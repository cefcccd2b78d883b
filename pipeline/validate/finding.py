"""A finding: one thing that is not as it should be, with its place and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import canonical
from pipeline.surface.units import Shape


class Finding(Shape, frozen=True, kw_only=True):
    """``path`` is relative to the root, with forward slashes; ``json_pointer`` is RFC 6901."""

    code: str
    severity: str = "error"
    path: str
    json_pointer: str | None = None
    message: str

    def order(self) -> tuple[str, str, str, str]:
        return (self.path, self.json_pointer or "", self.code, self.message)


def render_lines(findings: Sequence[Finding]) -> str:
    """One line each: ``path[pointer]: CODE severity: message``."""
    return "".join(
        f"{one.path}{f'[{one.json_pointer}]' if one.json_pointer else ''}: {one.code} {one.severity}: {one.message}\n"
        for one in findings
    )


def render_json(findings: Sequence[Finding]) -> bytes:
    """``{"ok": …, "findings": […]}``; the same content as the lines."""
    listed = [
        {
            "code": one.code,
            "severity": one.severity,
            "path": one.path,
            **({"json_pointer": one.json_pointer} if one.json_pointer else {}),
            "message": one.message,
        }
        for one in findings
    ]
    return canonical.encode({"ok": not findings, "findings": listed})
