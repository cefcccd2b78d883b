"""MCP servers → tables of the target's config. Variables are written by name; nothing with ``${`` in it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.config.emit.output import Emission
from pipeline.config.readers.servers import fits, variable
from pipeline.config.values import Field

_ALL, _ON, _OFF = "enableAllProjectMcpServers", "enabledMcpjsonServers", "disabledMcpjsonServers"


def server_tables(emission: Emission) -> dict[str, Any]:
    """Server → its table, by name."""
    tables: dict[str, tuple[str, dict[str, Any]]] = {}
    for item in emission.items("servers"):
        writes = {write for write, _ in emission.writes(item)}
        if "server" in writes and "server-drop" not in writes:
            table = server_table(one for _, one in emission.writes(item, "server"))
            if "server-off" in writes or not _chosen(emission, item.name):
                table["enabled"] = False
            tables[emission.names[item.id]] = item.name, table
    restrict(emission, tables.values())
    return {name: table for name, (_, table) in sorted(tables.items())}


def server_table(fields: Iterable[Field]) -> dict[str, Any]:
    """The table of a server, from the fields of it that are written."""
    table: dict[str, Any] = {}
    for one in fields:
        group, _, spelled = one.kind.partition(".")
        if group == "env":
            _environment(table, one, spelled)
        elif group == "headers":
            _header(table, one, spelled)
        elif group != "transport" and one.value != []:  # the target has no origin for an empty list
            table[group] = [str(word) for word in one.value] if isinstance(one.value, list) else one.value
    return table


def _environment(table: dict[str, Any], one: Field, spelled: str) -> None:
    if spelled == "reference":
        table.setdefault("env_vars", []).append(one.value["name"])
    else:
        table.setdefault("env", {})[one.value["name"]] = _words(one.value["value"])


def _header(table: dict[str, Any], one: Field, spelled: str) -> None:
    name, value = one.value["name"], one.value["value"]
    if spelled == "bearer" and name.lower() == "authorization":
        table["bearer_token_env_var"] = variable(value)
    elif spelled == "reference":
        table.setdefault("env_http_headers", {})[name] = variable(value)
    elif spelled == "literal":
        table.setdefault("http_headers", {})[name] = _words(value)
    else:
        table["enabled"] = False


def _words(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _chosen(emission: Emission, server: str) -> bool:
    """Whether the source has the server on: named, or all of them; and not named as off."""
    found = {one.name: one.value for item in emission.items("server-choice") for _, one in emission.writes(item)}
    if any(one.kind.startswith("malformed.") for item in emission.items("server-choice") for one in item.fields):
        return False
    if server in (found.get(_OFF) or ()):
        return False
    if found.get(_ALL) is True or not found:
        return True
    return _ON not in found or server in (found[_ON] or ())


def restrict(emission: Emission, tables: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Switch off, in tables with the source's names of their servers, what permissions deny or ask about."""
    tables = list(tables)
    for item in emission.items("permissions"):
        for write, one in emission.writes(item, "server-denied", "tool-off", "tool-prompt"):
            for name, table in tables:
                if not fits(one.value["server"], name):
                    continue
                if write == "server-denied":
                    table["enabled"] = False
                elif write == "tool-off":
                    table.setdefault("disabled_tools", []).append(one.value["tool"])
                else:
                    table.setdefault("tools", {})[one.value["tool"]] = {"approval_mode": "prompt"}
