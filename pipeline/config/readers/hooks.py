"""Hooks: events with groups of a matcher and handlers. Each handler is a field, with its event and matcher.

The kind is the event, the handler's type and what stands in the way of carrying it over: a condition (``if``), a
matcher of tools that the target never names (``unseen``), a path of one machine (``machine``), or an unknown
variable of the source (``variable``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.config.readers.json_file import pointer
from pipeline.config.readers.reading import Reading, entry
from pipeline.config.tree import finding
from pipeline.config.values import Field

_NAMES = re.compile(r"[\w|]+")
_MACHINE = re.compile(r"(?:^|[\s\"'=;|&(])(?:/(?!dev/|bin/|usr/bin/|usr/local/bin/)\w|~/|[A-Za-z]:\\)")
_REQUIRED = {"command": "command", "prompt": "prompt", "agent": "prompt", "http": "url"}


def hook_fields(reading: Reading, path: str, value: Any, base: tuple[str, ...] = ("hooks",)) -> Iterator[Field]:
    if not isinstance(value, dict):
        yield _malformed(reading, path, pointer(*base), "hooks is not a table of events", value)
        return
    for event, groups in value.items():
        if not isinstance(groups, list):
            yield _malformed(reading, path, pointer(*base, event), f"the event {event!r} has no list of groups", groups)
            continue
        for number, group in enumerate(groups):
            yield from _group(reading, path, (*base, event, number), event, group)


def _group(reading: Reading, path: str, place: tuple[Any, ...], event: str, group: Any) -> Iterator[Field]:
    where = pointer(*place)
    if not isinstance(group, dict) or not isinstance(group.get("hooks"), list):
        yield _malformed(reading, path, where, "a group has no list of hooks in it", group)
        return
    matcher = group.get("matcher", "")
    try:
        if not isinstance(matcher, str):
            raise TypeError
        re.compile("" if matcher == "*" else matcher)
    except (re.error, TypeError):
        yield _malformed(reading, path, f"{where}/matcher", f"the matcher {matcher!r} is no regular expression", group)
        return
    for number, handler in enumerate(group["hooks"]):
        at = f"{where}/hooks/{number}"
        type_ = handler.get("type") if isinstance(handler, dict) else None
        needed = _REQUIRED.get(str(type_))
        if not isinstance(type_, str) or (needed and not isinstance(handler.get(needed), str)):
            yield _malformed(reading, path, at, "a hook has no type, or not what its type needs", handler)
            continue
        kind = f"{event}.{type_}{_obstacle(reading, matcher, handler)}"
        parts = {"event": event, "matcher": matcher, "handler": handler}
        yield entry(f"{event} {at.removeprefix(pointer(*place[:-2]))}", f"hook.{kind}", at, parts)
        for key in handler:
            if key not in ("type", _REQUIRED.get(type_), "if") and not carried(key, handler[key]):
                yield entry(f"{at}/{key}", f"handler.{key}", f"{at}{pointer(key)}", handler[key])


def _obstacle(reading: Reading, matcher: str, handler: dict[str, Any]) -> str:
    if "if" in handler:
        return ".if"
    unseen = reading.mapping.tools.unseen
    if matcher and _NAMES.fullmatch(matcher) and all(name in unseen for name in matcher.split("|")):
        return ".unseen"
    command = str(handler.get("command", ""))
    bare = command
    for word in reading.mapping.source.project_variables:
        bare = bare.replace(f'"{word}"', ".").replace(word, ".")
    if re.search(reading.mapping.source.variable, bare):
        return ".variable"
    return ".machine" if _MACHINE.search(bare) else ""


def carried(key: str, value: Any) -> bool:
    """Whether the target has this key on a handler, and reads this value of it: one that it does not voids the file."""
    if key == "timeout":
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    if key == "async":
        return isinstance(value, bool)
    return key == "statusMessage" and isinstance(value, str) and not ("${" in value or _MACHINE.search(value))


def _malformed(reading: Reading, path: str, place: str, message: str, value: Any) -> Field:
    remedy = 'write {"matcher": …, "hooks": [{"type": "command", "command": …}]}'
    reading.findings.append(finding("hooks-malformed", path, message, remedy, place))
    return entry(place, "malformed.hook", place, value)
