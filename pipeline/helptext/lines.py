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


class Section(NamedTuple):
    """A title without its colon ("" for text without one) and the lines below it, indentation kept."""

    title: str
    lines: list[str]


class Parts(NamedTuple):
    """``about`` and the section lines are raw lines; ``usage`` is one call a line, wrapped lines joined."""

    about: list[str]
    usage: tuple[str, ...]
    sections: list[Section]


def clean(text: str) -> list[str]:
    """The lines of ``text`` without terminal escapes, tabs and trailing white space."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    # Not splitlines(): a form feed or U+2028 inside a description ends no line on any terminal.
    return [line.expandtabs().rstrip() for line in text.replace("\r\n", "\n").split("\n")]


def indent(line: str) -> int:
    """The column where the text of a line begins."""
    return len(line) - len(line.lstrip(" "))


def split(lines: Sequence[str], is_title: Callable[[str], bool]) -> Parts:
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
    block = [_USAGE.sub("", lines[first], count=1), *lines[first + 1 : after]]
    return Parts(list(lines[:first]), _usage_lines(block), _sections(lines[after:]))


def _usage_lines(block: Sequence[str]) -> tuple[str, ...]:
    """One line per call: a line that does not begin with the program continues the one before it."""
    calls: list[str] = []
    for line in filter(None, map(str.strip, block)):
        if calls and line.split()[0] != calls[0].split()[0]:
            calls[-1] += " " + line
        else:
            calls.append(line)
    return tuple(calls)


def _sections(lines: Sequence[str]) -> list[Section]:
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
