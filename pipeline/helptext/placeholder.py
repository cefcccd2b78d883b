"""What stands behind the names of a flag, in Python's spellings -> what the flag takes.

``X``, ``[X]``, ``X [X ...]``, ``[X ...]``, ``A B``, ``...``, ``{a,b}``, ``<file>``, ``[CHANNEL]@[TAG]``. Total: what is
none of these is one odd placeholder, and ``doubtful`` where it may as well be a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.helptext import usage
from pipeline.surface.units import Flag, PossibleValue

SPELLING = r"-(?:-\w(?:[\w.:+@-]*[\w+])?|\w(?:[\w.:+-]*\w)?|[^\s\w,\[\](){}<>|-])"
_BRACES = re.compile(r"\{[^{}]*\}")
_BLANK = "\0"  # stands for a blank inside braces, which parts no words


class Placeholder(NamedTuple):
    """``name`` is absent where the values say it all (``{a,b}``); ``words`` are counted as usage spells them."""

    name: str | None
    optional: bool
    many: bool
    choices: tuple[PossibleValue, ...] | None
    words: int
    doubtful: bool


def words(text: str) -> list[str]:
    """The words of a text in argparse's spelling, where braces hold values together too."""
    closed = _BRACES.sub(lambda braces: braces[0].replace(" ", _BLANK), text)
    return [word.replace(_BLANK, " ") for word in usage.words(closed)]


def placeholder(text: str) -> Placeholder:
    outside = words(text)
    inner = inside(outside[0]) if len(outside) == 1 else None
    parts = outside if inner is None else words(inner.removeprefix("="))
    names = [part.removesuffix("...") for part in parts if part != "..." and not _repeats(part)]
    choices = choices_of(names[0]) if names and len(set(names)) == 1 else None
    shown = " ".join(name[1:-1] if name[0] == "<" and name[-1] == ">" else name for name in names if name)
    return Placeholder(
        name=None if choices else shown or None,
        optional=inner is not None,
        many=len(names) < len(parts) or any(part.endswith("...") for part in parts),
        choices=choices,
        words=len(outside),
        # "--tag KEY VALUE" is one flag with two values, "--tag is deprecated" a sentence.
        doubtful=len(set(names)) > 1 and any(name.islower() and name[0] not in "<{[" for name in names),
    )


def choices_of(name: str) -> tuple[PossibleValue, ...] | None:
    """``{a,b}`` -> its values"""
    if not _BRACES.fullmatch(name) or len(name) <= len("{}"):
        return None
    return tuple(PossibleValue(name=value) for value in dict.fromkeys(name[1:-1].split(",")))


def inside(word: str) -> str | None:
    """What one pair of square brackets around a whole word holds: ``[X ...]``, but not ``[A]@[B]``."""
    if word[:1] != "[" or word[-1:] != "]":
        return None
    depth = 0
    for place, character in enumerate(word):
        depth += (character == "[") - (character == "]")
        if not depth:
            return word[1:-1].strip() or None if place == len(word) - 1 else None
    return None


def flags_of(names: Sequence[str], value: Placeholder | None) -> list[Flag]:
    """The flag of a head, and behind it the one that says the opposite (``--color, --no-color``)."""
    opposite = [name for name in names if name.startswith("--no-") and f"--{name[5:]}" in names]
    return [
        flag_of(spellings, value)
        for spellings in ([name for name in names if name not in opposite], opposite)
        if spellings
    ]


def flag_of(names: Sequence[str], value: Placeholder | None) -> Flag:
    """The first long name is the flag's, the first short one its short name; further ones are aliases."""
    long = next((name for name in names if name.startswith("--")), None)
    short = next((name for name in names if not name.startswith("--")), None)
    return Flag(
        long=long,
        short=short,
        aliases=tuple(dict.fromkeys(name for name in names if name not in (long, short))) or None,
        takes_value=value is not None,
        value_name=value.name if value else None,
        optional_value=True if value and value.optional else None,
        repeatable=True if value and value.many else None,
        possible_values=value.choices if value else None,
    )


def _repeats(part: str) -> bool:
    """``[X ...]`` and ``[X [X ...]]`` behind a placeholder say that it may be repeated."""
    return part.endswith(("...]", "...]]"))
