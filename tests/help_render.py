"""A page -> the help text that clap prints for it: the inverse that the laws of helptext need.

Follows clap 4's own layout: heads in column 2 (long names alone in column 6), short help beside the head while
there is room and in column 10 where there is not, long help always in column 10 with blank lines between.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from pipeline.helptext import Page, Subcommand
from pipeline.surface.units import Arg, Flag

NEXT_LINE = 10


def unplaced(page: Page) -> Page:
    """The page without the places that its units were read from."""

    def bare(units):
        return tuple(replace(unit, span=None) for unit in units)

    return replace(page, subcommands=bare(page.subcommands), flags=bare(page.flags), args=bare(page.args))


def usage_of(page: Page, program: str, path: Sequence[str]) -> str:
    """The usage line that clap makes of a page's units."""
    words = [program, *path, *(["[OPTIONS]"] if page.flags else [])]
    words += [_arg_head(arg) for arg in sorted(page.args, key=lambda arg: arg.position or 0)]
    return " ".join([*words, *(["<COMMAND>"] if page.subcommands else [])])


def render(page: Page, *, width: int, long: bool, facts_last: bool = False) -> str:
    """The help text at a terminal width; ``long`` is ``--help``, else ``-h``.

    ``facts_last`` puts ``[default: x]`` and the like behind a list of possible values, as some versions do.
    """
    blocks = ["\n".join(_wrapped(_told(page.stability, page.about, [], long), width, 0))] if page.about else []
    if page.usage_lines:
        first, *others = page.usage_lines
        blocks.append("\n".join([f"Usage: {first}", *(f"       {line}" for line in others)]))
    for title, commands in _sections(page.subcommands, "Commands"):
        blocks.append("\n".join([f"{title}:", *_commands(commands, width)]))
    args = sorted(page.args, key=lambda arg: arg.position or 0)
    for title, units in [*_sections(args, "Arguments"), *_sections(page.flags, "Options")]:
        blocks.append("\n".join([f"{title}:", *_units(units, width, long, facts_last)]))
    return "\n\n".join(blocks) + "\n"


def _sections(units, usual: str):
    titles = sorted({unit.section for unit in units}, key=lambda title: title or "")
    return [(title or usual, [unit for unit in units if unit.section == title]) for title in titles]


def _commands(commands: Iterable[Subcommand], width: int) -> Iterable[str]:
    column = max(len(command.name) for command in commands) + 4
    texts = {
        command.name: _told(command.stability, command.about, _listed("aliases", command.aliases), long=False)
        for command in commands
    }
    below = _is_below(texts.values(), column, width)
    for command in commands:
        yield from _entry(f"  {command.name}", texts[command.name], NEXT_LINE if below else column, width, below)


def _units(units: Sequence[Arg | Flag], width: int, long: bool, facts_last: bool) -> Iterable[str]:
    heads = [_arg_head(unit) if isinstance(unit, Arg) else _flag_head(unit) for unit in units]
    pads = ["      " if isinstance(unit, Flag) and unit.short is None else "  " for unit in units]
    # Room is kept for ", --" behind a short name that has no long one.
    taken = [
        len(pad + head) + (len(", --") if isinstance(unit, Flag) and unit.long is None else 0)
        for unit, pad, head in zip(units, pads, heads, strict=True)
    ]
    column = max(taken) + 2
    behind = [_facts(unit, long) if facts_last and _has_bullets(unit, long) else [] for unit in units]
    texts = [
        _told(unit.stability, unit.about, [] if facts else _facts(unit, long), long)
        for unit, facts in zip(units, behind, strict=True)
    ]
    below = long or _is_below(texts, column, width)
    for number, unit in enumerate(units):
        if long and number:
            yield ""
        text = texts[number]
        yield from _entry(pads[number] + heads[number], text, NEXT_LINE if below else column, width, below)
        if _has_bullets(unit, long):
            yield from _bullets(unit, bool(text), width)
        if behind[number]:
            yield from ["", *_wrapped("\n".join(behind[number]), width, NEXT_LINE)]


def _is_below(texts: Iterable[str], column: int, width: int) -> bool:
    return width >= column > width * 0.4 and any(len(text) > width - column for text in texts)


def _entry(head: str, text: str, column: int, width: int, below: bool) -> Iterable[str]:
    lines = _wrapped(text, width, column)
    if below:
        return [head, *lines]
    return [(head.ljust(column) + (lines[0].strip() if lines else "")).rstrip(), *lines[1:]]


def _wrapped(text: str, width: int, column: int) -> list[str]:
    """Lines at a column; clap breaks at blanks alone, and never inside a word that is too long."""
    room = width - column if width > column else 10_000
    lines = [
        line
        for each in text.split("\n")
        for line in textwrap.wrap(each, room, break_long_words=False, break_on_hyphens=False) or [""]
    ]
    return [" " * column + line for line in lines] if text else []


def _told(stability: str | None, about: str | None, facts: Sequence[str], long: bool) -> str:
    text = " ".join(filter(None, [f"[{stability}]" if stability else "", about]))
    separators = ("\n\n", "\n") if long else (" ", " ")
    return separators[0].join(filter(None, [text, separators[1].join(facts)]))


def _facts(unit: Arg | Flag, long: bool) -> list[str]:
    facts = [f"[env: {unit.env}=what/the shell has]"] if unit.env else []
    facts += [f"[default: {unit.default}]"] if unit.default is not None else []
    further = [name for name in _further(unit) if name not in _printed(unit)] if isinstance(unit, Flag) else []
    facts += _listed("short aliases", [name[1:] for name in further if not name.startswith("--")])
    facts += _listed("aliases", [name[2:] for name in further if name.startswith("--")])
    if not _has_bullets(unit, long):
        values = [f'"{value.name}"' if " " in value.name else value.name for value in unit.possible_values or ()]
        facts += _listed("possible values", values)
    return facts


def _listed(kind: str, values: Sequence[str]) -> list[str]:
    return [f"[{kind}: {', '.join(values)}]"] if values else []


def _has_bullets(unit: Arg | Flag, long: bool) -> bool:
    return long and any(value.about for value in unit.possible_values or ())


def _bullets(unit: Arg | Flag, behind_text: bool, width: int) -> Iterable[str]:
    values = unit.possible_values or ()
    longest = max(len(value.name) for value in values)
    if behind_text:
        yield ""
    yield " " * NEXT_LINE + "Possible values:"
    for value in values:
        padding = " " * (longest - len(value.name))
        # The padding aligns the texts, and is no place to break a line.
        lines = _wrapped(value.about or "", width, NEXT_LINE + 2)
        name = " " * NEXT_LINE + f"- {value.name}"
        yield f"{name}: {padding}{lines[0].strip()}" if lines else name
        yield from lines[1:]


def _further(flag: Flag) -> tuple[str, ...]:
    return flag.aliases or ()


def _printed(flag: Flag) -> list[str]:
    """The names in a flag's head: its own, and further long ones that look like them."""
    names = [flag.short, flag.long, *(name for name in _further(flag) if name.startswith("--in-head-"))]
    return [name for name in names if name]


def _flag_head(flag: Flag) -> str:
    dots = "..." if flag.repeatable else ""
    names = ", ".join(_printed(flag))
    if not flag.takes_value:
        return names + dots
    values = " ".join(f"<{name}>" for name in (flag.value_name or "").split()) + dots
    if not flag.optional_value:
        return f"{names} {values}"
    # An odd length stands for a flag that needs its equals sign.
    return f"{names}[={values}]" if len(values) % 2 else f"{names} [{values}]"


def _arg_head(arg: Arg) -> str:
    name = f"<{arg.name}>" if arg.required else f"[{arg.name}]"
    return name + ("..." if arg.variadic else "")
