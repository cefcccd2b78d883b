"""Declarations -> the manifest of what the wrapper really emits.

No list of flags is kept anywhere: each field is given a sample value, argv is built as a caller would
build it, and the field's flag or arg is covered if and only if it stands in that argv. Deterministic and
offline; entries follow the order of the declarations.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.surface.coverage import CoveredArg, CoveredCommand, CoveredFlag, Level, Manifest
from pipeline.surface.units import CommandPath
from pipeline.wrapper.declare import Command
from pipeline.wrapper.slot import Slot

Declaration = type[Command] | CoveredCommand


def waive(path: CommandPath, *, note: str) -> CoveredCommand:
    """Declare that a command and all below it are left out on purpose; ``note`` says why."""
    if not note.strip():
        raise TypeError(f"the waiver of {' '.join(path)} needs a note")
    return CoveredCommand(path=path, level=Level.INTENTIONALLY_UNSUPPORTED, note=note)


def coverage_of(declarations: Iterable[Declaration]) -> Manifest:
    """The manifest that declared commands and waivers make.

    A flag that the root covers alike is said once, at the root: a union does not repeat root flags on
    other commands (``globals.effective_flags_model``), so the repetition would read as a flag that only
    the wrapper knows.
    """
    declarations = tuple(declarations)
    entries = [d if isinstance(d, CoveredCommand) else _covered(d) for d in declarations]
    paths = [entry.path for entry in entries]
    if twice := sorted({" ".join(path) or "the root" for path in paths if paths.count(path) > 1}):
        raise TypeError(f"declared twice: {', '.join(twice)}")
    root = next((entry.flags or () for entry in entries if entry.path == ()), ())
    said = {(flag.key, flag.level, flag.scope) for flag in root}
    return Manifest(
        schema_version=1, coverage=tuple(_without(entry, said) if entry.path else entry for entry in entries)
    )


def sample(command: type[Command], *fields: str) -> Command:
    """The smallest instance that gives ``fields`` (and what its constraints demand) some value."""
    given = dict.fromkeys(slot.field for slot in command.slots if slot.word.required or slot.field in fields)
    for constraint in command.constraints:
        if constraint.kind == "exactly_one" and not given.keys() & set(constraint.fields):
            given[constraint.fields[0]] = None
        if constraint.kind == "requires" and constraint.fields[0] in given:
            given.update(dict.fromkeys(constraint.fields))
    return command(**{slot.field: sample_value(slot) for slot in command.slots if slot.field in given})


def sample_value(slot: Slot) -> Any:
    """A value that the field's type admits and that is found again in argv."""
    if slot.kind == "switch":
        return True
    if slot.kind == "pairs":
        return {"sample": slot.field}
    if slot.kind == "command":
        return sample(slot.types[0])
    [type_] = slot.types
    value: Any
    if type_ is int:
        value = 1
    elif type_ in (str, Path):
        value = type_(f"sample-{slot.field}")
    else:
        value = next(iter(type_))  # type: ignore[call-overload]
    return (value,) if slot.kind == "many" else value


def _covered(command: type[Command]) -> CoveredCommand:
    emitted = [slot for slot in command.slots if _emitted(command, slot)]
    flags = tuple(
        CoveredFlag(key=slot.key, level=slot.word.level, note=slot.word.note, scope=slot.word.scope)
        for slot in emitted
        if slot.is_flag
    )
    args = tuple(
        CoveredArg(name=slot.key, level=slot.word.level, note=slot.word.note, scope=slot.word.scope)
        for slot in emitted
        if slot.is_arg
    )
    return CoveredCommand(
        path=command.path,
        level=Level.EXPLICIT,
        note=command.note,
        scope=command.scope,
        flags=flags or None,
        args=args or None,
    )


def _emitted(command: type[Command], slot: Slot) -> bool:
    if slot.kind == "command":
        return False
    argv = sample(command, slot.field).argv()[len(command.path) :]
    end = argv.index("--") if "--" in argv else len(argv)
    if slot.is_flag:
        return any(word == slot.key or word.startswith(slot.glued) for word in argv[:end])
    value = sample_value(slot)
    return str(value[0] if slot.kind == "many" else value) in argv[end:]


def _without(entry: CoveredCommand, said: set[Any]) -> CoveredCommand:
    kept = tuple(flag for flag in entry.flags or () if (flag.key, flag.level, flag.scope) not in said)
    return CoveredCommand(
        path=entry.path, level=entry.level, note=entry.note, scope=entry.scope, flags=kept or None, args=entry.args
    )
