"""The text beside or below a unit -> what it says, and the facts that a dialect appends to it.

``[default: x]``, ``[env: X=…]``, ``[aliases: …]`` and ``[possible values: …]`` at the end of a text and a
"Possible values:" list below it become facts and leave the text; so does a tag such as ``[experimental]`` at its
start. The same words in the middle of a sentence are prose and stay. Total.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.helptext.lines import indent
from pipeline.surface.units import PossibleValue

# A narrow page breaks lines at any blank, inside the brackets too.
_TAIL = re.compile(r"(?<!\S)\[(possible\s+values|default|env|aliases|alias|short\s+aliases|short\s+alias):\s*")
_STABILITY = re.compile(
    r"(?:\[(experimental|deprecated|alpha|beta|unstable|preview|internal)\]"
    r"|\((experimental|deprecated|alpha|beta|unstable|preview|internal)\)):?(?:\s+|$)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"- (\S.*?)(?::\s+(.*)|:)?$")
ALIASES = ("aliases", "alias", "short aliases", "short alias")


class Description(NamedTuple):
    """``aliases`` are spelled as the page does, short ones with a dash."""

    about: str | None = None
    stability: str | None = None
    aliases: tuple[str, ...] = ()
    possible_values: tuple[PossibleValue, ...] | None = None
    default: str | None = None
    env: str | None = None


def describe(lines: Sequence[str], kinds: frozenset[str]) -> Description:
    """Read the raw lines of one description; only the ``kinds`` of facts that the unit can have leave the text."""
    at = next((number for number, line in enumerate(lines) if line.strip() == "Possible values:"), None)
    values: tuple[PossibleValue, ...] | None = None
    if (
        "possible values" in kinds
        and at is not None
        and at + 1 < len(lines)
        and lines[at + 1].lstrip().startswith("- ")
    ):
        # Facts stand in front of the list in some versions of clap and behind it in others.
        values, behind = _bullets(lines[at + 1 :])
        lines = [*lines[:at], "", *behind]
    text, facts = _peel(paragraphs(lines), kinds)
    if not values and "possible values" in facts:
        values = tuple(PossibleValue(name=name) for name in _listed(facts["possible values"]))
    about, stability = split_stability(text)
    return Description(
        about=about,
        stability=stability,
        aliases=tuple(name for kind in ALIASES if kind in facts for name in _spelled(kind, facts[kind])),
        possible_values=values or None,
        default=facts.get("default"),
        # The value is the environment's of whoever asked for help: only the name is the CLI's.
        env=facts["env"].partition("=")[0].strip() or None if "env" in facts else None,
    )


def paragraphs(lines: Iterable[str]) -> str:
    """Lines as text: stripped, joined by a newline, any number of blank ones as one."""
    text = "\n".join(map(str.strip, lines)).strip()
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


def split_stability(text: str) -> tuple[str | None, str | None]:
    """The text without its leading tag, and the tag in lower case."""
    tag = _STABILITY.match(text) if text[:1] in ("[", "(") else None
    if tag is None:
        return text or None, None
    return text[tag.end() :] or None, (tag[1] or tag[2]).lower()


def _peel(text: str, kinds: frozenset[str]) -> tuple[str, dict[str, str]]:
    """Take the bracketed facts off the end of a text, the last one first.

    From the right, because a default may hold brackets itself; each kind once, because the dialect prints
    its own last and what stands before it in the same form is the author's prose.
    """
    facts: dict[str, str] = {}
    while text.endswith("]"):
        tails = list(_TAIL.finditer(text))
        if not tails:
            break
        kind = " ".join(tails[-1][1].split())
        if kind not in kinds or kind in facts:
            break
        facts[kind] = text[tails[-1].end() : -1].replace("\n", " ")
        text = text[: tails[-1].start()].rstrip()
    return text, facts


def _listed(value: str) -> list[str]:
    """The names of a comma-separated list; one with a blank in it is printed in quotes."""
    return [name.strip('"') if " " in name else name for name in map(str.strip, value.split(",")) if name]


def _spelled(kind: str, value: str) -> list[str]:
    return [f"-{name}" if kind.startswith("short") and not name.startswith("-") else name for name in _listed(value)]


def _bullets(lines: Sequence[str]) -> tuple[tuple[PossibleValue, ...], Sequence[str]]:
    """The values of ``- name: text`` lines and of deeper lines that continue them, and the lines behind the list."""
    column = indent(lines[0])
    values: list[tuple[str, list[str]]] = []
    for number, line in enumerate(lines):
        bullet = _BULLET.match(line.lstrip()) if indent(line) == column else None
        if bullet:
            values.append((bullet[1], [bullet[2] or ""]))
        elif not line or indent(line) > column:
            values[-1][1].append(line)
        else:
            behind = lines[number:]
            break
    else:
        behind = ()
    return tuple(PossibleValue(name=name, about=paragraphs(text) or None) for name, text in values), behind
