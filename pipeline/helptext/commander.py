"""Dialect of commander (JavaScript), versions 2 to 15: description below the usage, all texts in one column.

A page has one column of texts, shared by all its sections, and heads in column 2. A head is believed when its
text stands in that column, or below it; what stands elsewhere is text that commander prints as its author wrote
it, at the column of heads too. Arguments are listed by bare names: usage says which are required and which take
many. Not told by help: which flags may be repeated (but for ``<x...>``), are mandatory, exclude each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from msgspec.structs import replace

from pipeline.helptext import lines
from pipeline.helptext.commander_tails import told
from pipeline.helptext.description import paragraphs, split_stability
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.gathered import Gathered, Unit
from pipeline.helptext.lines import Line, Section, indent
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.sections import NAME
from pipeline.surface.units import Arg, Flag, Path

_SPELLING = r"--?[^\s,|=<>\[\]-][^\s,|=<>\[\]]*"
_ANGLE = r"<(?:[^<>]|<[^<>]*>)+>"
_SQUARE = r"\[(?:[^\[\]]|\[[^\[\]]*\])+\]"
_TEXT = r"(?:\s{2,}(?P<text>\S.*))?$"
# The names stand as the author wrote them: "-q, --quiet", "-q|--quiet" or "-q --quiet".
_FLAG = re.compile(
    rf"(?P<names>{_SPELLING}(?:(?:, ?|\|| (?=-)){_SPELLING})*)"
    rf"(?:[ =](?P<value>{_ANGLE}(?:[^\s<>]+{_ANGLE})*)|(?: (?=\[)|(?=\[=))(?P<optional>{_SQUARE}))?{_TEXT}"
)
_ARG = re.compile(rf"(?P<name>[^\s<>\[\]-][^\s<>\[\]]*|{_ANGLE}|{_SQUARE}){_TEXT}")
_COMMAND = re.compile(rf"(?P<names>{NAME}(?:\|{NAME})*)(?: (?:{_ANGLE}|{_SQUARE}))*{_TEXT}")

_COMMANDS = re.compile(r"(?:.*\s)?(?:sub)?commands$", re.IGNORECASE)
_UNITS = re.compile(r"(?:.*\s)?(?:options|flags|arguments)$", re.IGNORECASE)
_USUAL = frozenset({"options", "arguments", "commands"})
_PROSE = re.compile(r"\b(?:examples?|notes?|environment|settings|configuration)\b", re.IGNORECASE)
_HEADS = 2  # the column of heads


def _flag(line: str) -> tuple[Flag, str] | None:
    match = _FLAG.match(line)
    if match is None:
        return None
    names = re.split(r"[ ,|]+", match["names"])
    long = next((name for name in names if name.startswith("--")), None)
    short = next((name for name in names if not name.startswith("--")), None)
    value = match["value"] or match["optional"]
    return Flag(
        long=long,
        short=short,
        aliases=tuple(name for name in names if name not in (long, short)) or None,
        takes_value=value is not None,
        value_name=re.sub(r">([^<>]+)<", r"\1", value[1:-1]).removeprefix("=").removesuffix("...") if value else None,
        optional_value=True if match["optional"] else None,
        repeatable=True if value and value[:-1].endswith("...") else None,
    ), match["text"] or ""


def _arg(line: str) -> tuple[Arg, str] | None:
    match = _ARG.match(line)
    if match is None:
        return None
    name = match["name"]
    if name[0] in "<[":
        name = name[1:-1].removesuffix("...")
    return Arg(name=name, required=False, variadic=False), match["text"] or ""


def _flag_or_arg(line: str) -> tuple[Flag | Arg, str] | None:
    return _flag(line) if line.startswith("-") else _arg(line)


def _command(line: str) -> tuple[Subcommand, str] | None:
    match = _COMMAND.match(line)
    if match is None:
        return None
    name, *aliases = match["names"].split("|")
    return Subcommand(name=name, aliases=tuple(aliases)), match["text"] or ""


# Reads a line without indentation as the head of an entry: the unit and the text beside it.
_Reader = Callable[[str], tuple[Unit, str] | None]


def _doubtful(section: Section, column: int | None, *, has_commands: bool) -> list[Line]:
    """The lines of a section of text that look like heads."""
    like_commands = has_commands and column is not None and section.title and not _PROSE.search(section.title)
    return [
        line
        for line in section.lines
        if indent(line) <= _HEADS
        and (_column(line, _flag) is not None or (like_commands and _column(line, _command) == column))
    ]


def _column(line: str, reader: _Reader) -> int | None:
    """The column of the text beside a head; 0 when there is none, None when the line is no head."""
    read = reader(line.lstrip()) if line else None
    return None if read is None else len(line) - len(read[1]) if read[1] else 0


def _columns(block: Sequence[Line], reader: _Reader) -> Counter[int]:
    return Counter(filter(None, (_column(line, reader) for line in block if indent(line) == _HEADS)))


def _named_reader(title: str) -> _Reader | None:
    """What reads the heads below a title that says so."""
    if _UNITS.match(title):
        return _flag_or_arg if title.lower().endswith("arguments") else _flag
    return _command if _COMMANDS.match(title) and not _PROSE.search(title) else None


def _other_reader(section: Section, column: int | None, *, has_commands: bool) -> _Reader | None:
    """What reads the heads below a title of the author's own; None for text.

    The first line must be a flag as commander prints it, or all of them commands: tables of other things
    begin with a word too.
    """
    heads = [line for line in section.lines if indent(line) == _HEADS]
    if not section.title or _PROSE.search(section.title) or heads[:1] != list(filter(None, section.lines))[:1]:
        return None
    if heads and heads[0].lstrip().startswith("-"):
        return _flag if _column(heads[0], _flag) in (column, 0) else None
    if not heads or not has_commands or heads[0].split()[0].isupper():
        return None
    return _command if all(_column(head, _command) == column for head in heads) else None


@dataclass
class _Entry:
    """A head, the text beside it and the lines below; ``column`` is where its text goes on, once that is known."""

    line: Line
    unit: Unit
    beside: str
    column: int | None
    below: list[Line] = field(default_factory=list)


def _entries(block: Sequence[Line], reader: _Reader, column: int | None) -> tuple[list[_Entry], list[Line]]:
    """The entries of a section, and the lines that may be heads and may be text.

    ``loose`` says that the text above is one that commander did not wrap, because its author had indented a part
    of it: its lines stand anywhere, so a head needs a text in ``column`` to be told from them.
    """
    entries: list[_Entry] = []
    unread: list[Line] = []
    loose = nested = False
    for line, following in pairwise([*block, Line()]):
        depth, at = indent(line), _column(line, reader)
        if depth > _HEADS and entries:
            entry = entries[-1]
            if reader is _command and depth != column and at == column:
                nested = True  # a command of the command above, listed here too
            elif not nested:
                entry.column = entry.column or depth
                loose = loose or depth != entry.column
                entry.below.append(line)
            continue
        dashed = line.lstrip().startswith("-")
        bare = at == 0 and (not loose or (dashed and indent(following) > _HEADS))
        head = reader(line.lstrip()) if at is not None else None
        if head and (bare or at == column):
            entries.append(_Entry(line, *head, column=None if bare else column))
            loose = nested = False
        elif line and (head or dashed or not entries):
            unread.append(line)
        elif entries:
            # No wrapped text has an empty line, but a list of flags may have room between them.
            loose = loose or bool(line) or reader is not _flag
            entries[-1].below.append(line)
    return entries, unread


def _unit(entry: _Entry, section: str | None) -> Unit:
    """What an entry says."""
    text, aliases, facts = told([entry.beside, *entry.below])
    about, stability = split_stability(text)
    unit = entry.unit
    if isinstance(unit, Subcommand):
        further = tuple(dict.fromkeys((*unit.aliases, *aliases)))
        return replace(unit, aliases=further, about=about, stability=stability, section=section)
    return replace(unit, **facts, about=about, stability=stability, section=section)


def _untitled(above: Sequence[str], calls: Sequence[Line], gathered: Gathered) -> list[str]:
    """Gather the flags of a page that lists nothing below a title, if its usage names them; the text without them."""
    block = [line for line in above if isinstance(line, Line)]
    named = {name.strip("[]|") for call in calls for name in call.split()}
    taken: set[int] = set()
    for entry in _entries(block, _flag, _most(_columns(block, _flag)))[0]:
        if isinstance(entry.unit, Flag) and named & {entry.unit.long, entry.unit.short}:
            own = [entry.line, *entry.below]
            gathered.add(_unit(entry, None), own)
            taken.update(map(id, own))
    return [line for line in above if id(line) not in taken]


def _flush_left(page: list[Line]) -> list[Line]:
    """Versions before 2.20 print the whole page two columns further in."""
    first = next(filter(None, page), Line())
    if not first.startswith("  Usage:"):
        return page
    return [line.reading(line.removeprefix("  ")) for line in page]


def _most(columns: Counter[int]) -> int | None:
    return max(columns, key=columns.__getitem__, default=None)


def _read(text: str, program: str, path: Path) -> Page:
    parts = lines.split(_flush_left(lines.clean(text)), lambda line: _named_reader(line.removesuffix(":")) is not None)
    # A line of a wrapped description may be a title, too, but nothing stands below it.
    named = [(each, _named_reader(each.title) if any(each.lines) else None) for each in parts.sections]
    of_page = sum((_columns(section.lines, reader) for section, reader in named if reader), Counter[int]())
    column = _most(of_page)
    has_commands = any("[command]" in call or "<command>" in call for call in parts.usage)
    gathered = Gathered()
    above: list[str] = []
    in_units = False  # the description reaches to the first section with units
    for section, named_reader in named:
        reader = named_reader or _other_reader(section, column, has_commands=has_commands)
        if reader is None:
            gathered.leave(_doubtful(section, column, has_commands=has_commands) if in_units else [])
            above += [] if in_units else [*([f"{section.title}:"] if section.title else []), *section.lines]
            continue
        in_units = True
        own = _columns(section.lines, reader)
        entries, unread = _entries(section.lines, reader, column if column in own else _most(own))
        gathered.leave(unread)
        for entry in entries:
            title = None if section.title.lower() in _USUAL else section.title
            gathered.add(_unit(entry, title), [entry.line, *entry.below])
    if not in_units:
        above = _untitled(above, parts.usage, gathered)
    return gathered.page(
        usage_lines=parts.usage,
        about=paragraphs(above) or paragraphs(parts.about),
        program=program,
        path=path,
        stand_ins=(("[command]", "<command>"),),
    )


COMMANDER = Dialect(
    "commander",
    _read,
    signs=(
        re.compile(r"^Usage: .*\[options\]", re.MULTILINE),
        re.compile(r"^Usage: .*\S\n\n(?!\S+:$)\S.*\n(?:.*\n)*?(?:Arguments|Options):$", re.MULTILINE),
        re.compile(r"^  -h, --help\s+[dD]isplay help for command$", re.MULTILINE),
        re.compile(r"^  -V, --version\s+[oO]utput the version number$", re.MULTILINE),
        re.compile(r"^  help \[command\]\s+[dD]isplay help for command$", re.MULTILINE),
        re.compile(r"^  [\w-]+(?:\|[\w-]+)? \[options\]", re.MULTILINE),
        re.compile(r'\((?:default|choices): "', re.MULTILINE),
        re.compile(r"^  (?:-\w, )?--[\w-]+ [<\[][a-z][A-Za-z-]*(?:\.\.\.)?[>\]]  ", re.MULTILINE),
    ),
)
