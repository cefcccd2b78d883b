"""A settings file: its top-level keys belong to domains; permissions, sandbox, environment and hooks are read apart.

A key of a policy (permissions, sandbox) that is not known stays without a rule, so that the plan fails on it: it may
forbid something. Any other unknown key is named and carries no meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from pipeline.config.readers.hooks import hook_fields
from pipeline.config.readers.json_file import pointer, read_object
from pipeline.config.readers.paths import unread_file, written_file
from pipeline.config.readers.permissions import permission_fields
from pipeline.config.readers.reading import Reading, entry
from pipeline.config.readers.servers import spelling
from pipeline.config.tree import Found, finding, matches
from pipeline.config.values import Field

_VARIABLE = re.compile(r"\$\w")
_NO_HOOKS = "disableAllHooks"
_SWITCH, _NAMES = "yes or no", "list of names"
_CHOICES = {"enableAllProjectMcpServers": _SWITCH, "enabledMcpjsonServers": _NAMES, "disabledMcpjsonServers": _NAMES}


def read(reading: Reading, found: Iterator[Found]) -> None:
    for one in found:
        document = read_object(reading, one)
        if document is None:
            continue
        fields: list[Field] = []
        for key, value in document.value.items():
            if _belongs(reading, key):
                found_here = list(_fields(reading, one.path, key, value))
                fields += _disabled(found_here) if document.value.get(_NO_HOOKS) is True else found_here
        if fields:
            reading.add(one, reading.domain.id, document.sha256, fields)


def _disabled(fields: list[Field]) -> list[Field]:
    """Hooks of a file that switches all of them off."""
    return [replace(one, kind=f"{one.kind}.disabled") if one.kind.startswith("hook.") else one for one in fields]


def _belongs(reading: Reading, key: str) -> bool:
    if reading.domain.keys:
        return key in reading.domain.keys
    others = (key for one in reading.mapping.domains if one.reader == "settings" for key in one.keys)
    return key not in set(others)


def _fields(reading: Reading, path: str, key: str, value: Any) -> Iterator[Field]:
    match key:
        case "permissions":
            yield from permission_fields(reading, path, value)
        case "hooks":
            yield from hook_fields(reading, path, value)
        case "env":
            yield from _environment(reading, path, value)
        case "sandbox":
            yield from _flat(reading, "sandbox", pointer("sandbox"), value)
        case _ if key in _CHOICES and not _chooses(value, _CHOICES[key]):
            message, remedy = f"{key} is no {_CHOICES[key]}", "write one"
            reading.findings.append(finding("choice-malformed", path, message, remedy, pointer(key)))
            yield entry(key, f"malformed.{key}", pointer(key), value)
        case _ if reading.domain.keys or key in reading.domain.known:
            yield entry(key, f"key.{key}", pointer(key), value)
        case _:
            reading.findings.append(
                finding(
                    "unknown-key",
                    path,
                    f"{key!r} is no setting that {reading.mapping.source.title} is known to read",
                    "correct its spelling, or remove it",
                    pointer(key),
                    "warning",
                )
            )
            yield entry(key, f"unknown.{key}", pointer(key), value)


def _chooses(value: Any, kind: str) -> bool:
    if kind == _SWITCH:
        return isinstance(value, bool)
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _environment(reading: Reading, path: str, value: Any) -> Iterator[Field]:
    if not isinstance(value, dict):
        reading.findings.append(_malformed(path, "env", "env is not a table", "write an object of names and texts"))
        yield entry("env", "malformed.env", pointer("env"), value)
        return
    for name, text in value.items():
        kind = "noise" if matches(name, reading.mapping.noise) else spelling(text)
        if kind == "literal" and isinstance(text, str) and _VARIABLE.search(text):
            kind = "mixed"  # a PATH with `$PATH` in it would leave the target without its programs
        yield entry(f"env {name}", f"env.{kind}", pointer("env", name), {"name": name, "value": text})


def _flat(reading: Reading, kind: str, place: str, value: Any) -> Iterator[Field]:
    """The leaves of nested tables; the elements of a list are leaves."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(reading, f"{kind}.{key}", f"{place}{pointer(key)}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield entry(f"{kind} {number}", *_leaf(reading, kind, inner, f"{place}/{number}"))
    else:
        yield entry(kind, *_leaf(reading, kind, value, place))


def _leaf(reading: Reading, kind: str, value: Any, place: str) -> tuple[str, str, Any]:
    """(kind, place, value). Of the sandbox's paths, unlike those of rules, one with a slash before it is absolute."""
    if ".filesystem.deny" not in kind:
        return kind, place, value
    if not isinstance(value, str) or value.startswith("/"):
        return f"{kind}.odd", place, value
    found, parts = (written_file if ".denyWrite" in kind else unread_file)(reading, kind, value)
    return found, place, parts


def _malformed(path: str, key: str, message: str, remedy: str) -> Any:
    return finding(f"{key}-malformed", path, message, remedy, pointer(key))
