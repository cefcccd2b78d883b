"""Markdown that holds whatever a text may hold."""

from __future__ import annotations

from itertools import groupby


def code_span(text: str) -> str:
    """A code span on one line, whatever the text holds; a bar would end a table's cell, and none stands in one here."""
    line = " ".join(text.split())
    runs = ("".join(group) for is_tick, group in groupby(line, key=lambda char: char == "`") if is_tick)
    fence = "`" * (1 + max(map(len, runs), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"
