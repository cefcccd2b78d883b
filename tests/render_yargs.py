"""A page -> the help text that yargs prints for it: the inverse that the laws of its dialect need.

Follows yargs and its column printer: heads, texts and tails are cells; heads take half the width at most; tails
stand at the right edge, in the last line of the text where they have room. ``cuts_words`` wraps as its ES module
does: at the edge, wherever that is.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from pipeline.helptext import Page, Subcommand
from pipeline.surface.units import Arg, Flag

TYPES = {"switch": "boolean", "counter": "count", "word": "string", "words": "array"}


def usage_of(page: Page, program: str, path: Sequence[str]) -> str:
    words = [program, *path, *(["<command>"] if page.subcommands else [])]
    for arg in sorted(page.args, key=lambda arg: arg.position or 0):
        name = arg.name + (".." if arg.variadic else "")
        words.append(f"<{name}>" if arg.required else f"[{name}]")
    return " ".join(words)


def render(page: Page, *, program: str, path: Sequence[str], width: int | None, cuts_words: bool = False) -> str:
    printer = _Printer(width, cuts_words)
    blocks = ["\n".join(printer.wrapped(page.usage_lines[0], width))]
    if page.about:
        blocks.append("\n".join(printer.wrapped(page.about, width)))
    prefix = " ".join([program, *path])
    commands = [(f"{prefix} {command.name}", 0, command.about, _hints(command)) for command in page.subcommands]
    args = sorted(page.args, key=lambda arg: arg.position or 0)
    rows = [(arg.name, 0, _about(arg), _tails(arg)) for arg in args if not arg.note]
    blocks += [printer.section(title, each) for title, each in (("Commands", commands), ("Positionals", rows)) if each]
    for section in sorted({flag.section or "" for flag in page.flags}):
        flags = [flag for flag in page.flags if (flag.section or "") == section]
        has_short = any(flag.short for flag in flags)
        rows = [(_head(flag), 4 * (has_short and not flag.short), _about(flag), _tails(flag)) for flag in flags]
        blocks.append(printer.section(section or "Options", rows))
    return "\n\n".join(blocks) + "\n"


class _Printer:
    def __init__(self, width: int | None, cuts_words: bool) -> None:
        self.width, self.cuts_words = width, cuts_words

    def wrapped(self, text: str, room: int | None) -> list[str]:
        if room is None:
            return text.split("\n")
        if self.cuts_words:
            return [text[at : at + room].rstrip() for at in range(0, len(text), room)] or [""]
        return [line for each in text.split("\n") for line in textwrap.wrap(each, room, break_on_hyphens=False) or [""]]

    def section(self, title: str, rows: Sequence[tuple[str, int, str | None, str]]) -> str:
        longest = max(len(head) + further for head, further, _, _ in rows)
        heads = 4 + (longest if self.width is None else min(longest, self.width // 2))
        return "\n".join([f"{title}:", *(line for row in rows for line in self.row(row, heads))])

    def row(self, row: tuple[str, int, str | None, str], heads: int) -> Iterator[str]:
        head, further, about, tail = row
        left = self.wrapped(head, None if self.width is None else heads - 4 - further)
        right = self.wrapped(about or "", None if self.width is None else self.width - heads)
        pad = " " * (2 + further)
        lines = []
        for number in range(max(len(left), len(right))):
            first = pad + left[number] if number < len(left) else ""
            lines.append((first.ljust(heads) + (right[number] if number < len(right) else "")).rstrip())
        if tail and self.width is None:
            lines[-1] += f"  {tail}"
        elif tail and self.width:
            first, *others = [line.strip().rjust(self.width) for line in self.wrapped(tail, self.width - 2)]
            free = len(first) - len(first.lstrip())
            if free >= len(lines[-1]):
                lines[-1] = lines[-1].ljust(free) + first.lstrip()
            else:
                lines.append(first)
            lines += others
        yield from lines


def _head(flag: Flag) -> str:
    return ", ".join(name for name in (flag.short, flag.long, *(flag.aliases or ())) if name)


def _about(unit: Flag | Arg) -> str | None:
    """A reason for a deprecation is a tail on the page, and the end of the text when it is read."""
    return (unit.about or "").partition(" [deprecated: ")[0] or None


def _hints(command: Subcommand) -> str:
    hints = [f"[aliases: {', '.join(command.aliases)}]"] if command.aliases else []
    return " ".join([*hints, *(["[deprecated]"] if command.stability else [])])


def _tails(unit: Flag | Arg) -> str:
    _, found, reason = (unit.about or "").partition(" [deprecated: ")
    tails = [f"[deprecated: {reason}" if found else "[deprecated]"] if unit.stability else []
    tails += [f"[{kind}]" for kind in (_type(unit),) if kind]
    if isinstance(unit, Arg) and unit.required:
        tails.append("[required]")
    if unit.possible_values:
        tails.append(f"[choices: {', '.join(_json(value.name) for value in unit.possible_values)}]")
    if unit.default is not None:
        tails.append(f"[default: {_value(unit.default)}]")
    return " ".join(tails)


def _type(unit: Flag | Arg) -> str | None:
    if isinstance(unit, Arg):
        return "array" if unit.variadic else "string"
    if unit.optional_value:
        return None
    return ("array" if unit.repeatable else "string") if unit.takes_value else "count" if unit.repeatable else "boolean"


def _value(default: str) -> str:
    """Strings stand in quotes; what begins as another value does stands as it is."""
    return default if default[:1].isdigit() or default[:1] in "[(" or default in ("true", "false") else _json(default)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
