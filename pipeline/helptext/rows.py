"""Lines below a title -> rows of two columns, as Python's help formatters print them.

A row begins in the first column; what stands deeper is its text. Two blanks at least part a head from the text
beside it. Rows keep the lines that they were read from, so that each unit has its span. Total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.helptext.lines import Line, indent, span_of


class Row(NamedTuple):
    """``head`` and ``beside`` are the two columns of the first line; ``below`` are the deeper lines."""

    head: str
    beside: str
    line: Line
    below: list[Line]

    @property
    def text(self) -> list[str]:
        return [self.beside, *self.below]

    @property
    def has_text(self) -> bool:
        return bool(self.beside) or any(self.below)

    @property
    def span(self) -> str | None:
        return span_of([self.line, *self.below])

    @property
    def lines(self) -> list[Line]:
        return [line for line in (self.line, *self.below) if line]


def row_of(line: Line, below: list[Line]) -> Row:
    head, _, beside = line.strip().partition("  ")
    return Row(head, beside.lstrip(), line, below)


def rows(lines: Sequence[Line]) -> list[Row]:
    """The rows of a block of lines. Its first line says which column is the first."""
    column = first_column(lines)
    found: list[tuple[Line, list[Line]]] = []
    for line in lines:
        if line and indent(line) <= column:
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
    return [row_of(line, below) for line, below in found]


def first_column(lines: Sequence[str]) -> int:
    return next((indent(line) for line in lines if line), 0)
