"""Agents → role files in TOML, with the keys that the target knows: one too many, and the role is dropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import tomlkit
from msgspec.structs import replace

from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.policy import has_profile, read_only_profile
from pipeline.config.emit.servers import restrict, server_table
from pipeline.config.names import server_name
from pipeline.config.values import Field, Item

EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh"}
_PLAN = "plan"
_SAID = {
    "tools": "Use these tools only: {}.",
    "disallowedTools": "Do not use these tools: {}.",
    "permissionMode": "",
    "skills": "Use these skills: {}.",
    "mcpServers": "Use these MCP servers: {}.",
    "token arguments": "{} stand for what was asked for.",
    "token command": "Run the command in each {} first, and take its output for it.",
    "token file": "Read the file in each {} first.",
}


def role_files(emission: Emission) -> Iterator[Emitted]:
    for item in emission.items("agents"):
        if emission.whole(item).mode == "none":
            continue
        path = f"{emission.mapping.target.agents}/{emission.names[item.id]}.toml"
        content = tomlkit.dumps(_role(emission, item)).encode()
        yield Emitted(path, "generated", content, sources=(item.path,), rules=emission.rules(item))


def reads_only(emission: Emission, item: Item) -> bool:
    """Whether a role of the source cannot edit: by its mode, by its tools, or because editing is taken away."""
    limits = {one.name: one.value for _, one in emission.writes(item, "role-limits")}
    tools = emission.mapping.tools
    granted, refused = names_of(limits.get("tools")), names_of(limits.get("disallowedTools"))
    writing = {*tools.edit, *tools.command}
    return bool(
        limits.get("permissionMode") == _PLAN
        or (granted and not writing & granted and "*" not in granted)
        or refused & set(tools.edit)
    )


def names_of(value: Any) -> set[str]:
    """Names of tools in a list or a text, without what stands in brackets behind one."""
    words = value if isinstance(value, list) else str(value or "").split(",")
    return {str(word).partition("(")[0].strip() for word in words} - {""}


def _role(emission: Emission, item: Item) -> dict[str, Any]:
    keys = {one.name: one.value for one in item.fields if one.kind.startswith(("key.", "mistyped."))}
    body = next((str(one.value) for one in item.fields if one.kind.startswith("text.")), "")
    name = emission.names[item.id]
    role: dict[str, Any] = {
        "name": name,
        "description": " ".join(str(keys.get("description") or name).split()),
        "developer_instructions": _instructions(emission, item, body) or name,
    }
    if reads_only(emission, item):
        # A sandbox mode would win over the profile, and with it go the files that nobody may read.
        if has_profile(emission):
            role["default_permissions"] = read_only_profile(emission)
        else:
            role["sandbox_mode"] = "read-only"
    if servers := _servers(emission, item):
        role["mcp_servers"] = servers
    efforts = [one.value for _, one in emission.writes(item, "role-effort")]
    if efforts and str(efforts[0]) in EFFORTS:
        role["model_reasoning_effort"] = EFFORTS[str(efforts[0])]
    return role


def _servers(emission: Emission, item: Item) -> dict[str, Any]:
    """The servers that a role sets up for itself, restricted as those of the project are."""
    tables: dict[str, tuple[str, dict[str, Any]]] = {}
    fields: dict[str, list[tuple[str, Field]]] = defaultdict(list)
    for write, one in emission.writes(item, "role-server", "role-server-off", "role-server-drop"):
        fields[one.value["server"]].append((write, one))
    for name, rows in fields.items():
        writes = {write for write, _ in rows}
        if "role-server" not in writes or "role-server-drop" in writes:
            continue
        kept = (one for write, one in rows if write == "role-server")
        plain = (replace(one, kind=one.kind.partition(".")[2], value=one.value["value"]) for one in kept)
        table = server_table(plain)
        if "role-server-off" in writes:
            table["enabled"] = False
        tables[server_name(name)] = name, table
    restrict(emission, tables.values())
    return {name: table for name, (_, table) in sorted(tables.items())}


def _instructions(emission: Emission, item: Item, body: str) -> str:
    notes = []
    for _, one in emission.writes(item, "role-limits", "role-guidance"):
        form = _SAID.get(one.name)
        if form and one.value:
            notes.append(f"- {form.format(' '.join(_listed(one.value).split()))}")
    return "\n\n".join(part for part in (body.strip(), "\n".join(notes)) if part)


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(next(iter(one), "") if isinstance(one, dict) else str(one) for one in value)
    return str(value)
