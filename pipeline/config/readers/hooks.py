"""Hooks: events with groups of a matcher and handlers. Each handler is a field, with its event and matcher.

The kind is the event, the handler's type and what stands in the way of carrying it over: a condition (``if``), a
matcher of tools that the target never names (``unseen``) or with a pattern that it cannot read (``matcher``), a shell
or words that it is not started with (``start``), a path of one machine (``machine``), or an unknown variable of the
source (``variable``).
"""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.config.readers.json_file import pointer
from pipeline.config.readers.reading import Reading, entry
from pipeline.config.tree import finding
from pipeline.config.values import Field

_NAMES = re.compile(r"[\w|]+")
_MACHINE = re.compile(r"(?:^|[\s\"'`=:;,|&<>(\[{])(?:/(?!dev/)\w|~/|[A-Za-z]:\\)")
# A program of the system where a command begins: it is found by its name.
_SYSTEM = re.compile(
    r"(^|[;&|(`!\n]\s*|\b(?:env|exec|sudo|then|do|else|nohup|time|xargs)\s+)/(?:usr/local/bin|usr/bin|bin)/(?=\w)"
)
# What the source's patterns have and the target's have not: to look around, to look back, and some escapes.
_UNREAD = re.compile(r"\(\?(?:[=!>#(]|<[=!]|P=|P>)|\\[1-9ZNkgGKcXR]")
_LONGEST = 1 << 31
_SHELLS = ("bash", "sh")
TOOL = "mcp_tool"
_REQUIRED = {
    "command": ("command",),
    "prompt": ("prompt",),
    "agent": ("prompt",),
    "http": ("url",),
    TOOL: ("server", "tool"),
}


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
        with warnings.catch_warnings(action="ignore"):
            re.compile(
                ""
                if matcher == "*"
                else matcher.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")
            )
    except (re.error, TypeError):
        yield _malformed(reading, path, f"{where}/matcher", f"the matcher {matcher!r} is no regular expression", group)
        return
    for number, handler in enumerate(group["hooks"]):
        at = f"{where}/hooks/{number}"
        type_ = handler.get("type") if isinstance(handler, dict) else None
        needed = _REQUIRED.get(str(type_), ())
        if not isinstance(type_, str) or not all(isinstance(handler.get(key), str) for key in needed):
            yield _malformed(reading, path, at, "a hook has no type, or not what its type needs", handler)
            continue
        kind = f"{event}.{type_}{_obstacle(reading, matcher, handler)}"
        parts = {"event": event, "matcher": matcher, "handler": handler}
        yield entry(f"{event} {at.removeprefix(pointer(*place[:-2]))}", f"hook.{kind}", at, parts)
        for key in handler:
            if key not in ("type", *needed, "if") and not carried(key, handler[key], type_):
                yield entry(f"{at}/{key}", f"handler.{key}", f"{at}{pointer(key)}", handler[key])


def _obstacle(reading: Reading, matcher: str, handler: dict[str, Any]) -> str:
    if "if" in handler:
        return ".if"
    unseen = reading.mapping.tools.unseen
    if matcher and _NAMES.fullmatch(matcher) and all(name in unseen for name in matcher.split("|")):
        return ".unseen"
    if _UNREAD.search(matcher):
        return ".matcher"
    return _tool_obstacle(handler) if handler["type"] == TOOL else _line_obstacle(reading, handler)


def _tool_obstacle(handler: dict[str, Any]) -> str:
    words = _texts(handler.get("input"))
    if any("${" in word for word in words):
        return ".variable"
    return ".machine" if any(map(_is_place, words)) else ""


def _line_obstacle(reading: Reading, handler: dict[str, Any]) -> str:
    if any(key in handler and not carried(key, handler[key]) for key in ("args", "shell")):
        return ".start"
    bare = without_places(shell_line(handler, reading.mapping.source.project_variables))
    for word in reading.mapping.source.project_variables:
        bare = bare.replace(f'"{word}"', ".").replace(word, ".")
    if re.search(reading.mapping.source.variable, bare):
        return ".variable"
    return ".machine" if _is_place(bare) else ""


def _is_place(text: str) -> bool:
    return _MACHINE.search(text) is not None


def _texts(value: Any) -> list[str]:
    """All texts in a value, those that name its parts too."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *_texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def shell_line(handler: dict[str, Any], variables: tuple[str, ...]) -> str:
    """The line for a shell; what has ``args`` is started without one, and then nothing in a word is a shell's sign.

    The source's own ``variables`` of the project are put in all the same.
    """
    command = str(handler.get("command", ""))
    return " ".join(_word(one, variables) for one in (command, *handler["args"])) if handler.get("args") else command


def without_places(command: str) -> str:
    """A command with the system's programs by name, wherever they are on a machine."""
    return _SYSTEM.sub(r"\1", command)


def _word(word: str, variables: tuple[str, ...]) -> str:
    parts = re.split(f"({'|'.join(map(re.escape, variables))})", word)
    if len(parts) == 1:
        return shlex.quote(word)
    return '"' + "".join(one if one in variables else re.sub(r'([\\"$`])', r"\\\1", one) for one in parts) + '"'


def carried(key: str, value: Any, type_: str = "command") -> bool:
    """Whether a handler's key becomes what it means: by the target's own key, or in the command's line.

    A value that the target does not read would void the file.
    """
    return key in (_OF_TOOL if type_ == TOOL else _OF_COMMAND) and _READS[key](value)


def _is_limit(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LONGEST


# What the target has of a handler, and whether it reads a value there.
_OF_COMMAND, _OF_TOOL = ("args", "shell", "timeout", "async", "statusMessage"), ("input", "timeout", "statusMessage")
_READS: dict[str, Callable[[Any], bool]] = {
    "args": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    "shell": lambda value: value in _SHELLS,
    "timeout": _is_limit,
    "async": lambda value: isinstance(value, bool),
    "input": lambda value: isinstance(value, dict),
    "statusMessage": lambda value: isinstance(value, str) and not ("${" in value or _is_place(value)),
}


def _malformed(reading: Reading, path: str, place: str, message: str, value: Any) -> Field:
    remedy = 'write {"matcher": …, "hooks": [{"type": "command", "command": …}]}'
    reading.findings.append(finding("hooks-malformed", path, message, remedy, place))
    return entry(place, "malformed.hook", place, value)
