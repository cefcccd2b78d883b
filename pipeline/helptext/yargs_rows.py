"""Lines below a title of a yargs page -> entries: what stands in the column of heads, and the text with its tails.

Heads, texts and tails are three cells of a row, each wrapped on its own; tails end at the right edge of the page,
on the last line of the text where there is room. yargs as an ES module wraps by cutting wherever a line is full,
in words too: its lines are put together without anything between them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import orjson

from pipeline.helptext.description import paragraphs
from pipeline.helptext.lines import Line, indent

TYPES = ("boolean", "count", "string", "number", "array")
UNIT_TAIL = re.compile(rf"\[(?:(?:{'|'.join(TYPES)}|required|deprecated)\]|(?:choices|default|deprecated):(?:\s|$))")
COMMAND_TAIL = re.compile(r"\[(?:(?:default|deprecated)\](?=\s*(?:\[|$))|(?:aliases|deprecated):(?:\s|$))")
# In the order in which yargs prints them.
UNIT_TAILS = ("deprecated", "type", "required", "choices", "default")
COMMAND_TAILS = ("default", "aliases", "deprecated")
HEADS, LONG_HEADS = 2, 6  # columns; a name without a short one stands further in where others have one

_PLAIN_TAIL = re.compile(rf"\[(?P<kind>{'|'.join(TYPES)}|required|deprecated|default)\]$")
_LONGEST_PLAIN_TAIL = len("[deprecated]")
_VALUED_TAIL = re.compile(r"\[(?P<kind>choices|default|deprecated|aliases):\s*")
_OPEN_TAIL = re.compile(r"\[(?:choices|default|deprecated|aliases):?")
_OPEN_UNIT_TAIL = re.compile(r"\[(?:choices|default|deprecated):?")
_GAP = 2  # between a head and its text
# One line of words ends at the edge by chance in every sixth case.
_ENOUGH, _NEARLY_ALL = 2, 0.75


class Edge(NamedTuple):
    """Where the lines of a page end; ``cuts_words`` says that a full line may end in the middle of a word."""

    column: int
    cuts_words: bool

    def behind(self, line: str) -> str:
        """What stands between a line of wrapped text and the next one."""
        return "" if self.cuts_words and len(line) == self.column else "\n"


def edge_of(page: Sequence[str]) -> Edge:
    """Tails end at the right edge. Words are cut where nearly all lines that had to be wrapped are full."""
    ends = Counter(len(line) for line in page if line.endswith("]"))
    column = max(ends, key=lambda end: (ends[end], end), default=0)
    left = [room for room in (_room(line, below, column) for line, below in pairwise(page)) if room is not None]
    full = sum(room in (0, 1) for room in left)  # a blank at the end is not there any more
    return Edge(column, left.count(0) >= _ENOUGH and full >= _NEARLY_ALL * len(left))


def _room(line: str, below: str, column: int) -> int | None:
    """The columns left free in a line that was wrapped for want of room; None for any other line."""
    if not line or not below:
        return None
    if _is_open(line):  # tails stand at the edge: what they leave free is in front of them
        return indent(line) - HEADS if line.lstrip().startswith("[") else None
    deeper = indent(below) > LONG_HEADS + 1 or indent(line) == indent(below) == 0
    fits = len(line) + 1 + len(below.split(maxsplit=1)[0]) <= column
    return None if fits or not deeper or below.lstrip().startswith("[") else column - len(line)


def _is_open(text: str, opening: re.Pattern[str] = _OPEN_TAIL) -> bool:
    """Whether a text ends within a tail: any, or one of a kind of unit."""
    return bool(opening.search(text, text.rfind("]") + 1))


def parted(text: str, tail: re.Pattern[str]) -> tuple[str, str]:
    """A head and what stands beside it: behind two blanks, or a tail at once."""
    head, _, beside = text.partition(" " * _GAP)
    begin = tail.search(head)
    return (text[: begin.start()].rstrip(), text[begin.start() :]) if begin else (head, beside.lstrip())


@dataclass
class Entry:
    """The lines of one unit: what stands in the column of heads, and the text beside and below it.

    A head that was wrapped is put together in two ways: ``head`` where full lines may be cut in a word, ``spaced``
    where they never are. ``behind`` separates the text from what is still to come; ``doubtful`` is an entry whose
    text is out of place.
    """

    lines: list[Line]
    head: str
    spaced: str
    end: int
    text: str
    behind: str
    doubtful: bool
    opening: re.Pattern[str]
    is_open: bool = False

    def __post_init__(self) -> None:
        self.is_open = _is_open(self.text, self.opening)

    def add(self, line: Line, text: str, behind: str) -> None:
        self.lines.append(line)
        self.text += (self.behind if self.text else "") + text
        self.is_open = _is_open(text, self.opening) or (self.is_open and "]" not in text)
        self.behind = behind


@dataclass(frozen=True)
class Kind:
    """What a section lists: ``begins(text, column)`` tells its heads, ``tails`` in the order of printing."""

    begins: Callable[[str, int], bool]
    tail: re.Pattern[str]
    tails: tuple[str, ...]
    is_command: bool = False

    @property
    def opening(self) -> re.Pattern[str]:
        return _OPEN_TAIL if self.is_command else _OPEN_UNIT_TAIL

    def column(self, block: Sequence[str]) -> int | None:
        """Where the texts of a section begin; None where there are none."""
        found: Counter[int] = Counter()
        is_open = False
        for line in filter(None, block):
            depth, text = indent(line), line.lstrip()
            is_head = self.begins(text, depth)
            beside = parted(text, self.tail)[1] if is_head else text if depth > LONG_HEADS else ""
            if beside and not is_open and not self.tail.match(beside):
                found[len(line) - len(beside)] += 1
            is_open = _is_open(line, self.opening) or (is_open and "]" not in line)
        return max(found, key=lambda column: (found[column], -column), default=None)

    def entries(self, block: Sequence[Line], edge: Edge) -> tuple[list[Entry], list[Line]]:
        """The entries of a section, and the lines in front of the first one."""
        column = self.column(block)
        entries: list[Entry] = []
        unread: list[Line] = []
        for line in block:
            entry = entries[-1] if entries else None
            depth, text = indent(line), line.lstrip()
            head, beside = parted(text, self.tail)
            at = len(line) - len(beside)
            # A command needs no column: it begins with the whole path, which no text and no tail does.
            begins = self.begins(text, depth)
            aligned = self.is_command or not beside or at == column or bool(self.tail.match(beside))
            in_tail = entry and entry.is_open and not (self.is_command and begins)
            in_heads = bool(line) and (column is None or depth < column) and not in_tail
            if entry and in_heads and self._continues(entry, text, depth, column, edge):
                full = entry.end + _GAP == column and depth == indent(entry.lines[0])
                entry.head += head if full or not self.is_command else f" {head}"
                entry.spaced += f" {head}"
                entry.end = depth + len(head)
                # Below a cut word the text may begin with a blank.
                entry.doubtful = entry.doubtful or not (aligned or at - 1 == column)
                entry.add(line, beside, edge.behind(line))
            elif in_heads and begins:
                end, behind = depth + len(head), edge.behind(line)
                entries.append(Entry([line], head, head, end, beside, behind, not aligned, self.opening))
            elif entry:
                is_tail = self.tail.match(text) and not entry.is_open
                if is_tail or depth - 1 == column:  # a row of its own, or the blank where the line was cut
                    entry.behind = "\n"
                # A tail that fills no line lost a blank when it was moved to the right.
                entry.add(line, text, edge.behind(line) if depth in (HEADS, column) else "\n")
            elif line:
                unread.append(line)
        return entries, unread

    def _continues(self, entry: Entry, text: str, depth: int, column: int | None, edge: Edge) -> bool:
        """Whether a line goes on with the head of the entry above."""
        # A cut line may leave the blank in front of a name to the next one.
        cut = edge.cuts_words or entry.head.endswith(",")
        if depth - indent(entry.lines[0]) not in ((0, 1) if cut else (0,)) or self.tail.match(text):
            return False
        if self.is_command:
            return not self.begins(text, HEADS)
        # The longest head of a section ends two columns before the texts, where there are any.
        is_full = column is None or entry.end + _GAP == column
        return entry.head.endswith(",") or (is_full and not self.begins(text, depth))

    def told(self, entry: Entry) -> tuple[str, dict[str, str]]:
        """The text of an entry and its tails by kind."""
        text, tails = self._peeled(paragraphs(entry.text.split("\n")))
        # A tail may be cut in a word where too few lines are full to tell that words are cut.
        again = self._peeled(entry.text.replace("\n", ""))
        text, tails = again if len(again[1]) > len(tails) else (text, tails)
        if tails.get("deprecated"):  # the reason is worth reading
            text = f"{text} [deprecated: {tails['deprecated']}]".lstrip()
        return text, tails

    def _peeled(self, text: str) -> tuple[str, dict[str, str]]:
        """Take the tails off the end of a text: the last one first, each once."""
        found: dict[str, str] = {}
        rank = len(self.tails)
        while text.endswith("]"):
            tail = _PLAIN_TAIL.search(text, max(0, len(text) - _LONGEST_PLAIN_TAIL))
            tail = tail or max(_VALUED_TAIL.finditer(text), key=re.Match.start, default=None)
            if tail is None:
                break
            kind = "type" if tail["kind"] in TYPES else tail["kind"]
            value = tail["kind"] if kind == "type" else text[tail.end() : -1].replace("\n", " ")
            if kind not in self.tails[:rank] or (kind == "choices" and json_list(value) is None):
                break
            rank = self.tails.index(kind)
            found[kind] = value
            text = text[: tail.start()].rstrip()
        return text, found


def json_list(value: str) -> tuple[str, ...] | None:
    """The names of a list as JSON has them."""
    try:
        names = orjson.loads(f"[{value}]")
    except orjson.JSONDecodeError:
        return None
    return tuple(name if isinstance(name, str) else orjson.dumps(name).decode() for name in names)
