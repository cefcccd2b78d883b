"""The catalogue of scenarios: fixed command lines that together use everything that is declared.

Declarations in, a finite list of commands out, in the order of the declarations: each command as small as it can
be, then once for each of its fields, and once more for each value of an enumeration. Nothing is drawn or looked up;
the values say which field they are for, so that they are found again in argv.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from pipeline.wrapper.declare import Command
from pipeline.wrapper.slot import Slot


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One command with the name of what it is there for: ``Exec``, ``Exec.model`` or ``Exec.color=never``."""

    name: str
    command: Command


def scenarios(commands: Iterable[type[Command]]) -> Iterator[Scenario]:
    """Every scenario of the declared commands."""
    for command in commands:
        yield Scenario(command.__name__, sample(command))
        for slot in command.slots:
            if slot.kind == "command" and slot.types == (Command,):
                continue  # any command at all: each has scenarios of its own
            name = f"{command.__name__}.{slot.field}"
            given = sample(command, slot.field)
            yield Scenario(name, given)
            for choice in list(slot.choices or ())[1:]:
                value = (choice,) if slot.kind == "many" else choice
                yield Scenario(f"{name}={choice}", _with(given, slot.field, value))


def sample(command: type[Command], *fields: str) -> Command:
    """The smallest instance that gives ``fields`` (and what its constraints demand) some value."""
    given = dict.fromkeys(slot.field for slot in command.slots if slot.word.required or slot.field in fields)
    args = [slot.field for slot in command.slots if slot.is_arg]
    for place, field in enumerate(args):
        if field in given:
            given.update(dict.fromkeys(one for one in args[:place] if not command.replaceable(one)))
    while demanded := _demanded(command, given):
        given[demanded] = None
    return command(**{slot.field: sample_value(slot) for slot in command.slots if slot.field in given})


def _demanded(command: type[Command], given: Container[str]) -> str | None:
    """A field that the constraints still miss. Alternatives come last: another demand may settle them."""
    for constraint in sorted(command.constraints, key=lambda constraint: constraint.kind == "exactly_one"):
        missing = [field for field in constraint.fields if field not in given]
        needed = constraint.kind == "requires" and constraint.fields[0] in given
        if missing and (needed or (constraint.kind == "exactly_one" and len(missing) == len(constraint.fields))):
            return missing[0]
    return None


def _with(command: Command, field: str, value: Any) -> Command:
    given = {slot.field: getattr(command, slot.field) for slot in command.slots}
    return type(command)(**{**given, field: value})


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
    elif type_ is UUID:
        value = UUID(int=1)
    elif type_ in (str, Path):
        value = type_(f"sample-{slot.field}")
    else:
        value = next(iter(type_))  # type: ignore[call-overload]
    return (value,) if slot.kind == "many" else value
