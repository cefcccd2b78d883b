"""The head of a flag as click and typer print it -> its names on both sides, and what its metavar says.

``-n, --name TEXT``, ``-f, --force / -F, --no-force``, ``--level [low|high]``, ``--pair <TEXT INTEGER>...`` and, of
typer, ``--level <low|high>``, ``--number <int range> [x>=1]``. Anything else is no head.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from pipeline.helptext.placeholder import SPELLING
from pipeline.surface.units import Flag, PossibleValue

_HEAD = re.compile(rf"({SPELLING})(?: (\S.*)|\[=(.+)\])?$")
_RANGE = re.compile(r"\s+\[[^\[\]|]*x[^\[\]|]*\]$")
_TYPES = re.compile(r"TEXT|INTEGER|FLOAT|BOOLEAN|UUID|PATH|FILE|FILENAME|DIRECTORY|DATETIME")


def sides_of(head: str) -> list[tuple[list[str], str | None]]:
    """``-f, --force / -F, --no-force`` or ``-n, --name TEXT`` -> the names and the value of each side."""
    sides = []
    for side in re.split(r" / (?=-)", head):
        pieces = [_HEAD.match(piece) for piece in re.split(r", (?=-)", side)]
        names = [piece[1] for piece in pieces if piece]
        if None in pieces or any(piece and (piece[2] or piece[3]) for piece in pieces[:-1]):
            return []
        last = pieces[-1]
        sides.append((names, (last[2] or f"[={last[3]}]" if last[2] or last[3] else None) if last else None))
    return sides


def valued(flag: Flag, value: str | None) -> Flag:
    """The flag with what its metavar says; typer's boxes print the range of a number there too."""
    if value is None:
        return flag
    optional = value.startswith("[=")
    bare = _RANGE.sub("", value[2:-1] if optional else value)
    choices = choices_of(bare)
    if choices is None and bare[0] == "<" and bare.removesuffix("...")[-1] == ">":
        bare = bare.removesuffix("...")[1:-1]
    return replace(
        flag,
        takes_value=True,
        value_name=None if choices else bare,
        optional_value=True if optional else None,
        possible_values=choices,
    )


def choices_of(metavar: str) -> tuple[PossibleValue, ...] | None:
    """``[a|b]`` of click and ``<a|b>`` of typer -> the values; formats of dates look alike and are none."""
    body = metavar.removesuffix("...")
    inner = body[1:-1].removeprefix("list[")
    if body[0] + body[-1] not in ("[]", "<>", "{}") or "%" in inner or set("<>{}[") & set(inner):
        return None
    inner = inner.removesuffix("]")
    if "|" not in inner and (body[0] != "[" or _TYPES.fullmatch(inner)):
        return None
    return tuple(PossibleValue(name=name) for name in dict.fromkeys(inner.split("|")))
