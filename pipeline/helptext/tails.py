"""The text of a unit -> what it says, and the facts that Python's help formatters append to it.

``(default: x)`` of argparse, ``[env var: X]`` of configargparse, ``[env var: X; default: y; x>=1; required]`` of
click and the same in brackets of their own of typer leave the end of the text; in the middle of it they are prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.helptext.description import paragraphs, split_stability
from pipeline.surface.units import Flag, Span

_FACT = r"(?:env\s+var|default):\s|required\s*[;\]]"
_LIMIT = r"[^\s<>=;\[\]]+"
_RANGE = rf"(?:{_LIMIT}<=?x(?:<=?{_LIMIT})?|x[<>]=?{_LIMIT})"
_TAIL = re.compile(rf"(?<!\S)(?:\[(?={_FACT}|{_RANGE}[;\]])|\((?=default:\s))")
_ITEM = re.compile(r"(env\s+var|default):\s*(.*)", re.DOTALL)
_SILENT = re.compile(rf"required|{_RANGE}")
# textwrap breaks a line behind a hyphen between two letters; a value is one word all the same.
_HYPHENATED = re.compile(r"(?<=[^\W\d_]-)\n(?=[^\W\d_])")
_NESTED = 3  # brackets with facts inside a default: bounds the search in arbitrary text
_CLOSES = {"[": "]", "(": ")"}


class Told(NamedTuple):
    about: str | None = None
    stability: str | None = None
    default: str | None = None
    env: str | None = None


def described(flags: Iterable[Flag], lines: Iterable[str], section: str | None, span: Span | None) -> Iterator[Flag]:
    """The flags of one entry ("--color / --no-color") with what is said behind them.

    A default and a variable are said once, of all of them: they stay with the first.
    """
    says = told(lines)
    default, env = says.default, says.env
    for flag in flags:
        yield replace(
            flag, about=says.about, stability=says.stability, default=default, env=env, section=section, span=span
        )
        default = env = None


def told(lines: Iterable[str]) -> Told:
    """Read the lines of one description."""
    text, facts = _peel(paragraphs(lines))
    about, stability = split_deprecated(text)
    default = facts.get("default")
    # "None" is argparse's and typer's word for no default; a narrow box cuts a long one off.
    if default == "None" or (default or "").endswith("…"):
        default = None
    # argparse breaks a name that is too long for the line; a variable's name holds no blank.
    env = "".join(facts["env var"].split()) if "env var" in facts else None
    return Told(about, stability, default, env)


def split_deprecated(text: str) -> tuple[str | None, str | None]:
    """The text without the tag in front of it or behind it, and the tag in lower case."""
    about, stability = split_stability(text)
    before, _, tag = (about or "").rpartition("(")
    if tag.lower() == "deprecated)":
        return before.rstrip() or None, "deprecated"
    if tag.startswith("DEPRECATED:") and tag.endswith(")"):
        return about, "deprecated"  # the reason is worth reading: it stays
    return about, stability


def _peel(text: str) -> tuple[str, dict[str, str]]:
    """Take brackets with nothing but facts off the end, the last one first, each fact once."""
    facts: dict[str, str] = {}
    while text.endswith(("]", ")")):
        # A default may hold brackets itself: the last one that closes with the text need not be the last one.
        for tail in [*_TAIL.finditer(text)][: -_NESTED - 1 : -1]:
            found = _facts(text[tail.end() : -1]) if text.endswith(_CLOSES[tail[0]]) else None
            if found is not None and not found.keys() & facts.keys():
                facts |= found
                text = text[: tail.start()].rstrip()
                break
        else:
            break
    return text, facts


def _facts(inside: str) -> dict[str, str] | None:
    """The facts between two brackets; None when something else stands there too."""
    items: list[str] = []
    for piece in re.split(r";\s", _HYPHENATED.sub("", inside)):
        # A default may hold a semicolon itself.
        if items and not _ITEM.match(piece) and not _SILENT.fullmatch(piece):
            items[-1] += f"; {piece}"
        else:
            items.append(piece)
    facts = {}
    for item in items:
        match = _ITEM.match(item)
        if match:
            facts[" ".join(match[1].split())] = " ".join(match[2].split())
        elif not _SILENT.fullmatch(item.strip()):
            return None
    return facts
