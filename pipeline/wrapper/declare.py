"""Typed declarations of a CLI's commands: argv comes out of them, and so does coverage (see ``derive``).

    class Exec(Command, path=("exec",)):
        prompt: str | None = arg("PROMPT")
        model: str | None = flag("--model", "-m")
        image: tuple[Path, ...] = flag("--image", "-i")
        json: bool = flag("--json")

    Exec(prompt="hi", json=True).argv() == ["exec", "--json", "--", "hi"]

The annotation says the shape: ``bool`` is a switch, ``T | None`` one value, ``tuple[T, ...]`` a repeated
one, ``Mapping[str, str]`` repeated KEY=VALUE pairs; T is str, int, Path or a StrEnum. A class without a
``path`` is a part that commands share. A declaration that makes no sense is a TypeError when the class is
made; a value that does not fit is a UsageError naming the field, when argv is made.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, dataclass_transform, get_origin

from pipeline.errors import UsageError
from pipeline.surface.coverage import Level, Scope
from pipeline.surface.units import CommandPath
from pipeline.wrapper.constraint import Constraint
from pipeline.wrapper.slot import Slot, Word, slot_of

_SLOT = "slot"

# These return Any so that a field keeps the type of its annotation. For a type checker a field that has a
# value has a default, unless the value comes from one of ``field_specifiers``: that is how ``required`` is
# the only one that the constructor insists on.


def flag(
    long: str, *other: str, separator: str | None = None, note: str | None = None, scope: Scope | None = None
) -> Any:
    """A flag that the wrapper supports as such. ``other`` are its further names; ``long`` is written.

    ``separator`` is a character at which the CLI splits the flag's values: one that holds it is refused.
    """
    return Word(names=(long, *other), separator=separator, note=note, scope=scope)


def passthrough(long: str, *other: str, note: str, scope: Scope | None = None) -> Any:
    """A flag whose value is handed on unread; ``note`` says what that means for the caller."""
    return Word(names=(long, *other), level=Level.PASSTHROUGH, note=note, scope=scope)


def arg(name: str, *, note: str | None = None, scope: Scope | None = None) -> Any:
    """A positional that may be left out. Positionals are written in the order of their declarations."""
    return Word(names=(name,), note=note, scope=scope)


def required(name: str, *, note: str | None = None, scope: Scope | None = None) -> Any:
    """A flag or positional without which there is no command line."""
    return Word(names=(name,), required=True, note=note, scope=scope)


def subcommand() -> Any:
    """A command that runs below this one, after this one's flags: ``program --flag sub --other``."""
    return Word(names=())


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(required,))
class Command:
    """Base of all declarations. Subclasses are frozen, keyword-only dataclasses.

    ``constraints`` of a class add to those of its bases; ``note`` and ``scope`` go into its coverage.
    """

    path: ClassVar[CommandPath]
    note: ClassVar[str | None] = None
    scope: ClassVar[Scope | None] = None
    constraints: ClassVar[tuple[Constraint, ...]] = ()
    slots: ClassVar[tuple[Slot, ...]] = ()

    def __init_subclass__(
        cls, *, path: CommandPath | None = None, note: str | None = None, scope: Scope | None = None
    ) -> None:
        super().__init_subclass__()
        if path is not None:
            cls.path, cls.note, cls.scope = path, note, scope
        for field, annotation in inspect.get_annotations(cls, eval_str=True).items():
            origin: Any = get_origin(annotation)
            if ClassVar in (annotation, origin):
                continue
            if hasattr(Command, field) or field == "path":
                raise TypeError(f"{cls.__name__}.{field} is a name that Command itself needs; write {field}_")
            word = cls.__dict__.get(field)
            if not isinstance(word, Word):
                raise TypeError(f"{cls.__name__}.{field} does not say what it puts on the command line")
            slot = slot_of(field, word, annotation, Command)
            setattr(cls, field, dataclasses.field(default=slot.default, metadata={_SLOT: slot}))
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        cls.slots = tuple(f.metadata[_SLOT] for f in dataclasses.fields(cls))  # type: ignore[arg-type]
        cls.constraints = _constraints(cls)
        _check_names(cls)

    def argv(self) -> list[str]:
        """The words after the program's name. Raises UsageError for a value or a combination that cannot be."""
        return [*self.path, *self._words()]

    def _words(self) -> list[str]:
        owner = type(self).__name__
        given = {slot.field: value for slot in self.slots if not slot.absent(value := getattr(self, slot.field))}
        for constraint in self.constraints:
            if problem := constraint.violation(given):
                raise UsageError(problem, where=owner, remedy="leave one out, or give what is missing")
        flags = [
            word
            for slot in self.slots
            if slot.is_flag and slot.field in given
            for word in slot.words(given[slot.field], owner)
        ]
        positionals = list(self._positionals(given))
        nested = next((slot for slot in self.slots if slot.kind == "command" and slot.field in given), None)
        if nested is None:
            # Always, not only before a leading dash: a prompt may also be the name of a subcommand.
            return [*flags, "--", *positionals] if positionals else flags
        if positionals:
            raise nested.refused(owner, "cannot be given together with a positional", "give one of the two")
        child: Command = given[nested.field]
        if not isinstance(child, nested.types) or child.path[: len(self.path)] != self.path or child.path == self.path:
            raise nested.refused(owner, f"is {type(child).__name__}", "give a command that stands below this one")
        return [*flags, *child.path[len(self.path) :], *child._words()]

    def _positionals(self, given: Mapping[str, Any]) -> Iterator[str]:
        owner = type(self).__name__
        missing: Slot | None = None
        for slot in self.slots:
            if not slot.is_arg:
                continue
            if slot.field in given:
                if missing:
                    problem = f"would be read as {missing.key}, which is not given"
                    raise slot.refused(owner, problem, f"give {missing.field} too")
                yield from slot.words(given[slot.field], owner)
            # What another field stands in for takes no place: `resume --last PROMPT` has no SESSION_ID.
            elif not any(c.kind == "exactly_one" and slot.field in c.fields for c in self.constraints):
                missing = slot


def command_line(program: str | Path, command: Command) -> list[str]:
    """The whole command line: the program, then the command's argv."""
    return [str(program), *command.argv()]


def _constraints(cls: type[Command]) -> tuple[Constraint, ...]:
    """The class's own constraints after those of its bases, each once."""
    found = (c for base in reversed(cls.__mro__) for c in base.__dict__.get("constraints", ()))
    return tuple(dict.fromkeys(found))


def _check_names(cls: type[Command]) -> None:
    names = [name for slot in cls.slots for name in slot.word.names]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TypeError(f"{cls.__name__} declares {', '.join(twice)} twice")
    fields = {slot.field for slot in cls.slots}
    if unknown := sorted({name for c in cls.constraints for name in c.fields} - fields):
        raise TypeError(f"{cls.__name__} constrains {', '.join(unknown)}, which it does not have")
