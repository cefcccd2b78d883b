"""Dialect of cobra (Go) with flags printed by pflag: the usual template, and those of docker, gh and kubectl.

Columns decide, not looks: pflag starts all texts of a section in one column, and cobra those of all commands of a
page; what is off its column is an unread line. The command's own description may hold anything (tables, titles,
another "Usage:"): units are only looked for behind the usage, or before it where kubectl's footer ends the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.helptext import lines, pflag, usage
from pipeline.helptext.args import placed
from pipeline.helptext.description import paragraphs, split_stability
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.lines import Line, Section, indent, span_of
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.sections import NAME
from pipeline.surface.units import Flag, Path, flag_order

_USAGE = re.compile(r"(?:Usage:|USAGE$)\s*")
_TITLE = re.compile(r"\S.*:$|[A-Z]+(?: [A-Z]+)*$")
_COMMANDS = re.compile(r"(?:.* )?commands(?: \(.*\))?$", re.IGNORECASE)
_GLOBAL = "the following options can be passed to any command"
_FLAGS = re.compile(rf"(?:.* )?(?:flags|options)$|{_GLOBAL}$", re.IGNORECASE)
_USUAL = frozenset({"commands", "available commands", "flags", "options", _GLOBAL})
_ALIASES = re.compile(r"aliases$", re.IGNORECASE)
# Their lines are no units, whatever they look like. A help topic is a page without a command behind it.
_PROSE = re.compile(
    r"(?:examples?|arguments|environment variables|json fields|learn more|.*help topics|invalid plugins)$",
    re.IGNORECASE,
)
_EXAMPLES = re.compile(r"examples?$", re.IGNORECASE)
# kubectl's template puts the usage behind everything else, and then one of these.
_KUBECTL_FOOTER = re.compile(r'Use "\S.*(?:<command> --help|options)" for ')
# "buildx*" is a plugin of docker, "auth:" a command of gh.
_COMMAND = re.compile(rf" *(?P<name>{NAME})(?P<mark>[*:])?(?P<gap> +(?P<text>\S.*))?$")
# gh puts choices in braces; they are read like those in parentheses.
_BRACES = str.maketrans("{}", "()")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_FLAG_IN_USAGE = re.compile(r"\[--?[\w-]+=\S*\]$")
_BARE = re.compile(r"[A-Za-z][\w.:/@+-]*(?:\.\.\.)?$")


class _Usage(NamedTuple):
    """The lines from ``first`` to ``behind`` are the usage."""

    first: int
    behind: int
    calls: tuple[Line, ...]


class _Row(NamedTuple):
    """A command's lines; ``text_at`` is the column where its text begins."""

    name: str
    text_at: int | None
    lines: list[Line]
    overflows: bool = False

    def command(self, section: str | None) -> Subcommand:
        first, *further = self.lines
        text = paragraphs([first[self.text_at :] if self.text_at else "", *further])
        about, stability = split_stability(text)
        return Subcommand(name=self.name, about=about, section=section, stability=stability, span=span_of(self.lines))


@dataclass
class _Found:
    subcommands: dict[str, Subcommand] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)
    unread: list[Line] = field(default_factory=list)

    def add_commands(self, rows: Iterable[_Row], column: int | None, title: str) -> None:
        for row in rows:
            fits = row.text_at in (None, column) or (row.overflows and row.text_at > (column or 0))
            if fits and row.name not in self.subcommands:
                self.subcommands[row.name] = row.command(_shown(title))
            else:
                self.unread += filter(None, row.lines)

    def add_flags(self, flags: Iterable[Flag], title: str) -> None:
        for flag in flags:
            self.flags.setdefault(flag.long or "", replace(flag, section=_shown(title)))


def _read(text: str, program: str, path: Path) -> Page:
    page = lines.clean(text)
    given = _usage(page, program, path)
    before, behind = page[: given.first], page[given.behind :]
    about, sections = _cut(behind)
    if not given.calls or any(map(_KUBECTL_FOOTER.match, behind)):
        about, sections = _cut(before)
    elif any(before):
        about = before
    found = _read_sections(sections, program)
    args, unread = placed(
        (),
        [_positionals(call, program, path, found.subcommands) for call in given.calls],
        # A flag of pflag takes one value at most, whatever its placeholder says.
        {name: int(flag.takes_value) for flag in found.flags.values() for name in (flag.long, flag.short) if name},
        has_subcommands=bool(found.subcommands),
    )
    told, stability = split_stability(paragraphs(about))
    return Page(
        usage_lines=tuple(map(str, given.calls)),
        about=told,
        stability=stability,
        aliases=next((_aliases(body, program, path) for title, body in sections if _ALIASES.match(title)), ()),
        subcommands=tuple(found.subcommands.values()),
        flags=tuple(sorted(found.flags.values(), key=flag_order)),
        args=tuple(sorted((replace(arg, span=span_of(given.calls)) for arg in args), key=lambda arg: arg.name)),
        unread_lines=(*(str(given.calls[number]) for number in unread), *map(str, found.unread)),
    )


def _usage(page: Sequence[Line], program: str, path: Path) -> _Usage:
    """The last usage that names the command, else the last one: a description may quote others."""
    best, best_rank = _Usage(len(page), len(page), ()), -1
    for first, line in enumerate(page):
        title = _USAGE.match(line)
        if title is None:
            continue
        behind = first + 1
        while behind < len(page) and page[behind].startswith(" "):
            behind += 1
        calls = lines.usage_lines([line.reading(line[title.end() :]), *page[first + 1 : behind]])
        rank = sum(
            usage.after_path(usage.words(call), program, tokens) is not None
            for call in calls[:1]
            for tokens in (path, ())
        )
        if calls and rank >= best_rank:
            best, best_rank = _Usage(first, behind, calls), rank
    return best


def _positionals(call: str, program: str, path: Path, subcommands: Collection[str]) -> list[str]:
    """The words of a usage line behind the command, without those that stand for flags or subcommands.

    Behind its path a command of cobra has no words of its own: bare ones are placeholders too.
    """
    words = usage.words(_QUOTED.sub("''", call.translate(_BRACES)))
    words = [word for word in usage.after_path(words, program, path) or [] if not _FLAG_IN_USAGE.match(word)]
    if words and words[0] in subcommands:
        return []
    return [f"<{word}>" if _BARE.match(word) else word for word in words]


def _cut(page: Sequence[Line]) -> tuple[Sequence[Line], list[Section]]:
    """The text before the first title that cobra prints itself, and all sections."""
    titles = [number for number, line in enumerate(page) if _TITLE.match(line)]
    sections = [
        Section(page[first].removesuffix(":"), list(page[first + 1 : behind]))
        for first, behind in pairwise([*titles, len(page)])
    ]
    own = (at for at, section in zip(titles, sections, strict=True) if _is_own(section.title))
    return page[: next(own, len(page))], sections


def _is_own(title: str) -> bool:
    return any(kind.match(title) for kind in (_COMMANDS, _FLAGS, _ALIASES, _PROSE))


def _read_sections(sections: Sequence[Section], program: str) -> _Found:
    """What the sections hold. One with a title of the author's own holds units if all of its lines say so.

    Examples may be laid out as anything, as flags too: behind that title only the usual ones are sure.
    """
    bodies = [
        Section(title, list(takewhile(lambda line: not line or line.startswith(" "), body))) for title, body in sections
    ]
    column = _text_column(row for section in bodies if _lists_commands(section) for row in _rows(section.lines)[0])
    found = _Found()
    in_examples = False
    for section in bodies:
        title = section.title
        rows, unread = _rows(section.lines)
        flags = pflag.read(section.lines)
        if _lists_commands(section):
            found.add_commands(rows, column, title)
            found.unread += unread
        elif _FLAGS.match(title) or (flags.exact and not in_examples and not _PROSE.match(title)):
            found.add_flags(flags.flags, title)
            found.unread += flags.unread
        elif _PROSE.match(title):
            in_examples = in_examples or bool(_EXAMPLES.match(title))
            continue
        elif rows and not unread and all(row.text_at == column and row.name != program for row in rows):
            found.add_commands(rows, column, title)
        else:
            found.unread += filter(None, section.lines if flags.exact else ())
            continue
        in_examples = False
    return found


def _lists_commands(section: Section) -> bool:
    """Whether the title promises commands: "Flags for sync commands" does not."""
    first = next(filter(None, section.lines), "")
    return bool(_COMMANDS.match(section.title)) and not first.lstrip().startswith("-")


def _aliases(body: Sequence[str], program: str, path: Path) -> tuple[str, ...]:
    """Further names of the command: alone behind its own name, or each as a whole call, as docker and gh print them."""
    first = next((line.strip() for line in body if line), "")
    calls = [item.split() for item in first.split(", ")]
    if path and all(len(call) == 1 for call in calls) and calls[0] == [path[-1]]:
        return tuple(name for (name,) in calls[1:])
    parent = [*program.split(), *path[:-1]]
    return tuple(call[-1] for call in calls if path and call[:-1] == parent and call[-1] != path[-1])


def _rows(body: Sequence[Line]) -> tuple[list[_Row], list[Line]]:
    """The rows of a list of commands, and the lines that are none."""
    base = min((indent(line) for line in body if line), default=0)
    rows: list[_Row] = []
    unread: list[Line] = []
    for line in body:
        match = _COMMAND.match(line) if indent(line) == base else None
        if match:
            # gh pads to a fixed width; a colon tells that a longer name ends where its text begins.
            overflows = (
                match["mark"] == ":" and match["gap"] is not None and len(match["gap"]) - len(match["text"]) == 1
            )
            rows.append(_Row(match["name"], match.start("text") if match["text"] else None, [line], overflows))
        elif line and indent(line) == base:
            unread.append(line)
        elif rows:
            rows[-1].lines.append(line)
    return rows, unread


def _text_column(rows: Iterable[_Row]) -> int | None:
    """The column where most texts begin; the rightmost of several, which padding made and no chance."""
    columns = Counter(row.text_at for row in rows if row.text_at is not None)
    return max(columns, key=lambda column: (columns[column], column), default=None)


def _shown(title: str) -> str | None:
    return None if title.lower() in _USUAL else title


COBRA = Dialect(
    "cobra",
    _read,
    signs=(
        re.compile(r"^Usage:\n  \S+(?: \S+)*? \[(?:flags|command)\]$", re.MULTILINE),
        re.compile(r'^Use "\S.* \[command\] --help" for more information about a command\.$', re.MULTILINE),
        re.compile(r"^ +-h, --help +help for \S", re.MULTILINE),
        re.compile(r"^(?:Available Commands|Global Flags|Additional help topics):$", re.MULTILINE),
        re.compile(
            r"^ {2,6}(?:-\S, )?--\S+ (?:string|strings|stringArray|int|duration|list|count)(?:\[=\S+)? {3}",
            re.MULTILINE,
        ),
        re.compile(r"^USAGE\n  \S", re.MULTILINE),
        re.compile(r"^(?:INHERITED FLAGS|CORE COMMANDS|LEARN MORE)$", re.MULTILINE),
        re.compile(r"^Usage:  \S", re.MULTILINE),
        re.compile(r"^Run '\S.* COMMAND --help' for more information on a command\.$", re.MULTILINE),
        re.compile(r'^Use "\S.*(?:<command> --help|options)" for a', re.MULTILINE),
        re.compile(r"^ {4}(?:-\S, )?--\S+=\S*:\n\t", re.MULTILINE),
    ),
)
