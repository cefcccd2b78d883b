"""A file of MCP servers: one item per server. A value that names a variable (``${X}``) has a kind that says how.

``literal`` holds no variable, ``reference`` is one and nothing else, ``bearer`` is one behind the word Bearer,
``default`` has a value to fall back on, and ``mixed`` is a text with variables in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from pipeline.config.machine import names_a_machine
from pipeline.config.readers.json_file import pointer, read_object
from pipeline.config.readers.reading import Reading, entry
from pipeline.config.tree import Found, finding
from pipeline.config.values import Field

_VARIABLE = re.compile(r"\$\{[^}]*\}?")
_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_BEARER = re.compile(r"[Bb]earer \$\{([A-Za-z_]\w*)\}")
_DEFAULT = re.compile(r"\$\{[A-Za-z_]\w*:-[^}]*\}")
# The first that fits.
_SPELLINGS = (
    ("reference", re.compile(rf"\A{_REFERENCE.pattern}\Z")),
    ("bearer", re.compile(rf"\A{_BEARER.pattern}\Z")),
    ("default", _DEFAULT),
    ("mixed", _VARIABLE),
    ("absolute", re.compile(r"\A(?:[/~]|[A-Za-z]:[\\/])")),
)
# What means nothing to a server that is reached by a url, and to one that is started.
_MISPLACED = (("command", "args", "env", "cwd"), ("url", "headers"))
_TABLES = ("env", "headers")
_ROOT = "mcpServers"


def read(reading: Reading, found: Iterator[Found]) -> None:
    for one in found:
        document = read_object(reading, one)
        if document is None:
            continue
        servers = document.value.get(_ROOT, {})
        for key in document.value:
            if key != _ROOT:
                reading.findings.append(_unknown(one.path, pointer(key), key))
                reading.add(
                    one, key, document.sha256, [entry(key, f"unknown.{key}", pointer(key), document.value[key])], key
                )
        if not isinstance(servers, dict):
            problem = f"{_ROOT} is not a table of servers"
            reading.findings.append(finding("servers-malformed", one.path, problem, "write an object", pointer(_ROOT)))
            reading.add(one, one.path, document.sha256, [entry(_ROOT, "malformed", pointer(_ROOT), servers)])
            continue
        for name, server in servers.items():
            fields = list(_server(reading, one.path, name, server))
            reading.add(one, name, document.sha256, fields, name)


def inline(reading: Reading, path: str, value: Any, place: str) -> Iterator[Field]:
    """The servers that a page sets up for itself: a table of them, or tables in a list; each by its fields.

    A field's kind begins with ``server.``, its name with the server's.
    """
    tables = value if isinstance(value, list) else [value]
    for name, server in (row for table in tables if isinstance(table, dict) for row in table.items()):
        for one in _server(reading, path, str(name), server):
            parts = {"server": str(name), "value": one.value}
            yield entry(f"server {name}: {one.name}", f"server.{one.kind}", place, parts)


def _server(reading: Reading, path: str, name: str, server: Any) -> Iterator[Field]:
    place = pointer(_ROOT, name)
    known = reading.mapping.domain("servers").known
    if (
        not name
        or not isinstance(server, dict)
        or not isinstance(server.get("command" if _transport(server) == "stdio" else "url"), str)
    ):
        problem = f"the server {name!r} has no command to start, or no url to reach"
        reading.findings.append(finding("servers-malformed", path, problem, "give it one of both", place))
        yield entry("server", "malformed", place, server)
        return
    transport = _transport(server)
    yield entry("type", f"transport.{transport}", place, transport)
    for key, value in server.items():
        inner = pointer(_ROOT, name, key)
        if key in _MISPLACED[transport == "stdio"]:
            yield entry(key, f"misplaced.{key}", inner, value)
        elif key in _TABLES and isinstance(value, dict):
            yield from _table(key, inner, value)
        elif key == "args" and isinstance(value, list):
            yield entry(key, f"args.{worst(value)}", inner, value)
        elif key in ("command", "url", "cwd"):
            yield entry(key, f"{key}.{spelling(value)}", inner, value)
        elif key in known:
            if key != "type":
                yield entry(key, f"key.{key}", inner, value)
        else:
            reading.findings.append(_unknown(path, inner, key))
            yield entry(key, f"unknown.{key}", inner, value)


def _transport(server: dict[str, Any]) -> Any:
    return server.get("type") or ("stdio" if "command" in server else "http")


def _table(key: str, place: str, table: dict[str, Any]) -> Iterator[Field]:
    for name, text in table.items():
        kind = f"{key}.{spelling(text)}"
        if kind == "env.reference" and variable(text) != name:
            kind = "env.renamed"
        yield entry(f"{key} {name}", kind, f"{place}{pointer(name)}", {"name": name, "value": text})


def spelling(value: Any) -> str:
    """How a value is spelled: literal, reference, bearer, default, mixed; ``odd`` for what is no text."""
    if isinstance(value, bool | int | float):
        return "literal"
    if not isinstance(value, str):
        return "odd"
    plain = "absolute" if names_a_machine(value) else "literal"
    return next((name for name, pattern in _SPELLINGS if pattern.search(value)), plain)


def worst(values: list[Any]) -> str:
    """The least portable spelling of several."""
    order = ("literal", "reference", "mixed", "default", "absolute", "odd")
    return max(map(spelling, values), key=lambda one: order.index(one if one in order else "mixed"), default="literal")


def variable(value: str) -> str:
    """The name in a value that is a reference or a bearer."""
    found = _REFERENCE.fullmatch(value) or _BEARER.fullmatch(value)
    return found[1] if found else ""


def fits(spelled: str, server: str) -> bool:
    """Whether a permission rule means a server: rules spell its name with letters, digits, hyphens and underscores."""
    return fnmatchcase(_plain(server), _plain(spelled) or "*")


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() or char in "-_*" else "_" for char in name)


def _unknown(path: str, place: str, key: str) -> Any:
    return finding(
        "unknown-key", path, f"{key!r} is no key that is read here", "correct or remove it", place, "warning"
    )
