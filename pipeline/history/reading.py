"""A union's or a snapshot's file as a surface: only what a diff asks of it is read.

A flag of a command that only repeats the root's is ``inherited``, whether the file says so (a union) or repeats its
facts (a snapshot). That a flag must be given is read from the usage line, where there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path as File

import msgspec

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.history.beside import Document, beside_of
from pipeline.history.sides import Offered, Surface
from pipeline.history.usage import required_flags


class _Value(msgspec.Struct, frozen=True):
    name: str
    about: str | None = None


class _Unit(msgspec.Struct, frozen=True):
    about: str | None = None
    stability: str | None = None
    feature_gated: bool | None = None
    state: str | None = None
    available_on: tuple[str, ...] | None = None


class _Given(_Unit, frozen=True):
    possible_values: tuple[_Value, ...] = ()
    default: str | None = None
    env: str | None = None


class _Arg(_Given, frozen=True, kw_only=True):
    name: str
    required: bool
    variadic: bool
    position: int | None = None


class _Flag(_Given, frozen=True, kw_only=True):
    long: str | None = None
    short: str | None = None
    aliases: tuple[str, ...] = ()
    takes_value: bool
    value_name: str | None = None
    optional_value: bool | None = None
    repeatable: bool | None = None


class _Command(_Unit, frozen=True, kw_only=True):
    path: tuple[str, ...]
    usage: str | None = None
    aliases: tuple[str, ...] = ()
    pseudo_commands: tuple[str, ...] = ()
    inherited_from_root: tuple[str, ...] = ()
    args: tuple[_Arg, ...] = ()
    flags: tuple[_Flag, ...] = ()


class _Binary(msgspec.Struct, frozen=True):
    target_triple: str
    sha256: str
    semantic_version: str | None = None


class _Generator(msgspec.Struct, frozen=True):
    dialect: str | None = None


class _Input(msgspec.Struct, frozen=True):
    target_triple: str
    binary: _Binary
    generator: _Generator | None = None


class _Document(msgspec.Struct, frozen=True):
    """A union or a snapshot, as far as it is read."""

    tool: str
    commands: tuple[_Command, ...]
    inputs: tuple[_Input, ...] = ()
    binary: _Binary | None = None
    generator: _Generator | None = None
    surfaces: Document = {}


def read_surface(path: File, version: str | None = None) -> Surface:
    """A union or a snapshot from its file. Raises ArtifactMissing and ArtifactInvalid."""
    return surface_of(canonical.read_bytes(path), path, version)


def surface_of(raw: bytes, where: object, version: str | None = None) -> Surface:
    """The same from its bytes; ``version`` is the one that the file's place names, else the binary's own."""
    document = canonical.decode(raw, _Document, where)
    binaries = [document.binary] if document.binary else [one.binary for one in document.inputs]
    made = document.generator or next((one.generator for one in document.inputs if one.generator), None)
    root = next((command for command in document.commands if not command.path), None)
    shared = {flag.long or flag.short or "": flag for flag in root.flags} if root else {}
    everywhere = tuple(one.target_triple for one in binaries)
    # A file in which no command has a usage line was made without them.
    with_usage = any(one.usage for one in document.commands)
    commands = {
        tuple(one.path): _offered(one, shared if one.path else {}, everywhere, with_usage) for one in document.commands
    }
    return Surface(
        tool=document.tool,
        version=version or next((one.semantic_version for one in binaries if one.semantic_version), ""),
        targets=everywhere,
        commands=dict(sorted(commands.items())),
        sha256=hashlib.sha256(raw).hexdigest() if made else None,
        dialect=made.dialect if made else None,
        binaries={one.target_triple: one.sha256 for one in binaries},
        beside=beside_of(document.surfaces, everywhere),
    )


def _offered(command: _Command, shared: Mapping[str, _Flag], everywhere: tuple[str, ...], with_usage: bool) -> Offered:
    repeated = {
        flag.long or flag.short or ""
        for flag in command.flags
        if _same(flag, shared.get(flag.long or flag.short or ""))
    }
    required = required_flags(command.usage or "")
    own = command.available_on or everywhere
    return Offered(
        path=tuple(command.path),
        facts=_stated(command, everywhere) | _names((command.path[-1:] or [""])[0], command.aliases),
        flags={
            key: _flag_facts(flag, required, own)
            for flag in command.flags
            if (key := flag.long or flag.short or "") and key not in repeated
        },
        args={arg.name: _arg_facts(arg, own) for arg in command.args},
        inherited=frozenset(command.inherited_from_root) | repeated,
        pseudo=frozenset(command.pseudo_commands),
        usage=command.usage or "",
        unread=with_usage and not (command.usage or command.flags or command.args or command.inherited_from_root),
    )


def _same(flag: _Flag, other: _Flag | None) -> bool:
    """Whether a snapshot's flag is the root's, repeated: only what a person reads may differ."""
    if other is None:
        return False
    return flag == other or msgspec.structs.replace(flag, about=other.about) == other


def _names(first: str, others: tuple[str | None, ...]) -> Json:
    return {"names": sorted({first, *filter(None, others)})} if any(others) else {}


def _stated(unit: _Unit, everywhere: tuple[str, ...]) -> Json:
    found: Json = {}
    if unit.state not in (None, "visible"):
        found["state"] = unit.state
    if unit.about:
        found["about"] = unit.about
    if unit.stability:
        found["stability"] = unit.stability
    if unit.feature_gated:
        found["feature_gated"] = True
    if unit.available_on is not None and set(unit.available_on) != set(everywhere):
        found["available_on"] = list(unit.available_on)
    return found


def _given(unit: _Given, everywhere: tuple[str, ...]) -> Json:
    found = _stated(unit, everywhere)
    if unit.possible_values:
        values = {value.name: value.about for value in unit.possible_values}
        found["possible_values"] = [
            {"name": name, **({"about": about} if about else {})} for name, about in sorted(values.items())
        ]
    if unit.default is not None:
        found["default"] = unit.default
    if unit.env:
        found["env"] = unit.env
    return found


def _flag_facts(flag: _Flag, required: frozenset[str], everywhere: tuple[str, ...]) -> Json:
    names = (flag.short if flag.long else None, *flag.aliases)
    first = flag.long or flag.short or ""
    found = _given(flag, everywhere) | _names(first, names)
    found["value"] = (
        "optional" if flag.takes_value and flag.optional_value else "required" if flag.takes_value else "none"
    )
    if flag.takes_value and flag.value_name:
        found["value_name"] = flag.value_name
    if flag.repeatable:
        found["repeatable"] = True
    if required & {first, *filter(None, names)}:
        found["required"] = True
    return found


def _arg_facts(arg: _Arg, everywhere: tuple[str, ...]) -> Json:
    found = _given(arg, everywhere)
    if arg.required:
        found["required"] = True
    if arg.variadic:
        found["variadic"] = True
    if arg.position is not None:
        found["position"] = arg.position
    return found
