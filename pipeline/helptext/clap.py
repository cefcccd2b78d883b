"""Dialect of clap (Rust), versions 2 to 4: long and short help, at any width.

Strict, because clap is: a head that is not printed the way clap prints it is an unread line, never a guess.
Sections begin in column 0; a section with a title of the author's own holds flags when it begins with one.
"""

from __future__ import annotations

import re

from pipeline.helptext import lines
from pipeline.helptext.dialect import Dialect
from pipeline.helptext.page import Page, Subcommand
from pipeline.helptext.sections import NAME, Grammar, assemble, is_title
from pipeline.surface.units import Arg, Flag, Path

_SPELLING = r"-(?:-[^\s,=<>\[\]]+|[^\s,=<>\[\]-](?:\.\.\.)?)"
_ANGLE = r"<(?:[^<>]|<[^<>]*>)+>"
_SQUARE = r"\[(?:[^\[\]]|\[[^\[\]]*\])+\]"
_VALUES = rf"{_ANGLE}(?: {_ANGLE})*(?:\.\.\.)?"
# Two blanks at least stand between a head and its text; "--x  <A> is read" has no value.
_TEXT = r"(?:\s{2,}(?P<text>\S.*))?$"

_FLAG = re.compile(
    rf"(?P<names>{_SPELLING}(?:, {_SPELLING})*)"
    rf"(?:[= ](?P<value>{_VALUES})|(?: \[|\[=)(?P<optional>{_VALUES})\])?{_TEXT}"
)
_ARG = re.compile(rf"(?P<name>(?:{_ANGLE}|{_SQUARE})(?: (?:{_ANGLE}|{_SQUARE}))*)(?P<dots>\.\.\.)?{_TEXT}")
_COMMAND = re.compile(rf"(?P<name>{NAME})(?P<further>(?:, -{{0,2}}{NAME})*){_TEXT}")
_PLACEHOLDER = re.compile(rf"{_ANGLE}|{_SQUARE}")


def _flag(line: str) -> tuple[Flag, str] | None:
    match = _FLAG.match(line)
    if match is None:
        return None
    printed = match["names"].split(", ")
    names = [name.removesuffix("...") for name in printed]
    long = next((name for name in names if name.startswith("--")), None)
    short = next((name for name in names if not name.startswith("--")), None)
    value = match["value"] or match["optional"]
    flag = Flag(
        long=long,
        short=short,
        aliases=tuple(name for name in names if name not in (long, short)) or None,
        takes_value=value is not None,
        value_name=_value_name(value) if value else None,
        optional_value=True if match["optional"] else None,
        # "<FILE>..." takes many values, "--verbose..." counts how often it is given.
        repeatable=True if (value or printed[-1]).rstrip(">").endswith("...") else None,
    )
    return flag, match["text"] or ""


def _arg(line: str) -> tuple[Arg, str] | None:
    match = _ARG.match(line)
    if match is None:
        return None
    name = _value_name(match["name"])
    variadic = bool(match["dots"]) or match["name"][:-1].endswith("...")
    return Arg(name=name, required=line.startswith("<"), variadic=variadic), match["text"] or ""


def _value_name(placeholders: str) -> str:
    """``<A> <B>...`` -> ``A B``"""
    return " ".join(match[0][1:-1].removesuffix("...") for match in _PLACEHOLDER.finditer(placeholders))


def _command(line: str) -> tuple[Subcommand, str] | None:
    match = _COMMAND.match(line)
    if match is None:
        return None
    further = tuple(filter(None, match["further"].split(", ")))
    return Subcommand(name=match["name"], aliases=further), match["text"] or ""


def _read(text: str, program: str, path: Path) -> Page:
    return assemble(lines.split(lines.clean(text), is_title), Grammar(_flag, _arg, _command), program, path)


CLAP = Dialect(
    "clap",
    _read,
    signs=(
        re.compile(r"^\s+-h, --help\s+Prints? help", re.MULTILINE),
        re.compile(r"^\s+-V, --version\s+Prints? version", re.MULTILINE),
        re.compile(r"^\s+help\s+Prints? this message or the help of the given subcommand", re.MULTILINE),
        re.compile(r"\[possible values: ", re.MULTILINE),
        re.compile(r"\[(?:short )?aliases: ", re.MULTILINE),
        re.compile(r"^(?:Usage: |USAGE:\s+)(?:\S.*)?\[OPTIONS\]", re.MULTILINE),
        re.compile(r"^\s+--[\w-]+ <[A-Z][A-Z0-9_]*>", re.MULTILINE),
    ),
    style="listed",
)
