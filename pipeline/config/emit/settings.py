"""The target's config file: what permissions, servers, environment and effort become, in one TOML document."""

from __future__ import annotations

from typing import Any

import tomlkit

from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.policy import policy_settings
from pipeline.config.emit.roles import EFFORTS
from pipeline.config.emit.servers import server_tables
from pipeline.config.emit.texts import text_files
from pipeline.config.values import Item

_DOMAINS = ("permissions", "servers", "server-choice", "environment", "settings")


def config_settings(emission: Emission) -> dict[str, Any]:
    """The keys that are ours; plain ones first, as TOML wants them."""
    found: dict[str, Any] = policy_settings(emission)
    for item in emission.items("settings"):
        for _, one in emission.writes(item, "effort"):
            if str(one.value) in EFFORTS:
                found["model_reasoning_effort"] = EFFORTS[str(one.value)]
    variables = {
        one.value["name"]: _text(one.value["value"])
        for item in emission.items("environment")
        for _, one in emission.writes(item, "variable")
    }
    if variables:
        found["shell_environment_policy"] = {"set": variables}
    if tables := server_tables(emission):
        found["mcp_servers"] = tables
    size = instructions_size(emission)
    if size > emission.mapping.target.instructions_bytes:
        found[emission.mapping.target.instructions_key] = size
    return dict(sorted(found.items(), key=lambda row: isinstance(row[1], dict)))


def instructions_size(emission: Emission) -> int:
    """What all instructions together may take, in bytes: whole steps of what the target takes by itself."""
    size = 0
    for one in text_files(emission):
        read = emission.tree.read_bytes(one.sources[0]) if one.link is not None else one.content
        size += len(read) if isinstance(read, bytes) else 0
    step = emission.mapping.target.instructions_bytes
    return -(-size * 9 // 8 // step) * step


def config_files(emission: Emission) -> list[Emitted]:
    settings = config_settings(emission)
    if not settings:
        return []
    items = [item for domain in _DOMAINS for item in emission.items(domain)]
    return [
        Emitted(
            emission.mapping.target.config,
            "generated",
            tomlkit.dumps(settings).encode(),
            sources=tuple(dict.fromkeys(item.path for item in (*items, *_long(emission, settings)))),
            rules=tuple(sorted({rule for item in items for rule in emission.rules(item)})),
            merge="keys",
        )
    ]


def _long(emission: Emission, settings: dict[str, Any]) -> list[Item]:
    """The items that make the instructions too long for what the target takes by itself."""
    return emission.items("instructions") if emission.mapping.target.instructions_key in settings else []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
