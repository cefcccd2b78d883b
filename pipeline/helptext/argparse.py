"""Dialect of Python's argparse and optparse: their help as printed, at any width, with groups of any title.

argparse makes the usage and the lists from the same definitions. So where the usage is its own, a flag that it does
not spell is text that looks like one, and its bare words say which args are required; where the usage is written by
hand, only what is printed exactly as argparse and optparse do is read. A doubtful line is an unread line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.helptext import lines, operands
from pipeline.helptext.argparse_usage import Usage, key
from pipeline.helptext.description import paragraphs, split_stability
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.lines import Line, Section, indent, span_of
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.placeholder import SPELLING, choices_of, flags_of, placeholder
from pipeline.helptext.rows import Row, row_of, rows
from pipeline.helptext.sections import NAME, is_title
from pipeline.helptext.tails import described, told
from pipeline.helptext.usage import Slot
from pipeline.surface.units import Arg, Flag, Path, flag_names, flag_order, key_of

_USUAL = re.compile(r"(?:positional |optional )?arguments|options", re.IGNORECASE)
_COMMANDS = re.compile(r"(?:.*\s)?(?:sub-?)?commands", re.IGNORECASE)
_PROSE = re.compile(r"\b(?:examples?|notes?|environment|exit|see|usage)\b", re.IGNORECASE)
_HEAD = re.compile(rf"({SPELLING})(?:[ =](\S.*))?$")
_COMMAND = re.compile(rf"({NAME})(?: \(({NAME}(?:, {NAME})*)\))?$")
_HELP = Flag(long="--help", short="-h", takes_value=False)
_STANDS_FOR = re.compile(r"(?:sub-?)?commands?|cmd|args", re.IGNORECASE)  # a subcommand, beside a list of them
_CHILD = 2  # columns that a subparser stands further in than the list of their names


@dataclass
class _Found:
    """What has been read so far. ``takes`` says how many words stand behind a flag in the usage."""

    usage: Usage
    flags: dict[str, Flag] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)
    args: dict[str, Arg] = field(default_factory=dict)
    commands: dict[str, Subcommand] = field(default_factory=dict)
    parsers: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)


def _read(text: str, program: str, path: Path) -> Page:
    parts = lines.split(lines.clean(text), is_title)
    blocks = [block for section in parts.sections for block in _blocks(section)]
    found = _Found(Usage(parts.usage, program, path))
    found.usage.own = _is_own(found.usage, blocks)
    if _lists_remainder(found.usage, blocks):
        found.usage.parsers = frozenset()
    about: list[str] = []
    begun = False
    for block in blocks:
        entries = _entries(block, found)
        if entries:
            begun = True
            for row in entries:
                _add(row, block.title, found)
        elif not begun:
            # Between the usage and the first group stands the description, which may have lines with a colon.
            about += [*([f"{block.title}:"] if block.title and block.title != "Description" else []), *block.lines]
        elif not found.usage.own:
            found.unread += [
                line for line in block.lines if _flags(row_of(line, [])) and not _PROSE.search(block.title)
            ]
    said, stability = split_stability(paragraphs(about or parts.about))
    return Page(
        usage_lines=tuple(map(str, parts.usage)),
        about=said,
        stability=stability,
        subcommands=tuple(found.commands.values()),
        flags=tuple(sorted(found.flags.values(), key=flag_order)),
        args=tuple(_args(found, parts.usage)),
        unread_lines=tuple(map(str, found.unread)),
    )


def _blocks(section: Section) -> list[Section]:
    """A section, and the groups with titles of their own inside it, as optparse prints them."""
    outer, groups = Section(section.title, []), []
    for row in rows(section.lines):
        if row.line.endswith(":") and not row.beside and any(_flags(inner) for inner in rows(row.below)):
            groups.append(Section(row.head[:-1], row.below))
        else:
            outer.lines.extend([row.line, *row.below])
    return [outer, *groups]


def _is_own(usage: Usage, blocks: Sequence[Section]) -> bool:
    """Whether argparse made the usage: one call, with the help flag and all flags of the usual group.

    Where no such group is, a usage with the help flag and without a word for all others is taken for its own.
    """
    groups = [[flags[0] for row in rows(block.lines) if (flags := _flags(row))] for block in blocks]
    usual = [group for group, block in zip(groups, blocks, strict=True) if group and _USUAL.fullmatch(block.title)]
    helps = [flag for group in groups for flag in group if flag.long == "--help"]
    spelled = all(map(usage.spells, [*usual[0], *helps])) if usual else usage.spells(_HELP) and not usage.open
    return len(usage.calls) == 1 and spelled


def _lists_remainder(usage: Usage, blocks: Sequence[Section]) -> bool:
    """Whether ``{a,b} ...`` is an arg and the remainder, which has its name in the list alone, and no subparsers."""
    heads = [key(row.head) for block in blocks if block.title == "positional arguments" for row in rows(block.lines)]
    return any(head not in usage.names for head in heads)


def _entries(block: Section, found: _Found) -> list[Row]:
    """The rows of a group behind its description; none where it is no group."""
    usual = is_title(f"{block.title}:")
    if not usual and (not block.title or (_PROSE.search(block.title) and not found.usage.own)):
        return []
    start = 0
    while start < len(block.lines):
        line = block.lines[start]
        if line and _is_unit(row_of(line, []), block.title, found):
            return rows(block.lines[start:])
        # The description ends with an empty line.
        start = (
            next((place for place in range(start, len(block.lines)) if not block.lines[place]), len(block.lines)) + 1
        )
    return rows(block.lines) if usual else []


def _is_unit(row: Row, title: str, found: _Found) -> bool:
    flags = _flags(row)
    if flags:
        return found.usage.spells(flags[0]) or not found.usage.own
    return key(row.head) in found.usage.names or (
        bool(_COMMANDS.fullmatch(title)) and _COMMAND.match(row.head) is not None
    )


def _add(row: Row, title: str, found: _Found) -> None:
    section = None if _USUAL.fullmatch(title) or _COMMANDS.fullmatch(title) else title
    if row.head.startswith("-"):
        read = _add_flags(row, section, found)
    else:
        read = (
            _add_subparsers(row, title, section, found)
            or _add_arg(row, title, section, found)
            or (bool(_COMMANDS.fullmatch(title)) and _add_command(row, section, found))
        )
    if not read:
        found.unread += row.lines


def _add_flags(row: Row, section: str | None, found: _Found) -> bool:
    flags = _flags(row)
    if not flags or any(key_of(flag) in found.flags for flag in flags):
        return False
    _, value = _head(row.head) or ([], None)
    if found.usage.own and not found.usage.spells(flags[0]):
        return False
    if value and not found.usage.shows(flags[0], value):
        words = placeholder(value)
        # "--tag is old" and, with nothing beside or below it, "--tag is" may be sentences.
        if words.doubtful or (not row.has_text and value.islower() and value[0].isalpha()):
            return False
    for flag in described(flags, row.text, section, row.span):
        found.flags[key_of(flag)] = flag
        for name in flag_names(flag):
            found.takes[name] = placeholder(value).words if value else 0
    return True


def _flags(row: Row) -> list[Flag]:
    """The flags of a head; none when it is no head of flags."""
    head = _head(row.head)
    return flags_of(head[0], placeholder(head[1]) if head[1] else None) if head else []


def _head(text: str) -> tuple[list[str], str | None] | None:
    """``-x X, --xx X``, ``-x, --xx X`` or ``-x X, --xx=X`` -> its names and the text of its value."""
    pieces = [_HEAD.match(piece) for piece in re.split(r", (?=-)", text)]
    values = {piece[2] for piece in pieces if piece}
    if None in pieces or len(values - {None}) > 1 or (values - {None} and pieces[-1] and not pieces[-1][2]):
        return None
    return [piece[1] for piece in pieces if piece], pieces[-1][2] if pieces[-1] else None


def _add_subparsers(row: Row, title: str, section: str | None, found: _Found) -> bool:
    """``{a,b}`` or a metavar with the subparsers below it, two columns further in than the list of their names."""
    listed = choices_of(row.head)
    name = key(row.head)
    if not listed and name not in found.usage.parsers and "command" not in f"{row.head} {title}".lower():
        return False
    column = indent(row.line) + _CHILD
    beside = len(row.line) - len(row.beside) if row.beside else None
    children: list[Row] = []
    if column != beside:
        begins = [place for place, line in enumerate(row.below) if line and indent(line) == column]
        heads = [place for place in begins if _COMMAND.match(row_of(row.below[place], []).head)]
        children = [row_of(row.below[a], row.below[a + 1 : b]) for a, b in pairwise([*heads, len(row.below)])]
    known = {value.name for value in listed or ()}
    commands = [_command(child, section) for child in children]
    if listed:
        commands = [command for command in commands if command.name in known]
    if not commands and not (listed and name in found.usage.parsers):
        return False
    described = {name for command in commands for name in (command.name, *command.aliases)}
    commands += [
        Subcommand(name=value.name, section=section, span=span_of([row.line]))
        for value in listed or ()
        if value.name not in described
    ]
    found.parsers.add(name)
    for command in commands:
        found.commands.setdefault(command.name, command)
    return True


def _command(row: Row, section: str | None) -> Subcommand:
    match = _COMMAND.match(row.head)
    name, aliases = (match[1], match[2]) if match else (row.head, None)
    says = told(row.text)
    return Subcommand(
        name=name,
        aliases=tuple(aliases.split(", ")) if aliases else (),
        about=says.about,
        section=section,
        stability=says.stability,
        span=row.span,
    )


def _add_command(row: Row, section: str | None, found: _Found) -> bool:
    command = _command(row, section)
    if not _COMMAND.match(row.head) or command.name in found.commands:
        return False
    found.commands[command.name] = command
    return True


def _add_arg(row: Row, title: str, section: str | None, found: _Found) -> bool:
    name = key(row.head)
    known = name in found.usage.names
    if not known:
        is_args = title.lower().endswith("arguments")
        if is_args and "..." in found.usage.names and "..." not in found.args:
            name = "..."  # the remainder has its name in the list alone
        elif not is_args or found.usage.own or " " in name:
            return False
    if name in found.args:
        return False
    says = told(row.text)
    found.args[name] = Arg(
        name=key(row.head),
        required=True,
        variadic=False,
        possible_values=choices_of(row.head),
        default=says.default,
        env=says.env,
        about=says.about,
        stability=says.stability,
        section=section,
        span=row.span,
    )
    return True


def _args(found: _Found, usage: Sequence[Line]) -> list[Arg]:
    """All args with their places. The usage tells what is required and repeated, and names what no list has."""
    placeholders = {name for name in found.usage.names if found.commands and _STANDS_FOR.fullmatch(name)}
    parsers = found.parsers | (placeholders - found.args.keys())
    calls = []
    for number, call in enumerate(found.usage.slots(found.takes)):
        slots: list[Slot] = []
        for before, slot in pairwise([None, *call]):
            if slot is None or slot.name in parsers:
                continue
            if slot.name == operands.REST and before and before.name in parsers:
                continue
            if slot.bare and not found.usage.own and slot.name not in found.args and not slot.name.isupper():
                # A word of a hand-written usage may as well be typed as it stands: "demo cache purge".
                found.unread.append(usage[number])
            else:
                slots.append(slot)
        calls.append(slots)
    return operands.args(calls, found.args, span_of(usage))


ARGPARSE = Dialect(
    "argparse",
    _read,
    signs=(
        re.compile(r"^usage: \S.*\[-h\]", re.MULTILINE),
        re.compile(r"^(?:positional|optional) arguments:$|^options:$", re.MULTILINE),
        re.compile(r"^ +-h, --help +show this help message and exit", re.MULTILINE),
        re.compile(r"^ +--?[\w-]+ (\S+), --?[\w-]+[ =]\1", re.MULTILINE),
        re.compile(r"^ +\{[^\s{}]+,[^\s{}]+\}", re.MULTILINE),
        re.compile(r"\(default: [^()\n]+\)$", re.MULTILINE),
        # a help flag in a usage of argparse's own making, and a group right below a usage
        re.compile(r"^usage: .*(?:\n +\S.*)*\n\n(?:\S.*\n+)*\S.*:\n {2}-", re.MULTILINE),
        # optparse prints groups inside its options
        re.compile(r"^Options:\n(?:  .*\n)*\n  \S.*:\n    -", re.MULTILINE),
        re.compile(r"^    -h, --help {2,}\S", re.MULTILINE),
        # pip's own layout of optparse
        re.compile(r"^Usage: {3}$", re.MULTILINE),
        re.compile(r"^General Options:$", re.MULTILINE),
        re.compile(r"^  -h, --help +Show help\.$", re.MULTILINE),
    ),
)
