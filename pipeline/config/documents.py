"""The documents of a phase, rendered from values: deterministic Markdown, and lists that fit a budget of tokens.

Whatever stands in a value (line breaks, tags, bars, backticks), it is text on one line, and breaks nothing around it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

# Four bytes are about one token.
_BYTES = 4
_BAR = re.compile(r"(\\*)\|")
_SPACE = re.compile(r"\s+")
_TICKS = re.compile("`+")
# Code as a whole, or the beginning of a tag.
_TAG = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|<(?=[A-Za-z/!?])")


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
    return len(f"- {_finished(line)}\n".encode())


def cell(text: object) -> str:
    """Text for a cell of a table: one line, and no bar that ends the cell."""
    return _BAR.sub(lambda bar: f"{bar[1]}{bar[1]}\\|", _line(text)) or "—"


def span(text: object) -> str:
    """Text as code, whatever backticks are in it."""
    line = _line(text)
    fence = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    room = " " if "`" in line[:1] + line[-1:] else ""
    return f"{fence}{room}{line}{room}{fence}" if line else "—"


def _line(text: object) -> str:
    return " ".join(str(text).split())


def _finished(value: object) -> str:
    """What an expression of a template becomes: one line, in which nothing but code looks like a tag."""
    return _TAG.sub(lambda found: "\\<" if found[0] == "<" else found[0], _SPACE.sub(" ", str(value)))


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=False,  # noqa: S701 - Markdown, not HTML
        loader=FunctionLoader(_template),
        undefined=StrictUndefined,
        finalize=_finished,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell, "span": span, "code": lambda text: cell(span(text))}
    return environment


@cache
def _template(name: str) -> str:
    return files("pipeline.config").joinpath("templates", name).read_text(encoding="utf-8")
