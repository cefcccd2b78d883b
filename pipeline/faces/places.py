"""Where a wrapper's source speaks of a unit: a declaration of a wrapper of this repository, or another one's literal.

Declarations are found in the text of ``pipeline/wrapper/<name>``, which is parsed and never imported; literals stand in
the evidence of a wrapper coverage. A unit that the wrapper does not speak of stands where it speaks of the nearest
command that it claims: its own, one below, one above; and where there is none, in the wrapper coverage.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

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
    modules = [_Module(file, _parsed(file, text)) for file, text in sources.items()]
    by_name = {module.name: module for module in modules}
    found: dict[tuple[Command, str], Place] = {}
    for module in modules:
        for node in module.classes.values():
            path = _path_of(node)
            if path is not None:
                found[path, ""] = module.place(node)
                for unit, place in _fields(module, node, by_name):
                    found.setdefault((path, unit), place)
    for module in modules:
        for call in ast.walk(module.tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _COMMANDS:
                found.setdefault((_strings(call.args), ""), module.place(call))
    return found


@dataclass(frozen=True)
class _Module:
    file: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return PurePosixPath(self.file).stem

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        return {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}

    @cached_property
    def imported(self) -> dict[str, str]:
        """Name → the last part of the module that it is imported from."""
        froms = (node for node in self.tree.body if isinstance(node, ast.ImportFrom) and node.module)
        return {name.name: str(node.module).rpartition(".")[2] for node in froms for name in node.names}

    def place(self, node: ast.stmt | ast.expr) -> Place:
        return Place(self.file, node.lineno)


def _path_of(node: ast.ClassDef) -> Command | None:
    """The command that a class declares; None for a part."""
    stated = next((word.value for word in node.keywords if word.arg == "path"), None)
    return _strings(stated.elts) if isinstance(stated, ast.Tuple) else None


def _fields(module: _Module, one: ast.ClassDef, modules: Mapping[str, _Module]) -> Iterator[tuple[str, Place]]:
    """The units of a class and then of its bases, by key or name."""
    for node in one.body:
        call = node.value if isinstance(node, ast.AnnAssign) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _FIELDS:
            yield from ((key, module.place(node)) for key in _strings(call.args[:1]))
    for base in one.bases:
        if not isinstance(base, ast.Name):
            continue
        home = module if base.id in module.classes else modules.get(module.imported.get(base.id, ""))
        if home and base.id in home.classes:
            yield from _fields(home, home.classes[base.id], modules)


def _strings(nodes: Iterable[ast.expr]) -> tuple[str, ...]:
    return tuple(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _first(evidence: Iterable[Witness] | None, package: str) -> Place | None:
    lines = (Place(visible(one.file), one.line, package) for one in evidence or () if one.file)
    return min(lines, key=_line, default=None)


def _line(place: Place) -> tuple[str, int]:
    return place.file, place.line or 0


def _text(path: Path) -> str:
    return canonical.read_bytes(path).decode("utf-8")


def _parsed(file: str, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise ArtifactInvalid(f"is no Python: {error}", where=file) from None
