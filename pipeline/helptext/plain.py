"""Dialect of last resort: help of an unknown format, or written by hand.

Tolerant where the strict dialects refuse: titles at any indentation and without a colon, the description behind
the usage, flags without a title, bare placeholders (``--file FILE``, ``--name string``, ``{a,b}``), names set apart
by blanks, bars or slashes, commands with their args or a colon on the line, the page that Go's flag package prints.
What would still be a guess is an unread line.
"""

from __future__ import annotations

import re
from itertools import pairwise, takewhile

from msgspec.structs import replace

from pipeline.helptext import lines
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.lines import Line, Section
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.sections import NAME, Grammar, assemble, is_title
from pipeline.surface.units import Arg, Flag, Path

_PLACEHOLDER = r"(?:<[^<>]+>|\[[^\[\]]+\]|\{[^{}]+\})(?:\.\.\.)?"
_HEAD = re.compile(r"(?P<head>\S+(?: \S+)*)(?:\s{2,}(?P<text>\S.*))?$")
_PIECE = re.compile(
    r"(?P<name>--?[A-Za-z0-9?@#](?:[\w.:-]*\w)?)"
    rf"|(?P<value>=?(?:{_PLACEHOLDER}|[A-Za-z][\w.:-]*(?:\.\.\.)?))|(?P<count>\.\.\.)|[\s,|/]+"
)
_ARG = re.compile(rf"(?:{_PLACEHOLDER}|[\w.:-]+)$")
_COMMAND = re.compile(rf"(?P<names>{NAME}(?:(?:\||, ?){NAME})*)(?: {_PLACEHOLDER})*$")
# "Available commands" and "Global command options" are titles; a longer line is a sentence.
_TITLE_WORDS = 3
_GO_TITLE = re.compile(r"Usage of \S+:$")
_GO_VALUE = re.compile(r"(?P<flag>  -[^\s-]\S*) (?P<value>\S+)$")
_BRACKETS = (("<", ">"), ("[", "]"), ("(", ")"))


def _flag(line: str) -> tuple[Flag, str] | None:
    head, text = _split(line)
    pieces = list(_PIECE.finditer(head))
    names = [piece["name"] for piece in pieces if piece["name"]]
    # "-f FILE, --file FILE" says its value twice.
    values = list(dict.fromkeys(piece["value"] for piece in pieces if piece["value"]))
    prose = [value for value in values if value.islower() and value[0].isalpha()]
    if sum(len(piece[0]) for piece in pieces) != len(head) or not names or len(prose) > (1 if text else 0):
        return None
    long = next((name for name in names if name.startswith("--")), None)
    short = next((name for name in names if not name.startswith("--")), None)
    return Flag(
        long=long,
        short=short,
        aliases=tuple(dict.fromkeys(name for name in names if name not in (long, short))) or None,
        takes_value=bool(values),
        value_name=" ".join(map(_bare, values)) or None,
        optional_value=True if values and all(value.startswith("[") for value in values) else None,
        repeatable=True if "..." in head else None,
    ), text


def _arg(line: str) -> tuple[Arg, str] | None:
    head, text = _split(line)
    if not _ARG.match(head):
        return None
    return Arg(name=_bare(head), required=not head.startswith("["), variadic="..." in head), text


def _command(line: str) -> tuple[Subcommand, str] | None:
    head, text = _split(line)
    # "list:  List them" is a command, "Examples:" a title.
    match = _COMMAND.match(head.removesuffix(":") if text else head)
    if match is None:
        return None
    name, *aliases = re.split(r"\||, ?", match["names"])
    return Subcommand(name=name, aliases=tuple(aliases)), text


def _split(line: str) -> tuple[str, str]:
    match = _HEAD.match(line)
    return (match["head"], match["text"] or "") if match else (line, "")


def _bare(placeholder: str) -> str:
    return placeholder.replace("...", "").strip("<>[]{}=")


def _in_column_0(page: list[Line]) -> list[Line]:
    """Move the usage and titles that begin a paragraph to the first column, with a colon; mark the values of Go's."""
    moved = []
    is_go = any(map(_GO_TITLE.match, page))
    for before, line in pairwise([Line(), *page]):
        text = line.strip()
        title = text if text.endswith(":") else f"{text}:"
        if _GO_TITLE.match(line):
            moved.append(line.reading("Options:"))
        elif is_go and (value := _GO_VALUE.match(line)):
            # Go's flag package has the text in the next line: only its place tells the type of the value.
            moved.append(line.reading(f"{value['flag']} <{value['value']}>"))
        elif not before and text.lower() == "usage":
            moved.append(line.reading("Usage:"))
        elif not before and text.lower().startswith("usage:"):
            moved.append(line.reading(text))
        elif not before and is_title(title) and len(text.split()) <= _TITLE_WORDS:
            moved.append(line.reading(title))
        else:
            moved.append(line)
    return moved


def _read(text: str, program: str, path: Path) -> Page:
    parts = lines.split(_in_column_0(lines.clean(text)), is_title)
    if parts.sections and not parts.sections[0].title:
        loose, *titled = parts.sections
        about, flags = _without_title(loose.lines)
        parts = parts._replace(sections=[*flags, *titled])
        if not any(parts.about):
            parts = parts._replace(about=about)
    # Without its brackets a placeholder cannot be told from a flag's value.
    legible = tuple(
        call for call in parts.usage if all(call.count(opens) == call.count(closes) for opens, closes in _BRACKETS)
    )
    page = assemble(parts._replace(usage=legible), Grammar(_flag, _arg, _command), program, path)
    return replace(
        page,
        usage_lines=tuple(map(str, parts.usage)),
        unread_lines=(*(str(call) for call in parts.usage if call not in legible), *page.unread_lines),
    )


def _without_title(body: list[Line]) -> tuple[list[Line], list[Section]]:
    """The text behind a usage, and the flags that begin in it without a title: they end with their paragraphs."""
    begins = (at for at, line in enumerate(body) if line.startswith(" ") and line.lstrip().startswith("-"))
    first = next((at for at in begins if _flag(body[at].lstrip())), None)
    if first is None:
        return body, []
    return body[:first], [
        Section("Options", list(takewhile(lambda line: not line or line.startswith(" "), body[first:])))
    ]


PLAIN = Dialect("plain", _read)
