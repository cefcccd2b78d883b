"""Dialect of yargs (JavaScript), versions 15 to 18: heads, texts in a column, tails at the right edge.

At any width; where lines are cut in words, from 80 columns on (below, a page may not show that they are).

Tails carry the facts: type, choices, default. A head is believed when its text stands in the column of its
section's texts, or when only a tail follows; commands are told by the whole path in front of their names.
Not told by help: the names of values, whether a value may be left out, which flags are inherited (they stand on
each page again). A flag without a type takes what stands behind it, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec.structs import replace

from pipeline.helptext import lines, usage
from pipeline.helptext.description import paragraphs, split_stability
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.gathered import Gathered
from pipeline.helptext.lines import Line, Section, indent
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.sections import NAME
from pipeline.helptext.yargs_rows import (
    COMMAND_TAIL,
    COMMAND_TAILS,
    HEADS,
    LONG_HEADS,
    UNIT_TAIL,
    UNIT_TAILS,
    Edge,
    Entry,
    Kind,
    edge_of,
    json_list,
    parted,
)
from pipeline.surface.units import Arg, Flag, Path, PossibleValue

_FLAG = re.compile(r"--[^\s,=\[\]-][^\s,=\[\]]*|-[^\s,\[\]-]")
_FLAG_BEGINS = re.compile(r"--[^\s,=\[\]-]|-[^\s,\[\]-](?:,|\s|\[|$)")
_ARG = re.compile(r"[^\s,\[\]<>\"'(-][^\s,\[\]<>]*")
_COMMAND = re.compile(NAME)
_USAGE = re.compile(r"usage:\s*", re.IGNORECASE)
_PROSE = re.compile(r"\b(?:examples?|notes?|environment)\b", re.IGNORECASE)
_USUAL = frozenset({"Options", "Positionals", "Commands"})
# What authors write into a usage for the subcommand and what it takes.
_STAND_INS = (("<command>", "[command]", "<cmd>", "[cmd]"), ("[args]", "[args..]", "[args...]"))


def _begins_flag(text: str, depth: int) -> bool:
    return (depth == HEADS and bool(_FLAG_BEGINS.match(text))) or (depth == LONG_HEADS and text.startswith("--"))


def _begins_arg(text: str, depth: int) -> bool:
    return depth == HEADS and bool(_ARG.match(text))


def _begins_command(program: str) -> Callable[[str, int], bool]:
    word = usage.program_of([program])
    return lambda text, depth: depth == HEADS and usage.program_of(text.split(maxsplit=1)[:1]) == word


_FLAGS = Kind(_begins_flag, UNIT_TAIL, UNIT_TAILS)
_ARGS = Kind(_begins_arg, UNIT_TAIL, UNIT_TAILS)


def _facts(tails: dict[str, str]) -> dict[str, Any]:
    """The keys of a flag or an arg that its tails tell."""
    default = tails.get("default")
    names = json_list(default or "")
    if default and default.startswith('"') and names and len(names) == 1:
        default = names[0]
    choices = json_list(tails.get("choices", "")) or ()
    return {"default": default, "possible_values": tuple(PossibleValue(name=name) for name in choices) or None}


def _flag(head: str, tails: dict[str, str]) -> Flag | None:
    names = re.split(r",\s*", head)
    if not all(map(_FLAG.fullmatch, names)):
        return None
    long = next((name for name in names if name.startswith("--")), None)
    short = next((name for name in names if not name.startswith("--")), None)
    kind = tails.get("type")
    is_switch = kind in ("boolean", "count") or (kind is None and tails.get("default") in ("true", "false"))
    return Flag(
        long=long,
        short=short,
        aliases=tuple(name for name in names if name not in (long, short)) or None,
        takes_value=not is_switch,
        optional_value=True if kind is None and not is_switch and "choices" not in tails else None,
        repeatable=True if kind in ("array", "count") else None,
        **_facts(tails),
    )


def _arg(head: str, tails: dict[str, str]) -> Arg | None:
    name = re.split(r",\s*", head)[0]
    if not _ARG.fullmatch(name):
        return None
    return Arg(name=name, required="required" in tails, variadic=tails.get("type") == "array", **_facts(tails))


def _command(head: str, tails: dict[str, str], program: str, path: Path) -> Subcommand | str | None:
    """A subcommand; or the call itself where it names none: what the command of this page does by default."""
    words = usage.after_path(usage.words(head), program, path)
    if words is None or not all(word[0] in "<[" for word in words[1:]):
        return None
    if not words or words[0][0] in "<[":
        return head
    aliases = re.split(r",\s*", tails["aliases"]) if "aliases" in tails else ()
    return Subcommand(name=words[0], aliases=tuple(aliases)) if _COMMAND.fullmatch(words[0]) else None


def _unit(
    entry: Entry, kind: Kind, program: str, path: Path, *, cuts_words: bool
) -> Flag | Arg | Subcommand | str | None:
    """What an entry says; None if it cannot be read."""
    text, tails = kind.told(entry)
    if entry.doubtful:
        return None
    unit: Flag | Arg | Subcommand | str | None
    if kind is _FLAGS:
        unit = _flag(entry.head, tails)
    elif kind.is_command:
        heads = (entry.head, entry.spaced) if cuts_words else (entry.spaced, entry.head)
        read = (_command(head, tails, program, path) for head in heads)
        unit = next((each for each in read if each is not None), None)
    else:
        unit = _arg(entry.head, tails)
    if unit is None or isinstance(unit, str):
        return unit
    about, stability = split_stability(text)
    return replace(unit, about=about, stability="deprecated" if "deprecated" in tails else stability)


class _Top(NamedTuple):
    usage: tuple[Line, ...]
    about: list[str]


def _top(block: Sequence[Line], edge: Edge, program: str, path: Path) -> _Top:
    """The usage, if the page begins with one, and the text below it."""
    # A banner is drawn, not written.
    written = [line for line in block if not line or any(map(str.isalnum, line))]
    first = next((number for number, line in enumerate(written) if line), 0)
    behind = next((number for number, line in enumerate(written) if number > first and not line), len(written))
    calls: list[Line] = []
    for number, line in enumerate(written[first:behind], first):
        text = _USAGE.sub("", line, count=1) if not calls else line.strip()
        before = written[number - 1]
        if calls and edge.column and len(before) + len(text.split()[0]) >= edge.column:
            between = edge.behind(before).replace("\n", " ")
            calls[-1] = Line.at(calls[-1].start, line.end, f"{calls[-1]}{between}{text}")
        elif (text != line and not calls) or _is_call(text, program, path):
            calls.append(line.reading(text))
        else:
            behind = number
            break
    return _Top(tuple(calls), [f"{line}{edge.behind(line)}" for line in written[behind:]])


def _is_call(text: str, program: str, path: Path) -> bool:
    """Whether a line names this command and its args, and nothing but these."""
    words = usage.words(text)
    if not words or usage.program_of(words) != usage.program_of([program]):
        return False
    rest = usage.after_path(words, program, path)
    return bool(path) if rest is None else all(word[0] in "<[-" for word in rest)


def _cut(page: Sequence[Line]) -> list[Section]:
    """Sections begin with a title above indented lines; what stands before the first one has no title."""
    sections = [Section("", [])]
    for line, below in pairwise([*page, Line()]):
        outermost = line and not line.startswith(" ")
        # The title of a group is the author's, with a colon or without; the usual ones have one.
        titled = line.endswith(":") and below.startswith(" " * HEADS)
        if outermost and (titled or _begins_flag(below.lstrip(), indent(below))):
            sections.append(Section(line.removesuffix(":"), []))
            continue
        if outermost and sections[-1].title:
            sections.append(Section("", []))
        sections[-1].lines.append(line)
    return sections


def _kind(section: Section, commands: Kind) -> Kind | None:
    """What a section lists; below a title of the author's own it begins with a flag. None for text."""
    known = {"Commands": commands, "Positionals": _ARGS, "Options": _FLAGS}.get(section.title)
    if known or not section.title or _PROSE.search(section.title):
        return known
    first = next(filter(None, section.lines), Line())
    head, _ = parted(first.lstrip(), UNIT_TAIL)
    names = re.split(r",\s*", head.removesuffix(","))
    if names[-1] in ("-", "--"):  # a full line was cut in the next name
        names.pop()
    is_flag = _begins_flag(first.lstrip(), indent(first)) and all(map(_FLAG.fullmatch, names))
    return _FLAGS if is_flag else None


def _read(text: str, program: str, path: Path) -> Page:
    page = lines.clean(text)
    edge = edge_of(page)
    first, *sections = _cut(page)
    top = _top(first.lines, edge, program, path)
    commands = Kind(_begins_command(program), COMMAND_TAIL, COMMAND_TAILS, is_command=True)
    gathered = Gathered()
    above, further = list(top.about), list[str]()
    in_units = False  # the description reaches to the first section with units
    for section in sections:
        kind = _kind(section, commands)
        if kind is None:
            heads = [line for line in section.lines if _begins_flag(line.lstrip(), indent(line))]
            gathered.leave(heads if in_units else [])
            above += [] if in_units else [f"{line}\n" for line in (f"{section.title}:", *section.lines)]
            continue
        in_units = True
        entries, unread = kind.entries(section.lines, edge)
        gathered.leave(unread)
        for entry in entries:
            unit = _unit(entry, kind, program, path, cuts_words=edge.cuts_words)
            if unit is None:
                gathered.leave(entry.lines)
            elif isinstance(unit, str):
                further.append(unit)
            else:
                title = None if section.title in _USUAL else section.title
                gathered.add(replace(unit, section=title), entry.lines)
    return gathered.page(
        usage_lines=top.usage,
        about=paragraphs("".join(above).split("\n")),
        program=program,
        path=path,
        stand_ins=_STAND_INS,
        further=further,
    )


YARGS = Dialect(
    "yargs",
    _read,
    signs=(
        re.compile(r"\[(?:boolean|string|number|array|count)\](?: \[|$)", re.MULTILINE),
        re.compile(r"^  -\w, --[\w-]+ .*\[(?:boolean|string|number|array|count)\]", re.MULTILINE),
        re.compile(r"^      --[\w-]+ .*\[(?:boolean|string|number|array|count)\]", re.MULTILINE),
        re.compile(r"^Positionals:$", re.MULTILINE),
        re.compile(r"--help\s+[sS]how help\s+\[boolean\]$", re.MULTILINE),
        re.compile(r"--version\s+[sS]how version number\s+\[boolean\]$", re.MULTILINE),
        re.compile(r'\[choices: "', re.MULTILINE),
        re.compile(r"^Commands:\n  (?P<program>\S+) .*\n(?:(?:  (?P=program) |   +).*\n)*$", re.MULTILINE),
    ),
)
