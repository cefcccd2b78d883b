"""A page -> the help text that cobra and pflag print for it: the inverse that the laws of their dialect need.

Three templates: ``usual`` and ``gh`` print the description before the usage, ``docker`` behind it; gh writes titles
in capitals, has colons behind commands and moves flags left as far as they go.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pipeline.helptext import Page, Subcommand
from pipeline.surface.units import Arg, Flag

# Below this room for texts pflag begins them in the next line, in this column.
LEAST_ROOM, NARROW_AT = 24, 16


def usage_of(page: Page, program: str, path: Sequence[str]) -> str:
    words = [program, *path, *map(_arg, sorted(page.args, key=lambda arg: arg.position or 0))]
    return " ".join([*words, "[flags]"])


def render(page: Page, *, template: str, width: int = 0, examples: Sequence[str] = ()) -> str:
    """The help text; ``width`` 0 wraps nothing. ``examples`` are printed as they are, and are no part of the page."""
    about = [page.about] if page.about else []
    if template == "gh":
        usage = ["USAGE\n" + "\n".join(f"  {line}" for line in page.usage_lines)]
    else:
        inline = "  " if template == "docker" else "\n  "
        usage = [f"Usage:{inline}" + "\n  ".join(page.usage_lines)]
    blocks = [*usage, *about] if template == "docker" else [*about, *usage]
    if examples and template != "gh":
        blocks.append("\n".join(["Examples:", *(f"  {line}" for line in examples)]))
    padding = max([11, *(len(command.name) for command in page.subcommands)]) + (template == "gh")
    for section, commands in _sections(page.subcommands):
        blocks.append(
            "\n".join([_title(section or "Available Commands", template), *_commands(commands, padding, template)])
        )
    for section, flags in _sections(page.flags):
        blocks.append("\n".join([_title(section or "Flags", template), *_flags(flags, width, template)]))
    if template == "gh":
        blocks.append("\n".join(["EXAMPLES", *(f"  {line}" for line in examples)]))
    return "\n\n".join(blocks) + "\n"


def _title(title: str, template: str) -> str:
    return title if template == "gh" else f"{title}:"


def _sections(units):
    titles = dict.fromkeys(unit.section for unit in units)
    return [(title, [unit for unit in units if unit.section == title]) for title in titles]


def _commands(commands: Iterable[Subcommand], padding: int, template: str) -> Iterator[str]:
    for command in commands:
        name = command.name + (":" if template == "gh" else "")
        yield f"  {name.ljust(padding)} {command.about or ''}".rstrip()


def _flags(flags: Sequence[Flag], width: int, template: str) -> list[str]:
    heads = [_head(flag) for flag in flags]
    if template == "gh":
        spare = min(len(head) - len(head.lstrip()) for head in heads) - 2
        heads = [head[spare:] for head in heads]
    column = max(map(len, heads)) + 3
    printed = []
    for head, flag in zip(heads, flags, strict=True):
        text = " ".join(filter(None, [flag.about, *_facts(flag)]))
        first, *others = _wrapped(text, column, width)
        printed += [(head.ljust(column) + first).rstrip(), *others]
    return printed


def _wrapped(text: str, column: int, width: int) -> list[str]:
    """The text's first line, and the further ones with their margin."""
    room = width - column
    below = bool(width) and room < LEAST_ROOM
    if below:
        column, room = NARROW_AT, width - NARROW_AT
    pieces = text.split("\n")
    if width and room >= LEAST_ROOM:
        pieces = [
            line
            for piece in pieces
            for line in textwrap.wrap(piece, room, break_long_words=False, break_on_hyphens=False) or [""]
        ]
        pieces = ["", *pieces] if below and text else pieces
    return [pieces[0], *(f"{' ' * column}{line}".rstrip() for line in pieces[1:])]


def _head(flag: Flag) -> str:
    names = f"  {flag.short}, {flag.long}" if flag.short else f"      {flag.long}"
    if flag.repeatable and not flag.takes_value:
        return f"{names} count"
    value = f" {flag.value_name}" if flag.value_name else ""
    return names + value + ('[="auto"]' if flag.optional_value else "")


def _facts(flag: Flag) -> Iterator[str]:
    if flag.default is not None:
        quoted = flag.value_name == "string"
        yield f"(default {json.dumps(flag.default, ensure_ascii=False) if quoted else flag.default})"


def _arg(arg: Arg) -> str:
    name = arg.name + ("..." if arg.variadic else "")
    return name if arg.required else f"[{name}]"
