"""A page -> the help text that commander prints for it: the inverse that the laws of its dialect need.

Heads stand in column 2, texts in one column for all sections; without room for a text nothing is wrapped. Two
habits of real CLIs are styles: heads that are too long have their text below, and commands list their own ones.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from pipeline.helptext import Page, Subcommand
from pipeline.surface.units import Arg, Flag

LEAST_ROOM = 40
LONGEST_HEAD = 36  # where longer ones have their text below
BELOW = 6


def usage_of(page: Page, program: str, path: Sequence[str]) -> str:
    words = [program, *path, "[options]", *(["[command]"] if page.subcommands else [])]
    for arg in sorted(page.args, key=lambda arg: arg.position or 0):
        name = arg.name + ("..." if arg.variadic else "")
        words.append(f"<{name}>" if arg.required else f"[{name}]")
    return " ".join(words)


def render(page: Page, *, width: int, long_below: bool = False, nested: bool = False) -> str:
    blocks = [f"Usage: {page.usage_lines[0]}"]
    if page.about:
        blocks.append("\n".join(_wrapped(page.about, width)))
    args = [arg for arg in sorted(page.args, key=lambda arg: arg.position or 0) if not arg.note]
    units = [*args, *page.flags, *page.subcommands]
    heads = [len(_head(unit)) for unit in units]
    column = 2 + 2 + max(min(head, LONGEST_HEAD) if long_below else head for head in heads)
    for usual, kind in (("Arguments", args), ("Options", page.flags), ("Commands", page.subcommands)):
        for section in dict.fromkeys(unit.section for unit in kind):
            lines = [f"{section or usual}:"]
            for unit in kind:
                if unit.section == section:
                    lines += _entry(unit, column, width, long_below)
                    if nested and isinstance(unit, Subcommand) and unit.about:
                        lines += [f"{'    inner':{column}}Do what is not asked for", f"{'      most':{column}}Do it"]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _entry(unit: Flag | Arg | Subcommand, column: int, width: int, long_below: bool) -> Iterator[str]:
    head, text = f"  {_head(unit)}", _text(unit)
    if not text:
        yield head
    elif long_below and len(head) + 2 > column:
        yield head
        yield from (" " * BELOW + line for line in _wrapped(text, max(width - BELOW, LEAST_ROOM)))
    else:
        room = width - column
        first, *others = _wrapped(text, room) if room >= LEAST_ROOM else [text]
        yield f"{head:{column}}{first}"
        yield from (" " * column + line for line in others)


def _wrapped(text: str, width: int) -> list[str]:
    return [
        line
        for each in text.split("\n")
        for line in textwrap.wrap(each, width, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def _head(unit: Flag | Arg | Subcommand) -> str:
    if isinstance(unit, Arg):
        return unit.name
    if isinstance(unit, Subcommand):
        # Only what a command takes tells its heads from plain words; it is no part of the name.
        return "|".join([unit.name, *unit.aliases]) + (" [options] <file>" if len(unit.name) % 2 else "")
    names = ", ".join(name for name in (unit.short, unit.long, *(unit.aliases or ())) if name)
    if not unit.takes_value:
        return names
    value = f"{unit.value_name}{'...' if unit.repeatable else ''}"
    return f"{names} [{value}]" if unit.optional_value else f"{names} <{value}>"


def _text(unit: Flag | Arg | Subcommand) -> str:
    facts = []
    if not isinstance(unit, Subcommand):
        if unit.possible_values:
            facts.append("choices: " + ", ".join(_json(value.name) for value in unit.possible_values))
        if unit.default is not None:
            facts.append(f"default: {_value(unit.default)}")
        if isinstance(unit, Flag) and unit.optional_value and facts:
            facts.append('preset: "x"')
        if unit.env:
            facts.append(f"env: {unit.env}")
    tag = f"[{unit.stability}]" if unit.stability else None
    return " ".join(filter(None, [tag, unit.about, f"({', '.join(facts)})" if facts else None]))


def _value(default: str) -> str:
    """Numbers, lists and described defaults stand as they are; strings stand in quotes."""
    return default if default[:1].isdigit() or default[:1] in "[(" else _json(default)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
