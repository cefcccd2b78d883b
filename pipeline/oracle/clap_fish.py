"""The fish completion script of clap_complete (Rust), for a CLI that prints neither zsh nor bash.

Script text in -> a testimony, hidden commands and flags included. The script tells the flags of two levels of
commands and only the names of the third, so what it leaves out may well exist. An alias stands there as a
command of its own; it is folded when nothing but its name tells it from the command before it. Whether a
flag repeats is not told. Total: other lines tell nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from pipeline.oracle.testimony import Testimony, Told, ToldFlag
from pipeline.surface.units import Path, PossibleValue

KIND = "clap-fish"

_ENTRY = re.compile(r"^complete -c \S+ ", re.MULTILINE)
_WORD = re.compile(r"\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[^\s\"']+)", re.DOTALL)
# "…_needs_command" is the root; "… exec; and not …_seen_subcommand_from a b" is `exec` itself.
_SEEN = re.compile(r"(?<!not )__fish\S*_(?:using_subcommand|seen_subcommand_from) ([^\s;]+)")
_NAME = re.compile(r"\w[\w.:+-]*")
_FLAG = re.compile(r"--?[\w][\w.:+-]*|-[^\s\w-]")
_BLOCK = re.compile(r'-a "(.*)"\s*$', re.DOTALL)
_VALUE = re.compile(r"^(?P<name>[^\t\n]+?)(?:\\t|\t)'(?P<about>[^\n]*)'$", re.MULTILINE)


@dataclass(slots=True)
class _Entry:
    flags: list[ToldFlag] = field(default_factory=list)
    children: dict[str, str] = field(default_factory=dict)  # name -> description


def read(script: str) -> Testimony:
    """The commands that the script knows, by path; ``help`` subtrees included."""
    entries: dict[Path, _Entry] = {}
    heads = list(_ENTRY.finditer(script))
    ends = [*(head.start() for head in heads[1:]), len(script)]
    for head, end in zip(heads, ends, strict=False):
        line = script[head.end() : end]
        _note(_options(line), _values(line), entries)
    told: dict[Path, Told] = {}

    def tell(path: Path, about: str, aliases: tuple[str, ...]) -> None:
        entry = entries.get(path, _Entry())
        told[path] = Told(flags=tuple(entry.flags), about=about or None, aliases=aliases)
        names: list[str] = []
        for name, its_about in entry.children.items():
            first = (*path, names[-1]) if names else None
            if first and its_about and told[first].about == its_about and _same(first, (*path, name), entries):
                told[first] = replace(told[first], aliases=(*told[first].aliases, name))
            else:
                names.append(name)
                tell((*path, name), its_about, ())

    if () in entries:
        tell((), "", ())
    return Testimony(KIND, exhaustive=False, tells_hidden=True, commands=told)


def _options(line: str) -> dict[str, str]:
    """The options of one ``complete`` call, with their values where they take one."""
    words = [
        re.sub(r"\\(['\\])", r"\1", match["single"]) if match["single"] is not None else match["double"] or match[0]
        for match in _WORD.finditer(line)
    ]
    options: dict[str, str] = {}
    place = 0
    while place < len(words):
        word = words[place]
        wants = word in {"-n", "-s", "-l", "-o", "-a", "-d"} and place + 1 < len(words)
        options[word] = words[place + 1] if wants else ""
        place += 2 if wants else 1
    return options


def _values(line: str) -> tuple[PossibleValue, ...] | None:
    """The values that a call lists last, from the raw text: their descriptions may hold bare double quotes."""
    block = _BLOCK.search(line)
    rows = _VALUE.finditer(block[1]) if block else ()
    return tuple(PossibleValue(name=row["name"], about=row["about"] or None) for row in rows) or None


def _note(options: dict[str, str], values: tuple[PossibleValue, ...] | None, entries: dict[Path, _Entry]) -> None:
    path = tuple(_SEEN.findall(options.get("-n", "")))
    entry = entries.setdefault(path, _Entry())
    names = [mark + options[option] for option, mark in (("-s", "-"), ("-l", "--")) if option in options]
    about = options.get("-d", "")
    if names and all(map(_FLAG.fullmatch, names)):
        # Without "-r" a flag may still take a value that can be left out.
        takes_value = True if "-r" in options else None
        entry.flags.append(ToldFlag(tuple(names), takes_value, possible_values=values, about=about or None))
    elif _NAME.fullmatch(options.get("-a", "")):
        entry.children[options["-a"]] = about


def _same(first: Path, second: Path, entries: dict[Path, _Entry]) -> bool:
    """Whether two commands are told with the same flags and subcommands, as two names of one command are."""
    bodies = [
        {path[len(top) :]: (entry.flags, entry.children) for path, entry in entries.items() if path[: len(top)] == top}
        for top in (first, second)
    ]
    return bodies[0] == bodies[1]
