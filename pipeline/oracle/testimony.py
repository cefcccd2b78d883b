"""What a second witness says of a CLI: units by command path, each with the facts that this witness knows.

A fact that a witness cannot tell is None, never a guess. A testimony keeps aliases folded: a command stands
under its first name, and ``find`` accepts the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.surface.units import Path, PossibleValue


@dataclass(frozen=True, slots=True)
class ToldFlag:
    """``names`` are the spellings known to be one flag; a witness may tell the short and the long apart."""

    names: tuple[str, ...]
    takes_value: bool | None = None
    value_name: str | None = None
    optional_value: bool | None = None
    repeatable: bool | None = None
    possible_values: tuple[PossibleValue, ...] | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class ToldArg:
    """A positional. ``name`` is the parser's own, which help may replace by a placeholder."""

    name: str
    required: bool
    variadic: bool
    possible_values: tuple[PossibleValue, ...] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One command. ``args`` is None when the witness tells nothing of positionals."""

    flags: tuple[ToldFlag, ...] = ()
    args: tuple[ToldArg, ...] | None = None
    aliases: tuple[str, ...] = ()
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Testimony:
    """``exhaustive``: what is not told does not exist. ``tells_hidden``: units that help does not show are told."""

    kind: str
    exhaustive: bool
    tells_hidden: bool
    commands: Mapping[Path, Told] = field(default_factory=dict)

    def resolve(self, path: Path) -> Path | None:
        """The path under which a command is told, aliases replaced by first names; None when it is not."""
        known: Path = ()
        for token in path:
            known = next(
                (
                    child
                    for child in self.children(known)
                    if token == child[-1] or token in self.commands[child].aliases
                ),
                (),
            )
            if not known:
                return None
        return known if known in self.commands else None

    def find(self, path: Path) -> Told | None:
        """What is told of a command, under whichever of its names."""
        known = self.resolve(path)
        return None if known is None else self.commands[known]

    def children(self, path: Path) -> Iterator[Path]:
        """The commands told directly below one, in the order in which they were told."""
        return (child for child in self.commands if child and child[:-1] == path)
