"""A linter: modules that are declared deterministic use no clock, chance, network, processes or environment.

It reads names as the module has imported them, whether they are called or only handed on; what a module that is
imported does is not looked into, and names that are made up at run time are not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline import canonical
from pipeline.errors import ArtifactInvalid

# What a name begins with, and what it brings in.
EFFECTS = {
    "time": "clock",
    "datetime.datetime.now": "clock",
    "datetime.datetime.utcnow": "clock",
    "datetime.datetime.today": "clock",
    "datetime.date.today": "clock",
    "random": "chance",
    "secrets": "chance",
    "uuid.uuid1": "chance",
    "uuid.uuid4": "chance",
    "os.urandom": "chance",
    "socket": "network",
    "urllib.request": "network",
    "http.client": "network",
    "requests": "network",
    "httpx": "network",
    "subprocess": "processes",
    "multiprocessing": "processes",
    "os.system": "processes",
    "os.popen": "processes",
    "os.environ": "environment",
    "os.getenv": "environment",
    "os.getcwd": "environment",
    "locale": "environment",
    "getpass": "environment",
}


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
    except (SyntaxError, ValueError) as error:
        raise ArtifactInvalid(f"not a module: {error}", where=path, remedy="correct it, or leave it out") from None
    found = {(line, name) for line, name in _used(tree)}
    return [Effect(path, line, name, kind) for line, name in sorted(found) if (kind := kind_of(name))]


def kind_of(name: str) -> str | None:
    """What a dotted name brings in."""
    parts = name.split(".")
    return next((EFFECTS[one] for at in range(len(parts), 0, -1) if (one := ".".join(parts[:at])) in EFFECTS), None)


def _used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name that is used, by what it was imported as."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    yield from _walk(tree, known)


def _walk(node: ast.AST, known: dict[str, str]) -> Iterator[tuple[int, str]]:
    name = _dotted(node, known)
    if name is not None and isinstance(node, ast.Attribute | ast.Name):
        yield node.lineno, name
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, known)


def _dotted(node: ast.AST, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        below = _dotted(node.value, known)
        return below and f"{below}.{node.attr}"
    return None
