"""Where a wrapper's source speaks of a unit: a declaration of a wrapper of this repository, or another one's literal.

Declarations are found in the text of ``pipeline/wrapper/<name>``, which is parsed and never imported; literals stand in
the evidence of a wrapper coverage. A unit that the wrapper does not speak of stands where it speaks of the nearest
command that it claims: its own, one below, one above; and where there is none, in the wrapper coverage.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pipeline
from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.faces.model import Place
from pipeline.faces.words import visible
from pipeline.surface.coverage import CoveredCommand, Level, Witness
from pipeline.surface.units import Path as Command

_FIELDS = {"flag", "passthrough", "arg", "required"}
_COMMANDS = {"group", "waive"}
CLAIMED = (Level.EXPLICIT, Level.PASSTHROUGH)

Spoken = Mapping[tuple[Command, str], Place]
"""Command and unit ("" is the command itself) → the first line that speaks of it."""


@dataclass(frozen=True)
class Places:
    """The places of one wrapper; ``coverage`` is that of its wrapper coverage."""

    spoken: Spoken
    coverage: Place

    def of(self, path: Command, unit: str = "") -> Place:
        """The unit's own place, or the nearest one."""
        here = self.spoken.get((path, unit)) or self.spoken.get((path, "")) or self._below(path)
        above = (self.spoken.get((path[:depth], "")) for depth in range(len(path) - 1, -1, -1))
        return here or next(filter(None, above), self.coverage)

    def _below(self, path: Command) -> Place | None:
        found = (place for (at, _), place in self.spoken.items() if path and at[: len(path)] == path)
        return min(found, key=_line, default=None)


def literals(coverage: Sequence[CoveredCommand], package: str) -> Spoken:
    """The first line that the evidence of a coverage names for each unit.

    A command that is claimed and has none of its own has the first of what is given to it.
    """
    found: dict[tuple[Command, str], Place] = {}
    for command in coverage:
        path = tuple(command.path)
        units = [(flag.key, flag.evidence) for flag in command.flags or ()]
        units += [(arg.name, arg.evidence) for arg in command.args or ()]
        own = {unit: place for unit, evidence in units if (place := _first(evidence, package))}
        found |= {(path, unit): place for unit, place in own.items()}
        stated = _first(command.evidence, package)
        if stated or (own and command.level in CLAIMED):
            found[path, ""] = stated or min(own.values(), key=_line)
    return found


def declarations(wrapper: str) -> Spoken:
    """The declarations of a wrapper of this repository, by its name; none where there is no such wrapper.

    Raises ArtifactInvalid for a source file that is no Python.
    """
    folder = Path(pipeline.__file__).parent / "wrapper" / wrapper
    return declared({f"pipeline/wrapper/{wrapper}/{path.name}": _text(path) for path in sorted(folder.glob("*.py"))})


def declared(sources: Mapping[str, str]) -> Spoken:
    """The same of the text of source files, by the name that their places get."""
    modules = {file: _parsed(file, text) for file, text in sources.items()}
    classes = [
        _Class(file, node) for file, tree in modules.items() for node in tree.body if isinstance(node, ast.ClassDef)
    ]
    found: dict[tuple[Command, str], Place] = {}
    for one in classes:
        path = one.path
        if path is not None:
            found[path, ""] = one.place(one.node)
            for unit, place in _fields(one, classes):
                found.setdefault((path, unit), place)
    for file, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _COMMANDS:
                path = tuple(filter(None, map(_string, node.args)))
                found.setdefault((path, ""), Place(file, node.lineno))
    return found


@dataclass(frozen=True)
class _Class:
    file: str
    node: ast.ClassDef

    @property
    def path(self) -> Command | None:
        """The command that the class declares; None for a part."""
        stated = next((word.value for word in self.node.keywords if word.arg == "path"), None)
        if not isinstance(stated, ast.Tuple):
            return None
        return tuple(filter(None, map(_string, stated.elts)))

    def place(self, node: ast.stmt) -> Place:
        return Place(self.file, node.lineno)


def _fields(one: _Class, classes: Sequence[_Class]) -> Iterator[tuple[str, Place]]:
    """The units of a class and then of its bases, by key or name."""
    for node in one.node.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call):
            call = node.value
            key = _string(call.args[0]) if call.args else None
            if key and isinstance(call.func, ast.Name) and call.func.id in _FIELDS:
                yield key, one.place(node)
    for base in one.node.bases:
        # A base stands in the same module or is imported by its name from another one of the wrapper.
        named = [other for other in classes if isinstance(base, ast.Name) and other.node.name == base.id]
        for other in sorted(named, key=lambda other: other.file != one.file)[:1]:
            if other is not one:
                yield from _fields(other, classes)


def _first(evidence: Iterable[Witness] | None, package: str) -> Place | None:
    lines = (Place(visible(one.file), one.line, package) for one in evidence or () if one.file)
    return min(lines, key=_line, default=None)


def _line(place: Place) -> tuple[str, int]:
    return place.file, place.line or 0


def _string(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _text(path: Path) -> str:
    return canonical.read_bytes(path).decode("utf-8")


def _parsed(file: str, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise ArtifactInvalid(f"is no Python: {error}", where=file) from None
