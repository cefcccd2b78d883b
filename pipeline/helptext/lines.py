"""Raw help -> its lines and parts: description, usage and titled sections.

Knows what all dialects share: escapes and line ends are noise, the usage is one block, text that is not
indented ends the section before it. Total: any text has lines and parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

# Colours and cursor movements (CSI), titles and hyperlinks (OSC), the two-character escapes, a stray ESC.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])?")
_USAGE = re.compile(r"usage:[ ]*", re.IGNORECASE)


class Line(str):
    """A line of a page as read: without escapes, tabs and trailing white space.

    ``start`` and ``end`` are the bytes of the raw help that it stands for, from its first character that is
    not blank to behind its last one.
    """

    __slots__ = ("end", "start")
    start: int
    end: int

    @classmethod
    def at(cls, start: int, end: int, text: str) -> Line:
        line = cls(text)
        line.start, line.end = start, end
        return line

    def reading(self, text: str) -> Line:
        """The same bytes, read as another text."""
        return Line.at(self.start, self.end, text)


class Section(NamedTuple):
    """A title without its colon ("" for text without one) and the lines below it, indentation kept."""

    title: str
    lines: list[Line]


class Parts(NamedTuple):
    """``about`` and the section lines are raw lines; ``usage`` is one call a line, wrapped lines joined."""

    about: list[Line]
    usage: tuple[Line, ...]
    sections: list[Section]


def clean(text: str) -> list[Line]:
    """The lines of ``text`` without terminal escapes, tabs and trailing white space."""
    lines = []
    place = 0
    # Not splitlines(): a form feed or U+2028 inside a description ends no line on any terminal.
    for raw in text.split("\n"):
        shown = _ESCAPE.sub("", raw) if "\x1b" in raw else raw
        head = len(raw) - len(raw.lstrip())
        start = place + len(raw[:head].encode())
        place += len(raw.encode())
        lines.append(Line.at(start, max(start, place - len(raw) + len(raw.rstrip())), shown.expandtabs().rstrip()))
        place += 1
    return lines


def span_of(lines: Sequence[str]) -> str | None:
    """The bytes of the raw help that these lines stand for, ``first-behind``; None for text that has none."""
    read = [line for line in lines if line and isinstance(line, Line)]
    return f"{read[0].start}-{read[-1].end}" if read else None


def indent(line: str) -> int:
    """The column where the text of a line begins."""
    return len(line) - len(line.lstrip(" "))


def split(lines: Sequence[Line], is_title: Callable[[str], bool]) -> Parts:
    """Cut a page into its parts.

    ``is_title`` tells the titles of sections with units from any other text. It is only asked on a page
    without usage: behind a usage every line in column 0 begins a section.
    """
    first = next((number for number, line in enumerate(lines) if _USAGE.match(line)), None)
    if first is None:
        start = next((number for number, line in enumerate(lines) if is_title(line)), len(lines))
        return Parts(list(lines[:start]), (), _sections(lines[start:]))
    after = first + 1
    while after < len(lines) and lines[after].startswith(" "):
        after += 1
    block = [lines[first].reading(_USAGE.sub("", lines[first], count=1)), *lines[first + 1 : after]]
    return Parts(list(lines[:first]), usage_lines(block), _sections(lines[after:]))


def usage_lines(block: Sequence[Line]) -> tuple[Line, ...]:
    """One line per call: a line that does not begin with the program continues the one before it."""
    calls: list[Line] = []
    for line in block:
        text = line.strip()
        if not text:
            continue
        if calls and text.split()[0] != calls[0].split()[0]:
            calls[-1] = Line.at(calls[-1].start, line.end, f"{calls[-1]} {text}")
        else:
            calls.append(line.reading(text))
    return tuple(calls)


def _sections(lines: Sequence[Line]) -> list[Section]:
    sections: list[Section] = []
    for line in lines:
        outermost = line and not line.startswith(" ")
        if outermost and line.endswith(":"):
            sections.append(Section(line[:-1], []))
            continue
        if not sections or (outermost and sections[-1].title):
            sections.append(Section("", []))
        sections[-1].lines.append(line)
    return sections
