"""Permission rules: ``Tool`` or ``Tool(specifier)`` in lists of allow, ask and deny.

The kind of a rule is its list, what the tool does and how the specifier is written, such as ``deny.command.prefix``;
its value has the parts that an emitter needs.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pipeline.config.readers.json_file import pointer
from pipeline.config.readers.reading import Reading, entry
from pipeline.config.tree import finding, matches
from pipeline.config.values import Field

LISTS = ("deny", "ask", "allow")
# Characters that no reader of patterns takes for anything else.
_PATH = re.compile(r"[\w.@+,=~*?/ -]+")
_RULE = re.compile(r"(?P<tool>[\w*-]+)(?:\((?P<spec>.*)\))?", re.DOTALL)
_GLOB = re.compile(r"[*?\[]")
_MOST = 100
_ANY = ("", "*", "**")
_BRACES = re.compile(r"\{([^{},]*(?:,[^{},]*)+)\}")
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
            kind, parts = _rule(reading, found["tool"], (found["spec"] or "").strip())
            yield entry(f"{key} {text}", f"{key}.{kind}", where, {"rule": text, **parts})


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
    if spec.startswith("//") or not target_paths(spec):
        return f"file.{kind}.odd", {"path": spec}
    return (f"file.{kind}", {"path": spec}) if kind == "read" else written_file(reading, f"file.{kind}", spec)


def written_file(reading: Reading, kind: str, spec: str) -> tuple[str, dict[str, Any]]:
    """A path that must not be written: a profile knows names and whole folders, so a pattern is the files that fit it.

    ``files`` are those, a hundred at most, and for a bare name also the one in the root, whether or not it is there.
    """
    paths = target_paths(spec)
    patterns = [path for path in paths if _GLOB.search(path.removesuffix("/**"))]
    if not patterns:
        return kind, {"path": spec}
    if any(path.startswith("~/") for path in patterns):
        return f"{kind}.odd", {"path": spec}
    wanted = [path.removesuffix("/**") for path in patterns]
    plain = [path.removeprefix("**/") for path in wanted if not _GLOB.search(path.removeprefix("**/"))]
    named = sorted({path for one in wanted for path in reading.places(_beginning(one)) if matches(path, (one,))})
    names = dict.fromkeys([*(path for path in paths if path not in patterns), *plain, *named])
    return f"{kind}.glob", {"path": spec, "files": list(names)[:_MOST]}


def _beginning(pattern: str) -> str:
    """What every path that fits a pattern begins with."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def target_paths(spec: str) -> tuple[str, ...]:
    """A path or pattern as a profile takes it, relative to the workspace or to the home; none if it cannot take it.

    A bare name is meant at any depth; ``./x`` and ``/x`` are meant at the root. ``{a,b}`` is both: whoever writes it
    means that, also where the source takes the braces for letters.
    """
    found = _BRACES.search(spec)
    if found is None:
        path = _target_path(spec)
        return (path,) if path else ()
    each = [target_paths(spec[: found.start()] + one + spec[found.end() :]) for one in found[1].split(",")]
    return tuple(dict.fromkeys(path for paths in each for path in paths)) if all(each) else ()


def _target_path(spec: str) -> str:
    home, rest = ("~/", spec[2:]) if spec.startswith("~/") else ("", spec)
    bare = "/" not in rest.rstrip("/")
    plain = posixpath.normpath(rest.strip("/")) if rest.strip("/") else ""
    if not plain or plain == "." or plain.startswith("..") or not _PATH.fullmatch(plain):
        return ""
    if rest.endswith("/"):
        plain = f"{plain}/**"
    return f"{home}{plain}" if home or not bare else f"**/{plain}"


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
