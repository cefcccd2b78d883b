"""A usage line -> the command that it names and the positionals that it takes.

Works on words: text between blanks, with everything inside ``<>``, ``[]`` and ``()`` kept in one word, as
in ``prog add <NAME> (--url <URL> | -- <COMMAND>...)``. Total: a line with unbalanced brackets has words too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

_OPEN, _CLOSE = "<[(", ">])"
# Stand for flags or subcommands, never for a positional's own name.
_ALL_FLAGS = frozenset({"OPTIONS", "OPTION", "FLAGS"})
# Brackets nested deeper than in any real usage (three); bounds the recursion on arbitrary text.
_DEEPEST = 8


class Slot(NamedTuple):
    """A positional as usage spells it. ``bare`` says that no brackets mark it as a placeholder."""

    name: str
    required: bool
    variadic: bool
    bare: bool = False


def words(line: str) -> list[str]:
    """The words of a usage line; one without balanced brackets is cut at every blank."""
    pieces = _cut(line, " ")
    found = line.split() if pieces is None else pieces
    # Some pages show the prompt too: "$ prog build [root]".
    return found[1:] if found[:1] == ["$"] else found


def after_path(line: Sequence[str], program: str, path: Sequence[str]) -> list[str] | None:
    """The words behind ``program path…``, or None when the usage is another command's.

    The program may be missing or stand there with its folder; a token may be spelled with its aliases
    (``install|i``); what a parent requires may stand between the tokens (``prog --out <DIR> add``).
    """
    rest = list(line)
    name = program.split()
    named = bool(rest) and [_program(word) for word in rest[: len(name)]] == [_program(word) for word in name]
    if named:
        del rest[: len(name)]
    for token in path:
        while rest and not _is_literal(rest[0]):
            del rest[0]
        if not rest or token not in rest[0].split("|"):
            return None
        del rest[0]
    if not path and not named and rest and _is_literal(rest[0]):
        return None
    return rest


def behind_path(line: str, program: str, path: Sequence[str]) -> list[str]:
    """The words behind the command; on another command's page those from the first placeholder on."""
    found = words(line)
    rest = after_path(found, program, path)
    if rest is None:
        rest = found[next((number for number, word in enumerate(found) if not _is_literal(word)), len(found)) :]
    return rest


def program_of(line: Sequence[str]) -> str | None:
    """The program that a usage line begins with, without its folder: one word, or ``python -m name``."""
    if not line or not _is_literal(line[0]):
        return None
    if line[1:2] == ["-m"] and len(line) > len(("python", "-m")):
        return f"{_program(line[0])} -m {line[2]}"
    return _program(line[0])


def slots(line: Sequence[str], values: Mapping[str, int], *, required: bool = True, depth: int = 0) -> Iterator[Slot]:
    """The positionals among the words behind the command path, in order.

    ``values`` says how many placeholders the page's flags take, by spelling; an unknown flag takes one.
    ``depth`` counts the brackets around the words; what stands too deep is not read.
    """
    pending = 0  # placeholders that still belong to the flag before them
    for word in line:
        body = word.removesuffix("...")
        if word.startswith("-"):
            name = word.partition("=")[0].rstrip("[.")
            closed = "=" in word or word.endswith("...") or name == "--"
            pending = 0 if closed else values.get(name, 1)
        elif not body or body == "|":
            continue
        elif pending:
            pending -= 1
        elif body[0] in _OPEN and body[-1] in _CLOSE:
            for slot in _bracketed(body, values, required=required, depth=depth + 1):
                yield slot._replace(variadic=slot.variadic or body != word)
        else:
            yield Slot(body, required, body != word, bare=True)


def _bracketed(body: str, values: Mapping[str, int], *, required: bool, depth: int) -> Iterator[Slot]:
    if depth > _DEEPEST:
        return
    inner = body[1:-1]
    name = inner.removesuffix("...").rstrip()
    choices = _cut(inner, "|") or [inner]
    mentions_flag = any(choice.lstrip().startswith("-") for choice in choices)
    # "<AUTO|CIMD>" is one placeholder; "<FILE|--url <URL>>" and "(<A> | <B>)" are choices between units.
    if body[0] != "(" and not mentions_flag and name and name[0] not in _OPEN and (body[0] == "<" or " " not in name):
        if name.upper() not in _ALL_FLAGS:
            yield Slot(name, required and body[0] == "<", name != inner)
        return
    alone = required and body[0] != "[" and len(choices) == 1
    for choice in choices:
        for slot in slots(words(choice), values, required=alone, depth=depth):
            # Inside "<A|--b>" a positional stands without brackets of its own.
            yield slot._replace(bare=slot.bare and body[0] != "<")


def _cut(text: str, separator: str) -> list[str] | None:
    """``text`` cut at separators outside all brackets, empty pieces left out; None when unbalanced."""
    pieces, start, depth = [], 0, 0
    for place, character in enumerate(text):
        if character in _OPEN:
            depth += 1
        elif character in _CLOSE:
            depth -= 1
            if depth < 0:
                return None
        elif character == separator and not depth:
            pieces.append(text[start:place])
            start = place + 1
    pieces.append(text[start:])
    return None if depth else [piece for piece in pieces if piece.strip()]


def _is_literal(word: str) -> bool:
    return word[0] not in "<[(-"


def _program(word: str) -> str:
    return word.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
