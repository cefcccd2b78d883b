"""The units of a page, gathered one by one, and its usage -> the page (commander, yargs).

Both list an arg by its bare name: whether it is required, takes many values and where it stands is told by the
usage. What usage names and no list does is an arg too, noted as inferred. Total.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from pipeline.helptext import usage
from pipeline.helptext.args import placed
from pipeline.helptext.description import split_stability
from pipeline.helptext.lines import Line, span_of
from pipeline.helptext.page import Page, Subcommand
from pipeline.surface.units import Arg, Flag, Path, flag_order, key_of

# yargs writes "[file..]" where commander writes three dots.
_DOTS = re.compile(r"\.{2,3}(?=[\]>]$)")
# "<id>|--all" is a choice between the two.
_OR_FLAG = re.compile(r"(<[^<>]+>|\[[^\[\]]+\])\|(-\S+)$")

Unit = Flag | Arg | Subcommand


@dataclass
class Gathered:
    """``unread`` are the lines that no rule could read, in page order."""

    subcommands: dict[str, Subcommand] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)
    args: dict[str, Arg] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add(self, unit: Unit, lines: Sequence[Line]) -> None:
        """Keep the unit that these lines tell of; the lines of a second one of that name are unread."""
        name = key_of(unit) if isinstance(unit, Flag) else unit.name
        known: dict[str, Any] = (
            self.flags if isinstance(unit, Flag) else self.args if isinstance(unit, Arg) else self.subcommands
        )
        if name in known:
            self.leave(lines)
        else:
            known[name] = replace(unit, span=span_of(lines))

    def leave(self, lines: Sequence[Line]) -> None:
        self.unread += filter(None, lines)

    def page(
        self,
        *,
        usage_lines: Sequence[Line],
        about: str,
        program: str,
        path: Path,
        stand_ins: Sequence[Collection[str]],
        further: Sequence[str] = (),
    ) -> Page:
        """All together. ``stand_ins`` are the words of a usage that stand for a subcommand and what it takes, on a
        page with subcommands; ``further`` are calls that are no usage lines."""
        calls = [*usage_lines, *further]
        words = [self._placeholders(usage.behind_path(call, program, path), stand_ins) for call in calls]
        flags = self.flags.values()
        values = {name: int(flag.takes_value) for flag in flags for name in (flag.long, flag.short) if name}
        required = {slot.name for line in words for slot in usage.slots(line, values) if slot.required}
        listed = [replace(arg, required=arg.required or arg.name in required) for arg in self.args.values()]
        args, unread = placed(listed, words, values, has_subcommands=False)
        inferred_from = span_of(usage_lines)
        text, stability = split_stability(about)
        return Page(
            usage_lines=tuple(map(str, usage_lines)),
            about=text,
            stability=stability,
            subcommands=tuple(self.subcommands.values()),
            flags=tuple(sorted(flags, key=flag_order)),
            args=tuple(
                sorted((replace(arg, span=arg.span or inferred_from) for arg in args), key=lambda arg: arg.name)
            ),
            unread_lines=tuple(map(str, (*(calls[number] for number in unread), *self.unread))),
        )

    def _placeholders(self, words: list[str], stand_ins: Sequence[Collection[str]]) -> list[str]:
        """The words of a call, spelled in one way, without the ones for a subcommand: the first of each group,
        unless a list says that this very one is an arg."""
        for group in stand_ins if self.subcommands else ():
            word = next((word for word in words if word in group), None)
            if word and words.count(word) > (word[1:-1].rstrip(".") in self.args):
                words.remove(word)
        return [_OR_FLAG.sub(r"(\1 | \2)", _DOTS.sub("...", word)) for word in words]
