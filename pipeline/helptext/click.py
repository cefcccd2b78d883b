"""Dialect of Python's click and of typer, plain or in rich's boxes, at any width.

click prints all titles in the first column and indents all prose, so only what stands below a title is read; an
empty line before a further line in the column of heads begins the epilog. A name that a narrow box cuts off
(``--no-for…``) and whatever else is doubtful is an unread line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from pipeline.helptext import lines, operands, panels
from pipeline.helptext.description import paragraphs
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.lines import Line, Section, indent, span_of
from pipeline.helptext.metavar import choices_of, sides_of, valued
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.placeholder import SPELLING, flag_of
from pipeline.helptext.rows import Row, first_column, rows
from pipeline.helptext.sections import NAME, is_title
from pipeline.helptext.tails import described, split_deprecated, told
from pipeline.helptext.usage import Slot, words
from pipeline.surface.units import Arg, Flag, Path, flag_order, key_of

_USUAL = re.compile(r"options|(?:positional )?arguments|commands", re.IGNORECASE)
_COMMANDS = re.compile(r"(?:.*\s)?(?:sub)?commands", re.IGNORECASE)
_ARGUMENTS = re.compile(r"(?:.*\s)?arguments", re.IGNORECASE)
_PROSE = re.compile(r"\b(?:examples?|notes?|environment|exit|see|error)\b", re.IGNORECASE)
_COMMAND = re.compile(rf"({NAME})\*?((?:, {NAME})*)(?: \(({NAME}(?:, {NAME})*)\))?$")
_GROUP = re.compile(r"[^-].*:(?: \[[^\[\]]+\])?$")
_PLACEHOLDER = re.compile(r"COMMAND\d*|\[?(?:COMMAND\d*|ARGS)\b.*")
_SWITCHES = frozenset({None, "BOOLEAN", "<bool>"})  # in typer's boxes flags that take no value have a type too
_TYPES = "(?:TEXT|INTEGER|FLOAT|PATH|FILE|FILENAME|DIRECTORY)"
_BROKEN = re.compile(r"[\[{][^\[\]{} ]*\|[^\[\]{}]*[\]}]")


@dataclass
class _Found:
    """What has been read so far; ``calls`` are the usage lines' positionals."""

    calls: list[list[Slot]]
    group: bool
    span: str | None
    flags: dict[str, Flag] = field(default_factory=dict)
    args: dict[str, Arg] = field(default_factory=dict)
    commands: dict[str, Subcommand] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def named(self, name: str) -> str | None:
        """An arg's name as the usage spells it."""
        names = (slot.name for call in self.calls for slot in call)
        return next((each for each in names if each.strip("{}").casefold() == name.strip("{}").casefold()), None)


def _read(text: str, program: str, path: Path) -> Page:
    page = lines.clean(text)
    boxed = panels.split(page)
    parts = boxed.parts if boxed else lines.split(page, is_title)
    found = _found(parts.usage, program, path)
    about: list[Line] = []
    if boxed:
        about = parts.about
        for panel in boxed.panels:
            _add_panel(panel, found)
    else:
        begun = False
        for section in parts.sections:
            begun = begun or bool(section.title)
            if begun:
                _add_section(section, found)
            else:
                about += section.lines
    said, stability = split_deprecated(paragraphs(about or parts.about))
    return Page(
        usage_lines=tuple(map(str, parts.usage)),
        about=said,
        stability=stability,
        subcommands=tuple(found.commands.values()),
        flags=tuple(sorted(found.flags.values(), key=flag_order)),
        args=tuple(_args(found)),
        unread_lines=tuple(map(str, found.unread)),
    )


def _found(usage: Sequence[Line], program: str, path: Path) -> _Found:
    calls, group = [], False
    for line in usage:
        said = words(_BROKEN.sub(lambda values: values[0].replace(" ", ""), line) if _is_joined(line) else line)
        rest = operands.behind(said, program, path)
        group = group or any(_PLACEHOLDER.match(word) for word in rest)
        # "{name}" is how typer spells an arg that is required, "{a|b}" how click spells the values of one.
        calls.append(operands.operands([f"<{word[1:-1]}>" if _is_name(word) else word for word in rest], {}))
    return _Found(calls, group, span_of(usage))


def _is_joined(line: Line) -> bool:
    """Whether a usage is several lines of the page: click breaks a list of values anywhere that is too long for one."""
    return line.end - line.start > len(line.encode())


def _is_name(word: str) -> bool:
    return word[0] == "{" and word[-1] == "}" and "|" not in word


def _add_section(section: Section, found: _Found) -> None:
    usual = is_title(f"{section.title}:")
    body, epilog = _body(section.lines)
    entries = rows(body)
    if not section.title or (not usual and (_PROSE.search(section.title) or not _holds_units(entries, found))):
        epilog = section.lines
        entries = []
    for row in entries:
        inner = _group(row)
        for each in inner or [row]:
            _add(each, row.head.rpartition(":")[0] if inner else section.title, found)
    for row in rows(epilog):
        if sides_of(row.head) and not _PROSE.search(section.title):
            found.unread += row.lines


def _group(row: Row) -> list[Row]:
    """The flags that click-option-group prints below a title with a colon and its text, two columns further in."""
    column = indent(row.line) + 2
    begin = next((place for place, line in enumerate(row.below) if line and indent(line) == column), len(row.below))
    inner = rows(row.below[begin:]) if _GROUP.match(row.head) else []
    return inner if any(sides_of(each.head) for each in inner) else []


def _body(below: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The rows of a section, and what stands behind an empty line in the column of heads: the epilog."""
    column = first_column(below)
    begun = False
    for place, line in enumerate(below):
        if line and begun and not below[place - 1] and indent(line) <= column:
            return list(below[:place]), list(below[place:])
        begun = begun or bool(line)
    return list(below), []


def _holds_units(entries: Sequence[Row], found: _Found) -> bool:
    """Whether a title of the author's own stands above flags, args, or the commands of a group."""
    first = entries[0].head if entries else ""
    return bool(sides_of(first) or found.named(_bare(first))) or (
        found.group and all(_COMMAND.match(row.head) and row.beside for row in entries)
    )


def _add(row: Row, title: str, found: _Found) -> None:
    section = None if _USUAL.fullmatch(title) else title
    if row.head.startswith("-"):
        read = _add_flags(row, section, found)
    elif _COMMANDS.fullmatch(title):
        read = _add_command(row, section, found)
    elif _ARGUMENTS.fullmatch(title) or found.named(_bare(row.head)):
        read = _add_arg(row, section, found)
    else:
        read = found.group and _add_command(row, section, found)
    if not read:
        found.unread += row.lines


def _add_flags(row: Row, section: str | None, found: _Found) -> bool:
    sides = sides_of(row.head)
    # A head that is all plain words may be a sentence: "--force is dangerous".
    value = sides[0][1] if sides else None
    if value and value.islower() and value.replace(" ", "").isalpha() and (" " in value or not row.has_text):
        return False
    return bool(sides) and _add_sides(sides, row.text, row.span, section, found)


def _add_sides(
    sides: Sequence[tuple[list[str], str | None]],
    text: Sequence[str],
    span: str | None,
    section: str | None,
    found: _Found,
) -> bool:
    flags = [valued(flag_of(names, None), value) for names, value in sides]
    if any(key_of(flag) in found.flags for flag in flags):
        return False
    found.flags |= {key_of(flag): flag for flag in described(flags, text, section, span)}
    return True


def _add_command(row: Row, section: str | None, found: _Found) -> bool:
    match = _COMMAND.match(row.head)
    if match is None or match[1] in found.commands:
        return False
    says = told(row.text)
    further = (match[2].removeprefix(", ") or match[3] or "").split(", ")
    found.commands[match[1]] = Subcommand(
        name=match[1],
        aliases=tuple(filter(None, further)),
        about=says.about,
        section=section,
        stability=says.stability,
        span=row.span,
    )
    return True


def _add_arg(row: Row, section: str | None, found: _Found, value: str | None = None) -> bool:
    name = found.named(_bare(row.head)) or (_bare(row.head) if not any(found.calls) else None)
    if not name or name in found.args:
        return False
    says = told(row.text)
    found.args[name] = Arg(
        name=name,
        required=True,
        variadic=False,
        possible_values=choices_of(value) if value else None,
        default=says.default,
        env=says.env,
        about=says.about,
        stability=says.stability,
        section=section,
        span=row.span,
    )
    return True


def _bare(head: str) -> str:
    """The name of a listed arg: ``[FILE]``, ``FILES...``, ``name <str>`` or ``{a|b}``."""
    slots = operands.operands(words(head)[:1], {})
    return slots[0].name if slots else ""


def _args(found: _Found) -> list[Arg]:
    known = bool(found.commands)
    calls = [[slot for slot in call if not (known and _PLACEHOLDER.fullmatch(slot.name))] for call in found.calls]
    return [_with_choices(arg) for arg in operands.args(calls, found.args, found.span)]


def _with_choices(arg: Arg) -> Arg:
    return replace(arg, possible_values=choices_of(f"[{arg.name}]")) if "|" in arg.name else arg


def _add_panel(panel: panels.Panel, found: _Found) -> None:
    section = None if _USUAL.fullmatch(panel.title) else panel.title
    if _PROSE.search(panel.title):
        return
    flags = panels.flags(panel)
    if flags is not None:
        for flag in flags:
            sides = [(side, None if flag.value in _SWITCHES else flag.value) for side in flag.sides]
            whole = all(re.fullmatch(SPELLING, name) for side in flag.sides for name in side)
            if flag.doubtful or not whole or not _add_sides(sides, flag.text, flag.span, section, found):
                found.unread += flag.lines
        return
    holds_args = bool(_ARGUMENTS.fullmatch(panel.title))
    for row, value in panels.rows(panel, typed=holds_args):
        if found.named(_bare(row.head)):
            read = _add_arg(row, section, found, value)
        else:
            read = (found.group or bool(_COMMANDS.fullmatch(panel.title))) and _add_command(row, section, found)
        if not read:
            found.unread += row.lines


CLICK = Dialect(
    "click",
    _read,
    signs=(
        re.compile(r"^ ?Usage: \S.*\[OPTIONS\](?: [A-Z{\[][^<>]*)?$", re.MULTILINE),
        re.compile(r"^ ?Usage: (?:.*\s)?\[?COMMAND\]? \[ARGS\]\.\.\.$", re.MULTILINE),
        re.compile(r"^[ │|]+(?:-h, )?--help\b.* Show\s+this\s+message\s+and\s+exit\.", re.MULTILINE),
        re.compile(rf"^ +(?:-\S, )?--[\w-]+ (?:{_TYPES}\b|<{_TYPES}(?: {_TYPES})+>\.\.\.)", re.MULTILINE),
        re.compile(r"^ +(?:-\S, )?--[\w-]+ \[[^\s\[\]]+\|[^\s\[\]]+\]", re.MULTILINE),
        re.compile(r"^ +(?:-\S, )?--[\w-]+ / (?:-\S, )?--[\w-]+", re.MULTILINE),
        re.compile(r"^╭─ (?:Options|Arguments|Commands) ─", re.MULTILINE),
        re.compile(r"^Usage: \S.*\n\n  \S", re.MULTILINE),
    ),
)
