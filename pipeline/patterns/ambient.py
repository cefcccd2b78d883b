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
from pipeline.patterns import unordered

# What a name begins with, and what it brings in.
EFFECTS = {
    "time": "clock",
    "datetime.datetime.now": "clock",
    "datetime.datetime.utcnow": "clock",
    "datetime.datetime.today": "clock",
    "datetime.date.today": "clock",
    "sched": "clock",
    "random": "chance",
    "secrets": "chance",
    "uuid.uuid1": "chance",
    "uuid.uuid4": "chance",
    "os.urandom": "chance",
    "os.getrandom": "chance",
    "numpy.random": "chance",
    "tempfile.mktemp": "chance",
    "hash": "chance",
    "socket": "network",
    "urllib.request": "network",
    "http.client": "network",
    "requests": "network",
    "httpx": "network",
    "aiohttp": "network",
    "urllib3": "network",
    "ftplib": "network",
    "smtplib": "network",
    "ssl": "network",
    "asyncio.open_connection": "network",
    "subprocess": "processes",
    "multiprocessing": "processes",
    "os.system": "processes",
    "os.popen": "processes",
    "os.fork": "processes",
    "os.getpid": "processes",
    "os.kill": "processes",
    "pty": "processes",
    "psutil": "processes",
    "asyncio.create_subprocess_exec": "processes",
    "asyncio.create_subprocess_shell": "processes",
    "concurrent.futures.ProcessPoolExecutor": "processes",
    "os.environ": "environment",
    "os.getenv": "environment",
    "os.environb": "environment",
    "os.getcwd": "environment",
    "os.chdir": "environment",
    "os.cpu_count": "environment",
    "os.getlogin": "environment",
    "os.getuid": "environment",
    "os.uname": "environment",
    "os.get_terminal_size": "environment",
    "os.path.abspath": "environment",
    "os.path.expanduser": "environment",
    "os.path.expandvars": "environment",
    "shutil.get_terminal_size": "environment",
    "shutil.which": "environment",
    "pathlib.Path.cwd": "environment",
    "pathlib.Path.home": "environment",
    "platform": "environment",
    "getpass": "environment",
    "locale": "locale",
    "__import__": "hidden",
    "importlib.import_module": "hidden",
    "importlib.__import__": "hidden",
    "runpy": "hidden",
    "eval": "hidden",
    "exec": "hidden",
}
# These need no import.
_BUILTIN = frozenset({"hash", "eval", "exec", "getattr", "__import__"})
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
    except (SyntaxError, ValueError) as error:
        raise ArtifactInvalid(f"not a module: {error}", where=path, remedy="correct it, or leave it out") from None
    found = {Effect(path, line, name, kind) for line, name in _used(tree) if (kind := kind_of(name))}
    found |= {Effect(path, line, name, "locale") for line, name in _undecided(tree)}
    found |= {Effect(path, line, name, "order") for line, name in unordered.seen(tree)}
    return sorted(found)


def kind_of(name: str) -> str | None:
    """What a dotted name brings in."""
    parts = name.split(".")
    return next((EFFECTS[one] for at in range(len(parts), 0, -1) if (one := ".".join(parts[:at])) in EFFECTS), None)


def _used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name that is used, by what it was imported as."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    known: dict[str, str] = {name: name for name in _BUILTIN - bound}
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
    if name is not None and isinstance(node, ast.Attribute | ast.Name | ast.Call):
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
    if isinstance(node, ast.Call) and node.args:
        return _spelled(node, _dotted(node.func, known), known)
    return None


def _spelled(node: ast.Call, function: str | None, known: dict[str, str]) -> str | None:
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
        if name not in _TEXT or len(node.args) > _TEXT[name] or (name == "open") is method:
            continue
        said = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "mode")]
        if name != "open" or not any(isinstance(one, ast.Constant) and "b" in str(one.value) for one in said):
            yield node.lineno, name
