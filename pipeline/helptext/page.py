"""The one model of a help page, whatever dialect it was printed in.

A page says what one command offers: its usage, its description, its subcommands, flags and args, and the
lines that no rule of the dialect could read. Keys that carry nothing are left out. Units are the ones of
``pipeline.surface.units``, so that a page becomes a snapshot's command without translation.
"""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.helptext import usage
from pipeline.surface.units import Arg, Flag, Path, Shape, Span, key_of


class Subcommand(Shape, frozen=True, kw_only=True):
    """One entry of a list of commands. ``section`` is the list's title unless that is the usual one."""

    name: str
    aliases: tuple[str, ...] = ()
    about: str | None = None
    section: str | None = None
    stability: str | None = None
    span: Span | None = None


class Page(Shape, frozen=True, kw_only=True):
    """One help page, read.

    ``about`` is all text before the usage: lines of a paragraph joined by a newline, paragraphs by an empty
    line, without the tag that ``stability`` holds. ``aliases`` are the command's own, where its page says them.
    ``subcommands`` and ``unread_lines`` are in page order, flags and args in snapshot order.
    """

    usage_lines: tuple[str, ...] = ()
    about: str | None = None
    stability: str | None = None
    aliases: tuple[str, ...] = ()
    subcommands: tuple[Subcommand, ...] = ()
    flags: tuple[Flag, ...] = ()
    args: tuple[Arg, ...] = ()
    unread_lines: tuple[str, ...] = ()

    def names(self, program: str, path: Path) -> bool:
        """Whether the usage names this very command.

        A CLI that takes any word as an argument answers ``program nosuch --help`` with the page of the
        root, and exit code 0: only the usage tells. A page without usage is taken for the root's alone.
        """
        if not self.usage_lines:
            return not path
        return any(usage.after_path(usage.words(line), program, path) is not None for line in self.usage_lines)

    def program(self) -> str | None:
        """The name that the usage gives the program; None on a page that does not say."""
        return next(filter(None, (usage.program_of(usage.words(line)) for line in self.usage_lines)), None)

    def confirmed_by(self, other: Page) -> Page:
        """This page with the units that another reading of it shows too; the others are unread lines."""
        theirs = {_spelled(unit) for unit in other._units()}
        odd = [unit for unit in self._units() if _spelled(unit) not in theirs]
        return replace(
            self,
            flags=tuple(flag for flag in self.flags if flag not in odd),
            args=tuple(arg for arg in self.args if arg not in odd),
            subcommands=tuple(command for command in self.subcommands if command not in odd),
            unread_lines=(*self.unread_lines, *map(_spelled, odd)),
        )

    def _units(self) -> tuple[Flag | Arg | Subcommand, ...]:
        return (*self.flags, *self.args, *self.subcommands)


def _spelled(unit: Flag | Arg | Subcommand) -> str:
    return key_of(unit) if isinstance(unit, Flag) else unit.name
