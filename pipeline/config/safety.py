"""What must never be emitted, looked for in the bytes: independent of how they were made.

No rule that allows, no full access, no sandbox mode beside a profile, no variable that nobody puts in, no path of one
machine, nothing of a personal file, no key that the target ignores in a project or that no table of it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import tomlkit

from pipeline.canonical import loads
from pipeline.config.emit.output import Emitted
from pipeline.config.machine import names_a_machine
from pipeline.config.mapping import Mapping
from pipeline.config.tree import matches

_ALLOW = re.compile(r"""decision\s*=\s*["']allow["']""")
_GLOB = re.compile(r"[*?\[]")
_FULL = "danger-full-access"
_KEYS = {
    "approval_policy",
    "default_permissions",
    "mcp_servers",
    "model_reasoning_effort",
    "permissions",
    "project_doc_max_bytes",
    "shell_environment_policy",
    "web_search",
}
_ROLE_KEYS = {
    "default_permissions",
    "description",
    "developer_instructions",
    "mcp_servers",
    "model_reasoning_effort",
    "name",
    "sandbox_mode",
}
_SERVER_KEYS = {
    "args",
    "bearer_token_env_var",
    "command",
    "cwd",
    "disabled_tools",
    "enabled",
    "env",
    "env_http_headers",
    "env_vars",
    "http_headers",
    "tools",
    "url",
}


def loosenings(emitted: Sequence[Emitted], mapping: Mapping) -> list[str]:
    """Each thing that must not be, with its file; empty for a good emission."""
    return [f"{one.path}: {problem}" for one in emitted for problem in _problems(one, mapping)]


def _problems(one: Emitted, mapping: Mapping) -> Iterator[str]:
    if any(matches(path, mapping.source.personal) for path in one.sources):
        yield "it is made from a personal file"
    if one.link is not None and (one.link.startswith("/") or _leaves(one.path, one.link)):
        yield "the link leaves the repository"
    target = mapping.target
    text = one.content.decode("utf-8", "replace")
    if one.path == target.config:
        yield from _config(tomlkit.parse(text).unwrap(), mapping)
        yield from _signs(text)
    elif one.path.startswith(f"{target.agents}/"):
        yield from _role(tomlkit.parse(text).unwrap())
    elif one.path == target.rules:
        if _ALLOW.search(text):
            yield "a rule allows"
    elif one.path == target.hooks:
        if set(loads(one.content, one.path)) - {"hooks", "description"}:
            yield "the root holds a key that voids the file"
        yield from _signs(text)


def _role(role: dict[str, Any]) -> Iterator[str]:
    yield from (f"a role has no key {key!r}" for key in sorted(role.keys() - _ROLE_KEYS))
    if role.get("sandbox_mode", "read-only") != "read-only":
        yield "a role opens its sandbox"
    yield from _servers(role)
    yield from _signs(tomlkit.dumps(role.get("mcp_servers", {})))
    if {"sandbox_mode", "default_permissions"} <= role.keys():
        yield "a sandbox mode stands beside a profile"


def _signs(text: str) -> Iterator[str]:
    if "${" in text:
        yield "a variable is written that nobody puts in"
    if names_a_machine(text):
        yield "a path of one machine is written"
    if _FULL in text:
        yield "full access is given"


def _config(config: dict[str, Any], mapping: Mapping) -> Iterator[str]:
    for key in sorted(config.keys() & set(mapping.target.ignored_keys)):
        yield f"the target ignores {key!r} in a project"
    for key in sorted(config.keys() - _KEYS - set(mapping.target.ignored_keys)):
        yield f"{key!r} is no key that is ever written"
    for name, profile in config.get("permissions", {}).items():
        yield from (f"the profile {name!r} {problem}" for problem in _profile(profile, mapping))
    if "permissions" in config and config.get("default_permissions") not in config["permissions"]:
        yield "the profile is not the one in force"
    yield from _servers(config)


def _servers(config: dict[str, Any]) -> Iterator[str]:
    for name, server in config.get("mcp_servers", {}).items():
        yield from (f"a server has no key {key!r}" for key in sorted(server.keys() - _SERVER_KEYS))
        if any(tool.get("approval_mode") != "prompt" for tool in server.get("tools", {}).values()):
            yield f"a tool of {name!r} is approved"


def _profile(profile: dict[str, Any], mapping: Mapping) -> Iterator[str]:
    if profile.get("extends") not in set(mapping.target.extends.values()):
        yield f"stands on {profile.get('extends')!r}"
    if "network" in profile:
        yield "opens the network"
    for place, value in profile.get("filesystem", {}).items():
        for path, mode in (value if isinstance(value, dict) else {place: value}).items():
            if isinstance(mode, str) and mode not in ("deny", "read"):
                yield "gives a file"
            if mode == "read" and _GLOB.search(path.removesuffix("/**")):
                yield f"has the pattern {path!r} for more than to deny it, which voids the file"


def _leaves(path: str, link: str) -> bool:
    depth = path.count("/")
    for part in link.split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return False
