"""Names as text that every face may print: on one line, without characters that a terminal or a reader would obey."""

from __future__ import annotations

from pipeline.history.markdown import code_span
from pipeline.surface.units import Path

_LONGEST = 300


def visible(text: str) -> str:
    """The text on one line; what cannot be printed stands as its escape (a newline as ``\\n``, ESC as ``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def typed(program: str, path: Path, unit: str) -> str:
    """A unit as a person would type it."""
    return visible(" ".join((program, *path, *((unit,) if unit else ()))))


def code(text: str) -> str:
    """A code span; of a very long text its beginning."""
    return code_span(shortened(text))


def plain(text: str) -> str:
    """Text as it is in Markdown: what would be markup is escaped."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|~" else char for char in shortened(text)).replace("&", "&amp;")


def shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
