"""The target's config file: what permissions, servers, environment and effort become, in one TOML document."""

from __future__ import annotations

from typing import Any

import tomlkit

from pipeline.config.emit.output import Emission, Emitted
from pipeline.config.emit.policy import policy_settings
from pipeline.config.emit.roles import EFFORTS
from pipeline.config.emit.servers import server_tables

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
    return dict(sorted(found.items(), key=lambda row: isinstance(row[1], dict)))


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
            sources=tuple(dict.fromkeys(item.path for item in items)),
            rules=tuple(sorted({rule for item in items for rule in emission.rules(item)})),
            merge="keys",
        )
    ]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
