"""A linter: modules that are declared deterministic use no clock, chance, network, processes, environment or locale.

It reads names as the module has imported them, whether they are called or only handed on. What a module that is
imported does is not looked into; so importing by a name that is made up at run time is a finding of its own, and so is
an order that nothing decides (``unordered``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.errors import ArtifactInvalid
from pipeline.patterns import scopes, unordered
from pipeline.patterns.effects import BUILTIN, DECIDED, has_some, kind_of
from pipeline.patterns.scopes import Known

_IMPORTERS = frozenset({"importlib.import_module", "importlib.__import__", "__import__"})
# How many arguments say all but how the text is encoded.
_TEXT = {"open": 3, "read_text": 0, "write_text": 1}


class Effect(NamedTuple):
    """One use; ``line`` counts from 1."""

    path: Path
    line: int
    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.path.as_posix()}:{self.line}: ambient-effect: {self.name} ({self.kind})"


def lint(path: Path) -> list[Effect]:
    """The effects of a module, in the order of its lines. Raises ArtifactMissing, ArtifactInvalid."""
    try:
        tree = ast.parse(canonical.read_bytes(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ArtifactInvalid(f"not a module: {error}", where=path, remedy="correct it, or leave it out") from None
    try:
        found = {Effect(path, line, name, kind) for line, name in _used(tree) if (kind := kind_of(name))}
        found |= {Effect(path, line, name, "hidden") for line, name in _all_of(tree)}
        found |= {Effect(path, line, name, "locale") for line, name in _undecided(tree)}
        found |= {Effect(path, line, name, "order") for line, name in unordered.seen(tree)}
    except RecursionError:
        raise ArtifactInvalid("it is nested too deeply", where=path, remedy="split its longest expression") from None
    return sorted(found)


def _used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name that is used, by what it was imported as."""
    yield from _walk(tree, scopes.of_module(tree, BUILTIN))


def _all_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Modules with an effect of which all names are taken: nobody sees then which of them are used."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and node.names[0].name == "*":
            yield from [(node.lineno, f"{node.module}.*")] if has_some(node.module) else []


def _walk(node: ast.AST, known: Known) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Call) and _is_decided(node, known):
        for one in (*node.args, *node.keywords):
            yield from _walk(one, known)
        return
    name = _dotted(node, known)
    if name is not None and isinstance(node, ast.Attribute | ast.Name | ast.Call):
        yield node.lineno, name
        return
    for child, inner in scopes.children(node, known):
        yield from _walk(child, inner)


def _is_decided(node: ast.Call, known: Known) -> bool:
    needed = DECIDED.get(_dotted(node.func, known) or "")
    return needed is not None and len(node.args) + len(node.keywords) >= needed


def _dotted(node: ast.AST, known: Known) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        below = _dotted(node.value, known)
        return below and f"{below}.{node.attr}"
    if isinstance(node, ast.Call) and node.args:
        return _spelled(node, _dotted(node.func, known), known)
    return None


def _spelled(node: ast.Call, function: str | None, known: Known) -> str | None:
    """The name that a call of ``import_module`` or ``getattr`` comes to, where its text says so, or where it begins."""
    first = node.args[0]
    if function in _IMPORTERS:
        if isinstance(first, ast.Constant):
            return str(first.value)
        start = first.values[0] if isinstance(first, ast.JoinedStr) and first.values else None
        text = str(start.value) if isinstance(start, ast.Constant) else ""
        return text.rpartition(".")[0] or None
    if function == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        below = _dotted(first, known)
        return below and f"{below}.{node.args[1].value!s}"
    return None


def _undecided(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts that are read or written in whatever encoding the locale has."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(one.arg in ("encoding", None) for one in node.keywords):
            continue
        method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "open" and method and not _is_of_path(node):
            continue
        most, mode = _TEXT.get(name, -1), 1
        if name == "open" and method:
            most, mode = most - 1, 0
        if len(node.args) > most or (name in ("read_text", "write_text") and not method):
            continue
        said = [*node.args[mode : mode + 1], *(one.value for one in node.keywords if one.arg == "mode")]
        if name != "open" or not any(isinstance(one, ast.Constant) and "b" in str(one.value) for one in said):
            yield node.lineno, name


def _is_of_path(node: ast.Call) -> bool:
    """Whether a method ``open`` is that of a path, which takes a mode: others take what shall be opened."""
    first = node.args[0] if node.args else next((one.value for one in node.keywords if one.arg == "mode"), None)
    return isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.strip("rwaxbt+")
