"""The text of a unit -> what it says, and the facts that commander appends to it.

``(choices: "a", "b", default: "a", preset: "b", env: X)`` at the end of a text becomes facts, each part where it is
printed, and so does ``[alias: a, b]`` in front of it. The same words in the middle of a sentence are prose. Total.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

from pipeline.helptext.description import paragraphs
from pipeline.surface.units import PossibleValue

_STRING = r'"(?:[^"\\]|\\.)*"'
_FACTS = re.compile(
    rf"\((?:choices: (?P<choices>{_STRING}(?:, {_STRING})*)(?:, |(?=\)$)))?"
    r"(?:default: (?P<default>.+?)(?:, (?=preset: |env: )|(?=\)$)))?"
    r"(?:preset: .+?(?:, (?=env: )|(?=\)$)))?"
    r"(?:env: (?P<env>[^\s,()]+))?\)$"
)
_FACTS_BEGIN = re.compile(r"(?<!\S)\((?=(?:choices|default|preset|env):\s)")
# A default may hold the same words in parentheses; bounds the tries on arbitrary text.
_NESTED_FACTS = 3
# Not of commander itself: the usual way to print more aliases than the one that it shows.
_ALIASES = re.compile(r"\[alias(?:es)?: (?P<names>[^\[\]]+)\]\s*")


def told(lines: Iterable[str]) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """The text of these lines, the aliases in front of it, and its facts as the keys of a flag or an arg."""
    text = paragraphs(lines)
    aliases = _ALIASES.match(text)
    text = text[aliases.end() :] if aliases else text
    facts = None
    begins = list(_FACTS_BEGIN.finditer(text)) if text.endswith(")") else []
    for begin in reversed(begins[-_NESTED_FACTS:]):
        facts = _FACTS.fullmatch(text[begin.start() :].replace("\n", " "))
        if facts:
            text = text[: begin.start()].rstrip()
            break
    return (
        text,
        tuple(re.split(r",\s*", aliases["names"])) if aliases else (),
        {
            "possible_values": tuple(
                PossibleValue(name=_plain(name)) for name in re.findall(_STRING, facts["choices"] or "")
            )
            or None,
            "default": _plain(facts["default"]) if facts["default"] else None,
            "env": facts["env"],
        }
        if facts
        else {},
    )


def _plain(value: str) -> str:
    """A string that JSON would print, without its quotes; any other value as it stands."""
    try:
        decoded = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    return decoded if isinstance(decoded, str) else value
