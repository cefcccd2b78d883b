"""The documents of a phase, rendered from values: deterministic Markdown, and lists that fit a budget of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

# Four bytes are about one token.
_BYTES = 4


def render(template: str, **values: Any) -> bytes:
    """A document from ``templates/<template>``; ends with one line break."""
    text = _environment().get_template(template).render(**values)
    return (text.strip() + "\n").encode("utf-8")


def fit(lines: Sequence[str], tokens: int, more: str) -> list[str]:
    """As many of the lines, in order, as the budget holds; a last one says how many more there are, and where."""
    kept: list[str] = []
    room = tokens * _BYTES - size(f"- 9999 more in {more}")
    for number, line in enumerate(lines):
        room -= size(line)
        if room < 0:
            return [*kept, f"{len(lines) - number} more in {more}"]
        kept.append(line)
    return kept


def size(line: str) -> int:
    """The bytes of a line of a list."""
    return len(f"- {line}\n".encode())


def cell(text: object) -> str:
    """Text for a cell of a table: one line, and no bar that ends the cell."""
    return " ".join(str(text).split()).replace("|", "\\|") or "—"


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=False,  # noqa: S701 - Markdown, not HTML
        loader=FunctionLoader(_template),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = cell
    return environment


@cache
def _template(name: str) -> str:
    return files("pipeline.config").joinpath("templates", name).read_text(encoding="utf-8")
