"""Permission rules: ``Tool`` or ``Tool(specifier)`` in lists of allow, ask and deny.

The kind of a rule is its list, what the tool does and how the specifier is written, such as ``deny.command.prefix``;
its value has the parts that an emitter needs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from pipeline.config.readers.json_file import pointer
from pipeline.config.readers.paths import unread_file, written_file
from pipeline.config.readers.reading import Reading, entry
from pipeline.config.tree import finding
from pipeline.config.values import Field

LISTS = ("deny", "ask", "allow")
_RULE = re.compile(r"(?P<tool>[\w*-]+)(?:\((?P<spec>.*)\))?", re.DOTALL)
_ANY = ("", "*", "**")
_ODD = re.compile(r"[*?$`;&|<>()\\\n]|\[")


def permission_fields(reading: Reading, path: str, value: Any) -> Iterator[Field]:
    if not isinstance(value, dict):
        yield _malformed(reading, path, pointer("permissions"), "permissions is not a table", value)
        return
    for key, inner in value.items():
        place = pointer("permissions", key)
        if key in LISTS:
            yield from _list(reading, path, key, inner)
        elif key == "additionalDirectories" and isinstance(inner, list):
            for number, text in enumerate(inner):
                kind = "inside" if isinstance(text, str) and not text.startswith(("/", "~", "..")) else "outside"
                yield entry(f"{key} {text}", f"directories.{kind}", f"{place}/{number}", text)
        elif key == "defaultMode" and isinstance(inner, str):
            yield entry(key, f"mode.{inner}", place, inner)
        elif key in reading.domain.known:
            yield entry(key, f"setting.{key}", place, inner)
        else:
            problem = f"permissions.{key} is not known, and it may forbid something"
            remedy = "correct its spelling, remove it, or say in the overrides what becomes of it"
            reading.findings.append(finding("unknown-policy-key", path, problem, remedy, place))
            yield entry(key, f"policy.{key}", place, inner)


def _list(reading: Reading, path: str, key: str, rules: Any) -> Iterator[Field]:
    place = pointer("permissions", key)
    if not isinstance(rules, list):
        yield _malformed(reading, path, place, f"permissions.{key} is not a list", rules)
        return
    for number, text in enumerate(rules):
        where = f"{place}/{number}"
        found = _RULE.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            yield _malformed(reading, path, where, f"{text!r} is not a permission rule", text)
        else:
            for kind, parts in _rules(reading, found["tool"], (found["spec"] or "").strip()):
                yield entry(f"{key} {text}", f"{key}.{kind}", where, {"rule": text, **parts})


def _rules(reading: Reading, tool: str, spec: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a rule means; a pattern in the place of the tool means each tool that fits it."""
    tools = reading.mapping.tools
    if "*" not in tool or tool.startswith(tools.mcp_prefix):
        yield _rule(reading, tool, spec)
        return
    groups = (tools.command, tools.read, tools.edit, tools.fetch, tools.search, tools.skill, tools.agent)
    named = [next((one for one in names if fnmatchcase(one, tool)), None) for names in groups]
    yield from (_rule(reading, one, spec) for one in named if one)
    if fnmatchcase(f"{tools.mcp_prefix}x__x", tool):
        yield _server("*", "")
    elif not any(named):
        yield "other", {"tool": tool, "spec": spec}


def _rule(reading: Reading, tool: str, spec: str) -> tuple[str, dict[str, Any]]:
    tools = reading.mapping.tools
    if tool.startswith(tools.mcp_prefix):
        return _server(*tool.removeprefix(tools.mcp_prefix).partition("__")[::2])
    readers: tuple[tuple[tuple[str, ...], Callable[[str], tuple[str, dict[str, Any]]]], ...] = (
        (tools.command, _command),
        (tools.read, partial(_file, reading, "read")),
        (tools.edit, partial(_file, reading, "edit")),
        (tools.fetch, _fetch),
        (tools.search, lambda _: ("search.any", {})),
        (tools.skill, lambda spec: ("skill", {"name": spec})),
        (tools.agent, lambda spec: ("agent", {"name": spec})),
    )
    read = next((read for names, read in readers if tool in names), None)
    if tool in tools.partial and spec in _ANY:
        read = None
    return read(spec) if read else ("other", {"tool": tool, "spec": spec})


def _file(reading: Reading, kind: str, spec: str) -> tuple[str, dict[str, Any]]:
    if spec in _ANY:
        return f"file.{kind}.any", {}
    if spec.startswith("//"):
        return f"file.{kind}.odd", {"path": spec}
    return (unread_file if kind == "read" else written_file)(reading, f"file.{kind}", spec)


def _fetch(spec: str) -> tuple[str, dict[str, Any]]:
    domain = spec.removeprefix("domain:")
    return ("fetch.domain", {"domain": domain}) if domain not in ("", "*") else ("fetch.any", {})


def _server(server: str, tool: str) -> tuple[str, dict[str, Any]]:
    if "*" in server or (tool.strip("*") and "*" in tool):
        return "mcp.pattern", {"server": server, "tool": tool}
    return ("mcp.tool", {"server": server, "tool": tool}) if tool.strip("*") else ("mcp.server", {"server": server})


def _command(spec: str) -> tuple[str, dict[str, Any]]:
    """A shell command: any, exact, a prefix of words, or with wildcards elsewhere."""
    if spec in ("", "*", ":*"):
        return "command.any", {}
    prefix, kind = spec, "exact"
    for tail in (":*", " *"):
        if spec.endswith(tail):
            prefix, kind = spec.removesuffix(tail), "prefix"
            break
    if _ODD.search(prefix):
        return "command.pattern", {"pattern": spec}
    try:
        words = shlex.split(prefix)
    except ValueError:
        return "command.pattern", {"pattern": spec}
    return (f"command.{kind}", {"words": words}) if words else ("command.any", {})


def _malformed(reading: Reading, path: str, place: str, message: str, value: Any) -> Field:
    remedy = "write it as Tool or Tool(specifier)"
    reading.findings.append(finding("permissions-malformed", path, message, remedy, place))
    return entry(place, "malformed.permission", place, value)
