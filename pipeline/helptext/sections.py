"""The parts of a page and a dialect's grammar -> the page.

A grammar reads the head of one entry (``-c, --config <FILE>``); what is the same in every dialect is done
here: which section holds what, where an entry ends and its description begins, which lines are unread.
An entry begins in the section's first column; long names without a short one stand four columns further in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.helptext import usage
from pipeline.helptext.args import placed
from pipeline.helptext.description import ALIASES, describe, paragraphs, split_stability
from pipeline.helptext.lines import Line, Parts, Section, indent, span_of
from pipeline.helptext.page import Page, Subcommand
from pipeline.surface.units import Arg, Flag, Path, flag_names, flag_order, key_of

_COMMANDS = re.compile(r"(?:.*\s)?(?:sub)?commands$", re.IGNORECASE)
_UNITS = re.compile(r"(?:.*\s)?(?:options|flags|arguments|args|positionals)$", re.IGNORECASE)
_USUAL = frozenset({"options", "flags", "arguments", "args", "commands", "subcommands"})
# Their lines may look like flags and are none of this command's.
_PROSE = re.compile(
    r"\b(?:examples?|notes?|environment|exit\s+(?:codes?|status)|see\s+also|learn\s+more)\b", re.IGNORECASE
)
# A subcommand's name. It never ends in a colon: an "Examples:" below a description is no command.
NAME = r"\w(?:[\w.:+@/-]*[\w+])?"
_LONG_OFFSET = len("-x, ")
_COMMAND_FACTS = frozenset(ALIASES)
_ARG_FACTS = frozenset({"possible values", "default", "env"})
_FLAG_FACTS = _COMMAND_FACTS | _ARG_FACTS


@dataclass(frozen=True)
class Grammar:
    """How a dialect spells the head of an entry. Each reader takes a line without indentation and returns
    the unit and the text beside it, or None when the line is no such head."""

    flag: Callable[[str], tuple[Flag, str] | None]
    arg: Callable[[str], tuple[Arg, str] | None]
    command: Callable[[str], tuple[Subcommand, str] | None]


@dataclass
class _Found:
    subcommands: dict[str, Subcommand] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)
    args: dict[str, Arg] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def is_title(line: str) -> bool:
    """Whether a line names a section that holds commands, flags or args."""
    title = line.removesuffix(":")
    return title != line and bool(_COMMANDS.match(title) or _UNITS.match(title))


def assemble(parts: Parts, grammar: Grammar, program: str, path: Path) -> Page:
    """Read all sections and put the page together."""
    found = _Found()
    for section in parts.sections:
        _read_section(section, grammar, program, found)
    about, stability = split_stability(paragraphs(parts.about))
    flags = found.flags.values()
    args, unread_usage = placed(
        tuple(found.args.values()),
        [usage.behind_path(line, program, path) for line in parts.usage],
        {name: len((flag.value_name or "").split()) for flag in flags for name in flag_names(flag)},
        has_subcommands=bool(found.subcommands),
    )
    # What no list says was read from the usage.
    args = [arg if arg.span else replace(arg, span=span_of(parts.usage)) for arg in args]
    return Page(
        usage_lines=tuple(map(str, parts.usage)),
        about=about,
        stability=stability,
        subcommands=tuple(found.subcommands.values()),
        flags=tuple(sorted(flags, key=flag_order)),
        args=tuple(sorted(args, key=lambda arg: arg.name)),
        unread_lines=tuple(map(str, (*(parts.usage[number] for number in unread_usage), *found.unread))),
    )


def _read_section(section: Section, grammar: Grammar, program: str, found: _Found) -> None:
    title, lines = section
    if _COMMANDS.match(title):
        add, offset = _add_command, 0
    elif _UNITS.match(title) or (_is_open(title, program) and _begins_with_unit(lines, grammar)):
        add, offset = _add_unit, _LONG_OFFSET
    else:
        if not _PROSE.search(title):  # a flag in it would be a loss that nobody sees
            found.unread += [line for line in lines if line.lstrip().startswith("-") and grammar.flag(line.lstrip())]
        return
    shown = None if title.lower() in _USUAL else title
    for entry in _entries(lines, offset):
        if entry.doubtful or not add(entry, grammar, shown, found):
            found.unread += filter(None, [entry.line, *entry.text])


def _is_open(title: str, program: str) -> bool:
    """Whether a title of the author's own may stand above flags: no prose, and no other command's page."""
    return bool(title) and not _PROSE.search(title) and not f"{title} ".startswith(f"{program} ")


def _begins_with_unit(lines: Sequence[str], grammar: Grammar) -> bool:
    first = next((line.lstrip() for line in lines if line), "")
    return (grammar.flag if first.startswith("-") else grammar.arg)(first) is not None


class _Entry(NamedTuple):
    """The line that an entry begins with and the deeper lines below it; ``doubtful`` if it may be wrapped text."""

    line: Line
    text: list[Line]
    doubtful: bool

    @property
    def span(self) -> str | None:
        return span_of([self.line, *self.text])

    @property
    def head(self) -> str:
        return self.line.lstrip()


def _entries(lines: Sequence[Line], offset: int) -> list[_Entry]:
    """The entries of a section, where long names without a short one stand ``offset`` columns further in.

    Nothing deeper than the columns of heads begins an entry, whatever it looks like: it is wrapped text.
    Where long names stand in both columns, one in the deeper column may be either: it is doubtful.
    """
    column, in_both = _first_column(lines, offset)
    entries: list[_Entry] = []
    for line in lines:
        depth = indent(line)
        is_long = depth == column + offset and line.startswith("--", depth)
        if line and (depth <= column or is_long):
            entries.append(_Entry(line, [], doubtful=in_both and depth > column))
        elif entries:
            entries[-1].text.append(line)
    return entries


def _first_column(lines: Sequence[str], offset: int) -> tuple[int, bool]:
    """The column where heads begin, and whether long names without a short one stand in it too."""
    heads = [(indent(line), line.lstrip()) for line in lines if line]
    if not heads:
        return 0, False
    column, first = heads[0]
    shallower = column - offset
    if first.startswith("--") and shallower > 0 and not any(at == column and _is_short(head) for at, head in heads):
        return shallower, False
    return column, any(at == column and head.startswith("--") for at, head in heads)


def _is_short(head: str) -> bool:
    return head.startswith("-") and not head.startswith("--")


def _add_command(entry: _Entry, grammar: Grammar, section: str | None, found: _Found) -> bool:
    read = grammar.command(entry.head)
    if read is None or read[0].name in found.subcommands:
        return False
    command, beside = read
    told = describe([beside, *entry.text], _COMMAND_FACTS)
    found.subcommands[command.name] = replace(
        command,
        aliases=_distinct(command.aliases, told.aliases),
        about=told.about,
        section=section,
        stability=told.stability,
        span=entry.span,
    )
    return True


def _add_unit(entry: _Entry, grammar: Grammar, section: str | None, found: _Found) -> bool:
    return (_add_flag if entry.head.startswith("-") else _add_arg)(entry, grammar, section, found)


def _add_flag(entry: _Entry, grammar: Grammar, section: str | None, found: _Found) -> bool:
    read = grammar.flag(entry.head)
    if read is None or key_of(read[0]) in found.flags:
        return False
    flag, beside = read
    told = describe([beside, *entry.text], _FLAG_FACTS)
    further = tuple(name if name.startswith("-") else f"--{name}" for name in told.aliases)
    found.flags[key_of(flag)] = replace(
        flag,
        aliases=_distinct(flag.aliases or (), further) or None,
        possible_values=told.possible_values,
        default=told.default,
        env=told.env,
        about=told.about,
        stability=told.stability,
        section=section,
        span=entry.span,
    )
    return True


def _add_arg(entry: _Entry, grammar: Grammar, section: str | None, found: _Found) -> bool:
    read = grammar.arg(entry.head)
    if read is None or read[0].name in found.args:
        return False
    arg, beside = read
    told = describe([beside, *entry.text], _ARG_FACTS)
    found.args[arg.name] = replace(
        arg,
        possible_values=told.possible_values,
        default=told.default,
        env=told.env,
        about=told.about,
        stability=told.stability,
        section=section,
        span=entry.span,
    )
    return True


def _distinct(first: Sequence[str], further: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *further)))
