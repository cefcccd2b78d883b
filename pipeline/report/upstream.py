"""The union as the resolver reads it: identities and availability, nothing else.

Only these keys are checked, so that a union which another tool made with other facts is still readable.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from pipeline import canonical
from pipeline.contract.rules import Exclusion, Rules

Kind = Literal["command", "flag", "arg"]
HIDDEN = "hidden"


class _Key(msgspec.Struct, frozen=True):
    key: str
    available_on: tuple[str, ...]
    state: str | None = None


class _Name(msgspec.Struct, frozen=True):
    name: str
    available_on: tuple[str, ...]
    state: str | None = None


class _Command(msgspec.Struct, frozen=True):
    path: tuple[str, ...]
    available_on: tuple[str, ...]
    state: str | None = None
    flags: tuple[_Key, ...] = ()
    args: tuple[_Name, ...] = ()

    def availability(self, kind: Kind, key: str) -> tuple[str, ...]:
        """Where this command, or a flag or arg of it, is available; empty if it has none such."""
        if kind == "command":
            return self.available_on
        if kind == "flag":
            for flag in self.flags:
                if flag.key == key:
                    return flag.available_on
        else:
            for arg in self.args:
                if arg.name == key:
                    return arg.available_on
        return ()


class _Input(msgspec.Struct, frozen=True):
    target_triple: str
    binary: dict[str, Any] = {}
    generator: Any = None


class Unit(NamedTuple):
    """One unit of the surface. ``key`` is a flag's key or an arg's name, "" for a command.

    A ``hidden`` one is accepted and not shown.
    """

    kind: Kind
    path: tuple[str, ...]
    key: str
    available_on: tuple[str, ...]
    hidden: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {' '.join((*self.path, self.key)).strip() or '(root)'}"


class Upstream(msgspec.Struct, frozen=True):
    """A union, read from its bytes with ``Upstream.parse``."""

    snapshot_schema_version: Literal[2]
    tool: str
    mode: Literal["union"]
    complete: bool
    expected_targets: tuple[str, ...]
    inputs: Annotated[tuple[_Input, ...], Meta(min_length=1)]
    commands: tuple[_Command, ...]

    @classmethod
    def parse(cls, raw: bytes | mmap, where: object) -> Upstream:
        """Raises ArtifactInvalid if it is no union, or one without inputs.

        Only what is needed is read. A key that stands twice is not looked for here (that costs as much as
        all the rest of a report): ``validate`` refuses such a file, and no stage writes one.
        """
        return canonical.decode(raw, cls, where)

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that went in, in input order."""
        return tuple(one.target_triple for one in self.inputs)

    @property
    def has_provenance(self) -> bool:
        """Whether every snapshot says what made it; only then do derived files carry digests."""
        return all(one.generator for one in self.inputs)


class Exclusions:
    """The rules' parity exclusions by identity; of two for one unit the last counts."""

    def __init__(self, rules: Rules) -> None:
        self._found: dict[tuple[str, tuple[str, ...], str], Exclusion] = {
            one.identity: one for one in rules.parity_exclusions.units
        }

    def walk(self, upstream: Upstream) -> Iterator[tuple[Unit, Exclusion | None]]:
        """Every unit by path (a command, its flags, its args) with the exclusion that applies to it.

        An excluded command is yielded, its flags and args are not: they are excluded with it. Its
        subcommands are units of their own. What belongs to a hidden command is hidden with it.
        """
        find = self._found.get
        by_path = {command.path: command for command in upstream.commands}
        for path in sorted(by_path):
            command = by_path[path]
            exclusion = find(("command", path, ""))
            below_hidden = command.state == HIDDEN
            yield Unit("command", path, "", command.available_on, below_hidden), exclusion
            if exclusion:
                continue
            for flag in sorted(command.flags, key=_by_key):
                hidden = below_hidden or flag.state == HIDDEN
                yield Unit("flag", path, flag.key, flag.available_on, hidden), find(("flag", path, flag.key))
            for arg in sorted(command.args, key=_by_name):
                hidden = below_hidden or arg.state == HIDDEN
                yield Unit("arg", path, arg.name, arg.available_on, hidden), find(("arg", path, arg.name))


_by_key = attrgetter("key")
_by_name = attrgetter("name")
