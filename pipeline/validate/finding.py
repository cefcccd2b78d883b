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
    """One line each: ``path[pointer]: CODE severity: message``. What would break the line is escaped."""
    return "".join(
        f"{_one_line(one.path)}{f'[{_one_line(one.json_pointer)}]' if one.json_pointer else ''}: "
        f"{one.code} {one.severity}: {_one_line(one.message)}\n"
        for one in findings
    )


def _one_line(text: str) -> str:
    # A file's name and a key may hold any character; a line that they break says something else.
    return text if text.isprintable() else "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def render_json(findings: Sequence[Finding], fixed: Sequence[str] | None = None) -> bytes:
    """``{"ok": …, "findings": […]}``, the same content as the lines; with ``fixed`` where fixing was asked for."""
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
    changed = {} if fixed is None else {"fixed": list(fixed)}
    return canonical.encode({"ok": not findings, **changed, "findings": listed})


def pointer_at(place: str) -> str | None:
    """``$.rows[3].agent`` as a JSON pointer, as far as the place is known; None for the document itself."""
    # Of a table whose keys are data it is not said which.
    place, _, _ = place.partition("[...]")
    return place.removeprefix("$").replace("[", "/").replace("]", "").replace(".", "/") or None


def escaped(key: object) -> str:
    """One part of a JSON pointer."""
    return f"/{str(key).replace('~', '~0').replace('/', '~1')}"
