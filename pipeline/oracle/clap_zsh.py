"""The zsh completion script of clap_complete (Rust): the richest witness there is.

Script text in -> a testimony, hidden commands and flags included. It is read from the two things that all
versions print: ``_arguments`` with one quoted spec a flag or positional, nested in ``case $line[N]`` blocks
that give the path, and the ``_…_commands`` functions that list subcommands with their descriptions.
A visible alias is printed as a second command with the same body and description, right behind the first:
those are folded. Total: what is not such a spec is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pipeline.oracle.testimony import Testimony, Told, ToldArg, ToldFlag
from pipeline.surface.units import Path, PossibleValue

KIND = "clap-zsh"

_MARK = re.compile(
    r"""(?P<specs>_arguments) [ ] "\$\{_arguments_options\[@\]\}" [ :]* \\\n   # specs of one command follow
    | case [ ] \$(?P<on>line\[\d+\]|state) [ ] in
    | ^[ \t]* \((?P<label>[^()\n]+)\) [ \t]*$                     # one branch of a case
    | ^[ \t]* (?P<end>;;) [ \t]*$
    | \b (?P<esac>esac) \b""",
    re.MULTILINE | re.VERBOSE,
)
_LISTS = re.compile(r"^(?P<name>_\S+_commands)\(\) \{\n\s*local commands; commands=\(", re.MULTILINE)
_FLAG = re.compile(r"(?:\([^)]*\))?(?P<repeat>\*)?(?P<name>--[^=+\[:]+|-[^-])(?P<value>[=+])?(?=\[)")
_ARG = re.compile(
    r"(?P<many>\*[^:]*:)?:?(?P<optional>:)?(?P<name>[^:\s]+)(?: -- .*?)?:(?P<action>[^:]*|\(.*\))", re.DOTALL
)
_WORD = re.compile(r"""[ \t\n\\]*('[^']*'(?:\\''[^']*')*|"[^"]*")""")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# A colon or bracket that the script does not escape ends a field.
_FIELD_END = re.compile(r"(?<!\\):")
_DESCRIBED = re.compile(r'(?P<name>[^\n]+?)\\:"(?P<about>[^\n]*)"')


class _Block(NamedTuple):
    """One command as printed: its quoted specs, and the function that lists its subcommands."""

    specs: tuple[str, ...]
    listing: str


def read(script: str) -> Testimony:
    """The commands that the script knows, by path; ``help`` subtrees included."""
    start = _LISTS.search(script)
    blocks = dict(_blocks(script[: start.start()] if start else script))
    lists = _lists(script)
    told: dict[Path, Told] = {}

    def tell(path: Path, about: str, aliases: Sequence[str]) -> None:
        block = blocks.get(path, _Block((), ""))
        told[path] = replace(_told(block.specs), about=about or None, aliases=tuple(aliases))
        for name, its_about, its_aliases in _folded(path, lists.get(block.listing, ()), blocks):
            tell((*path, name), its_about, its_aliases)

    if () in blocks:
        tell((), "", ())
    return Testimony(KIND, exhaustive=() in blocks, tells_hidden=True, commands=told)


def _blocks(script: str) -> Iterator[tuple[Path, _Block]]:
    nesting: list[tuple[bool, str | None]] = []  # (chooses by word, the branch that we are in)
    place = 0
    while mark := _MARK.search(script, place):
        place = mark.end()
        if mark["on"]:
            nesting.append((mark["on"] != "state", None))
        elif mark["esac"] and nesting:
            nesting.pop()
        elif (mark["label"] or mark["end"]) and nesting:
            nesting[-1] = (nesting[-1][0], mark["label"])
        elif mark["specs"]:
            words, place = _words(script, place)
            listing = next((word.removeprefix(":: :") for word in words if word.startswith(":: :_")), "")
            specs = tuple(word for word in words if not word.startswith((":: :_", "*::: :->")))
            yield tuple(label for by_word, label in nesting if by_word and label), _Block(specs, listing)


def _folded(
    parent: Path, siblings: Iterable[tuple[str, str]], blocks: Mapping[Path, _Block]
) -> list[tuple[str, str, list[str]]]:
    """The subcommands (name, description, aliases); a name is an alias when nothing tells it from the one before."""
    folded: list[tuple[str, str, list[str]]] = []
    for name, about in siblings:
        before = folded[-1] if about and folded and folded[-1][1] == about else None
        if before and _body((*parent, before[0]), blocks) == _body((*parent, name), blocks):
            before[2].append(name)
        else:
            folded.append((name, about, []))
    return folded


def _body(path: Path, blocks: Mapping[Path, _Block]) -> dict[Path, tuple[str, ...]]:
    """All specs of a command and of those below it: what two names of one command have in common."""
    return {below[len(path) :]: block.specs for below, block in blocks.items() if below[: len(path)] == path}


def _words(text: str, place: int) -> tuple[list[str], int]:
    """The shell words from ``place`` on, quotes removed, up to the first that is not quoted."""
    words = []
    while match := _WORD.match(text, place):
        word = match[1]
        words.append(word[1:-1].replace("'\\''", "'"))
        place = match.end()
    return words, place


def _lists(script: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """The subcommands with their descriptions, by the name of the function that lists them."""
    found = {}
    for head in _LISTS.finditer(script):
        words, _ = _words(script, head.end())
        entries = (_FIELD_END.split(word, maxsplit=1) for word in words)
        found[head["name"]] = tuple(
            (_plain(entry[0]), _plain(entry[-1]) if len(entry) > 1 else "") for entry in entries
        )
    return found


def _told(specs: tuple[str, ...]) -> Told:
    flags: list[tuple[str, ToldFlag]] = []
    args = []
    for spec in specs:
        if head := _FLAG.match(spec):
            flags.append(_flag(spec, head))
        elif arg := _ARG.fullmatch(spec):
            args.append(
                ToldArg(
                    _plain(arg["name"]),
                    required=not (arg["many"] or arg["optional"]),
                    variadic=bool(arg["many"]),
                    possible_values=_values(arg["action"]),
                )
            )
    return Told(flags=tuple(_paired(flags)), args=tuple(args))


def _flag(spec: str, head: re.Match[str]) -> tuple[str, ToldFlag]:
    """What is behind the name (the same for every spelling of one flag), and the flag of this spelling."""
    tail = spec[head.end() :]
    # [description], ended by the first bracket that is not escaped
    closing = re.search(r"(?<!\\)\]", tail)
    about, tail = (tail[1 : closing.start()], tail[closing.end() :]) if closing else (tail[1:], "")
    fields = _FIELD_END.split(tail)[1:]
    optional = bool(fields) and not fields[0]
    names, actions = (fields[1::2], fields[2::2]) if optional else (fields[::2], fields[1::2])
    told = ToldFlag(
        names=(head["name"],),
        takes_value=bool(head["value"]),
        value_name=" ".join(map(_plain, names)) or None,
        optional_value=True if optional else None,
        repeatable=True if head["repeat"] else None,
        possible_values=_values(actions[0]) if actions else None,
        about=_plain(about) or None,
    )
    # A short flag takes its value with "+", a long one with "=".
    return spec[: head.start("name")] + spec[head.end() :], told


def _paired(flags: list[tuple[str, ToldFlag]]) -> Iterator[ToldFlag]:
    """Shorts and the long right behind them that says the same are one flag. Two longs are never joined."""
    pending: tuple[str, ToldFlag] | None = None
    for tail, flag in flags:
        joined = flag
        if pending and pending[0] == tail:
            joined = replace(flag, names=(*pending[1].names, *flag.names))
        elif pending:
            yield pending[1]
        pending = (tail, joined)
        if flag.names[0].startswith("--"):
            yield joined
            pending = None
    if pending:
        yield pending[1]


def _values(action: str) -> tuple[PossibleValue, ...] | None:
    """``(a b)`` and ``((a\\:"text" …))`` are lists of values; any other action completes files and the like."""
    if action.startswith("((") and action.endswith("))"):
        rows = _DESCRIBED.finditer(action[2:-2])
        return (
            tuple(PossibleValue(name=_plain(row["name"]), about=_plain(row["about"]) or None) for row in rows) or None
        )
    if action.startswith("(") and action.endswith(")"):
        return tuple(PossibleValue(name=_plain(name)) for name in re.split(r"(?<!\\)\s+", action[1:-1]) if name) or None
    return None


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text).strip()
