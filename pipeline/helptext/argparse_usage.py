"""A usage as argparse or a person wrote it -> what it says of the flags, args and subparsers of its page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from pipeline.helptext.operands import ALL_FLAGS, behind, operands
from pipeline.helptext.placeholder import SPELLING, words
from pipeline.helptext.usage import Slot
from pipeline.surface.units import Flag, Path, flag_names

_SPELLED = re.compile(rf"(?<![^\s\[(|])({SPELLING})")


class Usage:
    """``own`` tells that argparse made the usage itself: then it spells every flag of the page. One that is ``open``
    has a word for all flags (``[options]``).

    ``names`` are the words for positionals; ``parsers`` are those before a ``...`` that stands alone, which is how
    argparse spells subparsers, and an arg before the remainder.
    """

    def __init__(self, lines: Sequence[str], program: str, path: Path) -> None:
        self.own = False
        self.lines = lines
        self.calls = [behind(words(line), program, path) for line in lines]
        self.open = any(ALL_FLAGS.match(word.strip("[]<>")) for call in self.calls for word in call)
        self.flags = frozenset(_SPELLED.findall(" ".join(lines)))
        self.names = frozenset(slot.name for line in self.slots({}) for slot in line)
        self.parsers = frozenset(key(word) for call in self.calls for word, after in pairwise(call) if after == "...")

    def slots(self, takes: Mapping[str, int]) -> list[list[Slot]]:
        """The positionals of each call; ``takes`` are the words behind each flag."""
        return [operands(call, takes) for call in self.calls]

    def spells(self, flag: Flag) -> bool:
        return any(name in self.flags for name in flag_names(flag))

    def shows(self, flag: Flag, value: str) -> bool:
        """Whether the usage has the flag together with its value, word by word."""
        return any(f"{name} {value}" in line for line in self.lines for name in flag_names(flag))


def key(word: str) -> str:
    """The name of a placeholder, as the slots have it."""
    return word[1:-1] if word[:1] == "<" and word[-1:] == ">" else word
