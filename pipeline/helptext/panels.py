"""Boxes as rich draws them for typer and rich-click -> their cells, row by row.

A table has no rules inside: a column is what two blank columns at least part from the next one in every line. A cell
that is too narrow goes on in the next line, without a blank where a word had to be cut. Total.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.helptext.lines import Line, Parts, span_of, usage_lines
from pipeline.helptext.rows import Row

_TOP = re.compile(r"\s*[╭┌┏╔+][─━═-]+ (\S.*?) [─━═-]+[╮┐┓╗+]$")
_BOTTOM = re.compile(r"\s*[╰└┗╚+][─━═-]+[╯┘┛╝+]$")
_SIDE = "│┃║|"
_USAGE = re.compile(r"\s*Usage:\s*", re.IGNORECASE)
_RUN = re.compile(r"\S+(?: \S+)*")
_DASHED = re.compile(r"--?\w|-\S(?:,|$)")
_NEW = re.compile(r"--|-\S(?:[,/]|$)")
_TYPE = re.compile(
    r"(?!\[(?:default|env var|required))(?:[A-Z][A-Z0-9_]*(?: [A-Z0-9_]+)*|<.*|\[.*|\{.*)(?:\.\.\.)?(?: \[.*)?$"
)
_DEPRECATED = "  (deprecated)"
_CUT = "…"


class Panel(NamedTuple):
    """``cells`` are the lines between the sides of the box."""

    title: str
    lines: list[Line]
    cells: list[str]


class Boxed(NamedTuple):
    """A page of boxes: what stands before them, and the boxes."""

    parts: Parts
    panels: list[Panel]


class FlagRow(NamedTuple):
    """``sides`` are the names that say yes and those that say no."""

    sides: list[list[str]]
    value: str | None
    text: list[str]
    lines: list[Line]
    doubtful: bool

    @property
    def span(self) -> str | None:
        return span_of(self.lines)


class _Columns(NamedTuple):
    names: list[tuple[int, int]]
    value: tuple[int, int] | None
    text: int


def split(page: Sequence[Line]) -> Boxed | None:
    """The boxes of a page, and the usage and the description before them; None for a page without boxes."""
    found: list[Panel] = []
    outside: list[Line] = []
    inside = False
    for line in page:
        top = _TOP.match(line)
        body = line.strip()
        if top:
            found.append(Panel(top[1], [], []))
            inside = True
        elif inside and len(body) > 1 and body[0] in _SIDE and body[-1] in _SIDE:
            found[-1].lines.append(line)
            found[-1].cells.append(body[1:-1])
        elif inside:
            inside = False
        elif not found:
            outside.append(line)
    if not found:
        return None
    first = next((place for place, line in enumerate(outside) if _USAGE.match(line)), len(outside))
    end = next((place for place in range(first, len(outside)) if not outside[place]), len(outside))
    usage = [line.reading(_USAGE.sub("", line, count=1).strip()) for line in outside[first:end]]
    return Boxed(Parts(outside[end:] or outside[:first], usage_lines(usage), []), found)


def flags(panel: Panel) -> list[FlagRow] | None:
    """The flags of a box; None when it holds none."""
    columns = _columns(panel.cells)
    if not columns.names:
        return None
    found: list[FlagRow] = []
    begins = _begins(panel.cells, columns.names)
    for first, behind in zip(begins, [*begins[1:], len(panel.cells)], strict=True):
        block = panel.cells[first:behind]
        sides: list[list[str]] = [[], []]
        doubtful = False
        for column in columns.names:
            pieces = [_cell(cells, column) for cells in block]
            joined = "".join(pieces)
            doubtful = doubtful or _CUT in joined
            for number, side in enumerate(joined.split("/")):
                names = [name for name in side.split(",") if name]
                # A name that the box breaks in two stands nowhere in the page as it is.
                doubtful = doubtful or not all(any(name in piece for piece in pieces) for name in names)
                long_before = any(name.startswith("--") for name in sides[0])
                no = number or (long_before and bool(names) and (names[0].startswith("--") or bool(sides[1])))
                sides[1 if no else 0] += names
        found.append(
            FlagRow(
                sides=[side for side in sides if side],
                value=_value(block, columns.value),
                text=[cells[columns.text :].strip() for cells in block],
                lines=panel.lines[first:behind],
                doubtful=doubtful or not sides[0],
            )
        )
    return found


def rows(panel: Panel, *, typed: bool) -> list[tuple[Row, str | None]]:
    """The rows of a box of commands or args: a name and what stands behind it. Those of args are ``typed``."""
    spans = [span for span in _spans(panel.cells) if {_cell(cells, span) for cells in panel.cells} - {"", "*"}]
    if not spans:
        return []
    name, *rest = spans
    begins = [place for place, cells in enumerate(panel.cells) if _cell(cells, name)]
    value = rest[0] if typed and rest and _is_type(panel.cells, begins, rest) else None
    text = value[1] if value else name[1]
    found = []
    for first, behind in zip(begins, [*begins[1:], len(panel.cells)], strict=True):
        block, lines = panel.cells[first:behind], panel.lines[first:behind]
        said = [line.reading(cells[text:].strip()) for line, cells in zip(lines, block, strict=True)]
        if said[0].endswith(_DEPRECATED):
            # A column of its own says so, beside the first line of the text.
            said = [
                said[0].reading(said[0].removesuffix(_DEPRECATED).rstrip()),
                *said[1:],
                lines[-1].reading(_DEPRECATED),
            ]
        row = Row(_cell(block[0], name), said[0], lines[0], said[1:])
        found.append((row, _value(block, value)))
    return found


def _columns(cells: Sequence[str]) -> _Columns:
    names: list[tuple[int, int]] = []
    rest: list[tuple[int, int]] = []
    for span in _spans(cells):
        shown = [cell for line in cells if (cell := _cell(line, span))]
        if not rest and _DASHED.match(shown[0]):
            names.append(span)
        elif names or set(shown) != {"*"}:
            rest.append(span)
    if not names or not rest:
        return _Columns(names, None, names[-1][1] if names else 0)
    value = rest[0] if _is_type(cells, _begins(cells, names), rest) else None
    return _Columns(names, value, rest[0][1] if value else rest[0][0])


def _is_type(cells: Sequence[str], begins: Sequence[int], columns: Sequence[tuple[int, int]]) -> bool:
    """Whether the first of these columns says what is taken, not what for: it looks like it, row by row.

    Any one word will do where a further column has the text: a metavar can be anything.
    """
    types = [cell for place in begins if (cell := _cell(cells[place], columns[0]))]
    return bool(types) and all(_TYPE.match(cell) or (len(columns) > 1 and " " not in cell) for cell in types)


def _spans(cells: Sequence[str]) -> list[tuple[int, int]]:
    """The columns of a table: runs of text in any line, as one where less than two blanks part them."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(run.span() for line in cells for run in _RUN.finditer(line)):
        if found and start < found[-1][1] + 2:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _begins(cells: Sequence[str], names: Sequence[tuple[int, int]]) -> list[int]:
    """The lines that rows begin in: those with a name that does not go on from the line before."""
    return [
        place
        for place, line in enumerate(cells)
        if any(
            (cell := _cell(line, column)) and not (place and _goes_on(_cell(cells[place - 1], column), cell, column))
            for column in names
        )
    ]


def _goes_on(before: str, cell: str, column: tuple[int, int]) -> bool:
    """Whether a cell is the rest of the one above, which then fills its column; names of one flag end in a comma."""
    return len(before) == _width(column) and (before[-1] in ",/" or not _NEW.match(cell))


def _value(block: Sequence[str], column: tuple[int, int] | None) -> str | None:
    """A type, its pieces joined: without a blank where one that fills the column breaks off inside brackets."""
    said = last = ""
    for cell in (_cell(cells, column) for cells in block if column):
        cut = len(last) == _width(column) and said.count("<") + said.count("[") > said.count(">") + said.count("]")
        said = f"{said}{cell}" if cut else f"{said} {cell}".strip()
        last = cell
    return said or None


def _width(column: tuple[int, int] | None) -> int:
    return column[1] - column[0] if column else 0


def _cell(line: str, column: tuple[int, int]) -> str:
    return line[column[0] : column[1]].strip()
