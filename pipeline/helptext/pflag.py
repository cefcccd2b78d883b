"""The lines of a section -> the flags that pflag (Go) printed there, or kubectl's own printer.

``  -o, --output string[="-"]   text (default "-")``: pflag starts all texts of a section in one column, three blanks
behind the longest head. ``    -o, --output='-':`` with the text below it is kubectl's. A line that is no head and
not deeper than the heads is unread, and so is the text below it. Total.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.helptext.description import paragraphs, split_stability
from pipeline.helptext.lines import Line, indent, span_of
from pipeline.surface.units import Flag, PossibleValue

_NAMES = r"(?:(?P<short>-[^\s-]), )?(?P<long>--[^\s\[\]=,]+)"
_WORD = r"(?:(?!\[=)\S)+"
_HEAD = re.compile(rf"{_NAMES}(?: (?P<value>{_WORD}(?: {_WORD})*))?(?P<bare>\[=.*\])?$")
_KUBECTL_HEAD = re.compile(rf"{_NAMES}=(?P<default>.*):$")
_SHORT = re.compile(r" *-[^\s-], --")
_LONG_OFFSET = len("-x, ")
_GAP = " " * 3
# Where texts go on that a narrow terminal leaves no room for beside their heads.
_NARROW_AT = 16
# How pflag calls the types whose flags add up; "list" and "map" are docker's.
_MANY = re.compile(r"(?:strings|ints|uints|bools|stringArray|\w+Slice|stringTo(?:String|Int|Int64)|list|map)$")
_DEFAULT = re.compile(r'\(default\s+(?:(?P<quoted>".*")|(?P<bare>(?:map)?\[[^()]*\]|[^\s()"]+))\)$', re.DOTALL)
_DEPRECATED = "(DEPRECATED: "
# gh prints the values of an enum so, and nothing else.
_CHOICES = re.compile(r":\s\{([^\s{}|]+(?:\|[^\s{}|]+)+)\}$")


class Rows(NamedTuple):
    """``exact`` says that the section is laid out as pflag or kubectl does it, to the last line."""

    flags: list[Flag]
    unread: list[Line]
    exact: bool


@dataclass(frozen=True)
class _Layout:
    """The columns of heads with a short name, of heads without, and of texts (None where no head has one)."""

    short_at: int
    long_at: int
    text_at: int | None
    is_kubectl: bool


def read(section: Sequence[Line]) -> Rows:
    """The flags of one section, in page order."""
    layout = _layout_of(section)
    entries: list[tuple[Flag, list[str], list[Line]]] = []
    unread: list[Line] = []
    is_read = is_exact = False  # whether the head above could be read; whether the longest head was seen
    for line in section:
        if line and indent(line) <= layout.long_at:
            row = _head(line, layout)
            is_read = row is not None
            if row is None:
                unread.append(line)
            else:
                entries.append((row[0], [row[1]], [line]))
                is_exact |= layout.is_kubectl or _width(line) + len(_GAP) == layout.text_at
        elif is_read and (not line or layout.text_at is None or indent(line) >= min(layout.text_at, _NARROW_AT)):
            entries[-1][1].append(line)
            entries[-1][2].append(line)
        elif line:
            unread.append(line)
    flags = [replace(_told(flag, text), span=span_of(lines)) for flag, text, lines in entries]
    return Rows(flags, unread, is_exact and not unread)


def _layout_of(section: Sequence[Line]) -> _Layout:
    heads = [line for line in section if line.lstrip().startswith("-")]
    base = min(map(indent, heads), default=0)
    heads = [line for line in heads if indent(line) in (base, base + _LONG_OFFSET)]
    outermost = [line for line in heads if indent(line) == base]
    if any(_KUBECTL_HEAD.match(line.strip()) for line in outermost):
        return _Layout(base, base, None, is_kubectl=True)
    # Behind short names there are long ones further in; a section of long names alone begins in either column.
    long_at = base + _LONG_OFFSET if any(map(_SHORT.match, outermost)) else base
    columns = Counter(len(line) - len(line[_width(line) :].lstrip()) for line in heads if _width(line) < len(line))
    return _Layout(base, long_at, max(columns, key=columns.__getitem__, default=None), is_kubectl=False)


def _width(line: Line) -> int:
    """Where the head of a line ends, as far as one can tell from the line alone."""
    gap = line.find(_GAP, indent(line))
    return len(line) if gap < 0 else gap


def _head(line: Line, layout: _Layout) -> tuple[Flag, str] | None:
    """The flag that a line begins with and the text beside it."""
    text = ""
    if layout.is_kubectl:
        match = _KUBECTL_HEAD.match(line.lstrip())
    else:
        head = line if layout.text_at is None else line[: layout.text_at]
        text = line[len(head) :]
        if text and not head.endswith(_GAP):
            return None
        match = _HEAD.match(head.strip())
    if match is None or indent(line) != (layout.short_at if match["short"] else layout.long_at):
        return None
    return (_kubectl_flag if layout.is_kubectl else _pflag_flag)(match), text


def _pflag_flag(match: re.Match[str]) -> Flag:
    value = match["value"]
    is_count = value == "count" and not match["bare"]
    return Flag(
        long=match["long"],
        short=match["short"],
        takes_value=not is_count and bool(value or match["bare"]),
        value_name=None if is_count else value,
        optional_value=True if match["bare"] else None,
        repeatable=True if is_count or (value and _MANY.match(value)) else None,
    )


def _kubectl_flag(match: re.Match[str]) -> Flag:
    """kubectl prints no types but all defaults, strings in quotes."""
    default = match["default"]
    if len(default) > 1 and default[0] == default[-1] == "'":
        default = default[1:-1]
    is_switch, is_list = match["default"] in ("true", "false"), default.startswith("[") and default.endswith("]")
    return Flag(
        long=match["long"],
        short=match["short"],
        takes_value=not is_switch,
        repeatable=True if is_list else None,
        default=default if default not in ("", "false", "[]") else None,
    )


def _told(flag: Flag, text: Sequence[str]) -> Flag:
    """The flag with what its text says."""
    about, mark, message = paragraphs(text).rpartition(_DEPRECATED)
    if not mark or not message.endswith(")"):
        about, mark, message = about + mark + message, "", ""
    about = about.rstrip()
    default = _DEFAULT.search(about, max(about.rfind("(default"), 0))
    value = _default(default) if default else None
    if default and (flag.takes_value or flag.repeatable or value == "true"):
        about = about[: default.start()].rstrip()
    else:
        value = flag.default
    choices = _CHOICES.search(about) if flag.takes_value else None
    if choices:
        about = about[: choices.start()]
    shown, stability = split_stability("".join((about, " " if about and mark else "", mark, message)))
    return replace(
        flag,
        about=shown,
        default=value,
        possible_values=tuple(PossibleValue(name=name) for name in choices[1].split("|")) if choices else None,
        stability="deprecated" if mark else stability,
    )


def _default(match: re.Match[str]) -> str:
    """Go quotes a string as JSON does, but for control characters."""
    value = (match["quoted"] or match["bare"]).replace("\n", " ")
    if match["quoted"]:
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    return value
