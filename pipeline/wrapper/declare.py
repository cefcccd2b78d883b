"""Typed declarations of a CLI's commands: argv, standard input and coverage (see ``derive``) all come out of them.

    class Exec(Command, path=("exec",)):
        prompt: str | None = arg("PROMPT", stdin=True)
        model: str | None = flag("--model", "-m")
        image: tuple[Path, ...] = flag("--image", "-i")
        json: bool = flag("--json")

    Exec(prompt="hi", json=True).line()   # argv: exec --json -- -   stdin: hi

The annotation says the shape: ``bool`` is a switch, ``T | None`` one value, ``tuple[T, ...]`` a repeated
one, ``Mapping[str, str]`` repeated KEY=VALUE pairs; T is str, int, Path, UUID or a StrEnum. A class without a
``path`` is a part that commands share. A declaration that makes no sense is a TypeError when the class is
made; a value that does not fit is a UsageError naming the field, when the line is made.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, dataclass_transform, get_origin

from pipeline.errors import UsageError
from pipeline.surface.coverage import Level
from pipeline.surface.units import CommandPath
from pipeline.wrapper.constraint import Constraint
from pipeline.wrapper.slot import Slot, Word, slot_of

_SLOT = "slot"

# These return Any so that a field keeps the type of its annotation. For a type checker a field that has a
# value has a default, unless the value comes from one of ``field_specifiers``: that is how ``required`` is
# the only one that the constructor insists on.


def flag(long: str, *other: str, guarded: bool = False, separator: str | None = None, stdin: bool = False) -> Any:
    """A flag that the wrapper supports as such. ``other`` are its further names; ``long`` is written.

    ``separator`` is a character at which the CLI splits the flag's values: one that holds it is refused.
    With ``stdin`` the flag only says that the value comes by standard input.
    """
    return Word(names=(long, *other), guarded=guarded, separator=separator, stdin=stdin)


def passthrough(long: str, *other: str, note: str) -> Any:
    """A flag whose value is handed on unread; ``note`` says what that means for the caller."""
    return Word(names=(long, *other), level=Level.PASSTHROUGH, note=note)


def arg(name: str, *, guarded: bool = False, stdin: bool = False) -> Any:
    """A positional that may be left out. Positionals are written in the order of their declarations."""
    return Word(names=(name,), guarded=guarded, stdin=stdin)


def required(name: str, *other: str, guarded: bool = False, stdin: bool = False) -> Any:
    """A flag or positional without which there is no command line."""
    return Word(names=(name, *other), required=True, guarded=guarded, stdin=stdin)


def piped() -> Any:
    """What a command reads from standard input without a word on its command line."""
    return Word(names=(), stdin=True)


def subcommand() -> Any:
    """A command that runs below this one, after this one's flags: ``program --flag sub --other``."""
    return Word(names=())


class Use(NamedTuple):
    """A unit whose words stand on a command line: a command, or with ``slot`` one of its flags or args.

    ``values`` are those that were chosen from an enumeration.
    """

    path: CommandPath
    slot: Slot | None = None
    values: tuple[str, ...] = ()


class Line(NamedTuple):
    """A command line: the words after the program's name, what is written to standard input, and what was used.

    ``stdin`` None means that the command reads nothing: give it the null device.
    """

    argv: tuple[str, ...]
    stdin: bytes | None
    used: tuple[Use, ...]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(required,))
class Command:
    """Base of all declarations. Subclasses are frozen, keyword-only dataclasses.

    ``constraints`` of a class add to those of its bases. ``guarded=True``: not every supported version has the command,
    and so none of what stands on it; ``guarded=(field, …)``: only of these fields it is true.
    """

    path: ClassVar[CommandPath]
    guarded: ClassVar[bool] = False
    constraints: ClassVar[tuple[Constraint, ...]] = ()
    slots: ClassVar[tuple[Slot, ...]] = ()

    def __init_subclass__(cls, *, path: CommandPath | None = None, guarded: bool | tuple[str, ...] = False) -> None:
        super().__init_subclass__()
        if path is not None:
            cls.path, cls.guarded = path, guarded is True
        if overridden := sorted(_WRITERS & cls.__dict__.keys()):
            raise TypeError(f"{cls.__name__} overrides {', '.join(overridden)}: words come from declared fields only")
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
        slots = [f.metadata[_SLOT] for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
        cls.slots = tuple(_guard(cls.__name__, slots, guarded))
        cls.constraints = _constraints(cls)
        _check_names(cls)

    @classmethod
    def replaceable(cls, field: str) -> bool:
        """Whether another field can stand in for it: `resume --last PROMPT` has no SESSION_ID, and no place for one."""
        return any(c.kind == "exactly_one" and field in c.fields for c in cls.constraints)

    def line(self) -> Line:
        """The whole line. Raises UsageError for a value or a combination that cannot be."""
        above = [Use(self.path[:depth]) for depth in range(1, len(self.path))]
        line = self._below()
        return Line((*self.path, *line.argv), line.stdin, (*above, *line.used))

    def argv(self) -> list[str]:
        """The words after the program's name."""
        return list(self.line().argv)

    def _below(self) -> Line:
        """What stands after the command's own path."""
        owner = type(self).__name__
        given = {slot: value for slot in self.slots if not slot.absent(value := getattr(self, slot.field))}
        fields = {slot.field for slot in given}
        for constraint in self.constraints:
            if problem := constraint.violation(fields):
                raise UsageError(problem, where=owner, remedy="leave one out, or give what is missing")
        flags = [word for slot in given if slot.is_flag for word in slot.words(given[slot], owner)]
        positionals = list(self._positionals(given))
        used = (Use(self.path), *(_use(self.path, slot, value) for slot, value in given.items() if slot.key))
        stdin = self._stdin(given)
        nested = next((slot for slot in given if slot.kind == "command"), None)
        if nested is None:
            # Always, not only before a leading dash: a prompt may also be the name of a subcommand.
            words = [*flags, "--", *positionals] if positionals else flags
            return Line(tuple(words), stdin, used)
        if positionals:
            raise nested.refused(owner, "cannot be given together with a positional", "give one of the two")
        child: Command = given[nested]
        if not isinstance(child, nested.types) or child.path[: len(self.path)] != self.path or child.path == self.path:
            raise nested.refused(owner, f"is {type(child).__name__}", "give a command that stands below this one")
        line = child.line()
        if stdin is not None and line.stdin is not None:
            raise nested.refused(owner, "reads standard input, which this command reads too", "give one of the two")
        below = line.argv[len(self.path) :]
        return Line(
            (*flags, *below), stdin if line.stdin is None else line.stdin, (*used, *line.used[len(self.path) :])
        )

    def _positionals(self, given: Mapping[Slot, Any]) -> Iterator[str]:
        owner = type(self).__name__
        missing: Slot | None = None
        for slot in self.slots:
            if not slot.is_arg:
                continue
            if slot in given:
                if missing:
                    problem = f"would be read as {missing.key}, which is not given"
                    raise slot.refused(owner, problem, f"give {missing.field} too")
                yield from slot.words(given[slot], owner)
            elif not self.replaceable(slot.field):
                missing = slot

    def _stdin(self, given: Mapping[Slot, Any]) -> bytes | None:
        owner = type(self).__name__
        readers = [slot for slot in given if slot.word.stdin]
        for slot in readers[1:]:
            problem = f"and {readers[0].field} would both be read from standard input"
            raise slot.refused(owner, problem, "give one of the two")
        return readers[0].piped(given[readers[0]], owner) if readers else None


_WRITERS = {"line", "argv", "_below", "_positionals", "_stdin"}


def commands_in(*modules: ModuleType) -> tuple[type[Command], ...]:
    """The commands that these modules declare, in the order of the text."""
    return tuple(
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Command) and one.__module__ == module.__name__
        if "path" in vars(one)
    )


def command_line(program: str | Path, command: Command) -> list[str]:
    """The whole command line: the program, then the command's argv."""
    return [str(program), *command.argv()]


def _use(path: CommandPath, slot: Slot, value: Any) -> Use:
    values = (value if slot.kind == "many" else (value,)) if slot.choices else ()
    return Use(path, slot, tuple(map(str, values)))


def _guard(owner: str, slots: list[Slot], guarded: bool | tuple[str, ...]) -> Iterator[Slot]:
    """The slots with those guarded that the class says are, whatever the part says that they come from."""
    fields = {slot.field for slot in slots if slot.key} if guarded is True else set(guarded or ())
    if unknown := sorted(fields - {slot.field for slot in slots}):
        raise TypeError(f"{owner} guards {', '.join(unknown)}, which it does not have")
    for slot in slots:
        if slot.field not in fields:
            yield slot
        elif slot.word.level is not Level.EXPLICIT:
            raise TypeError(
                f"{owner}.{slot.field} is guarded: its note is taken, and {slot.word.level} needs one of its own"
            )
        else:
            yield dataclasses.replace(slot, word=dataclasses.replace(slot.word, guarded=True))


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
