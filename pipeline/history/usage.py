"""What a usage line says that no list of flags does: which of them must be given."""

from __future__ import annotations

import re

# What a usage line puts in brackets may be left out, and what it puts in parentheses may be one of several.
_OPTIONAL = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_REQUIRED = re.compile(r"(?<![\w<|-])(--?\w[\w-]*)(?![^\s=,]*\|)")


def required_flags(usage: str) -> frozenset[str]:
    """The names of flags that must be given; none where it has several lines, of which one is enough."""
    lines = [line for line in usage.splitlines() if line.strip()]
    if len(lines) != 1:
        return frozenset()
    line, before = lines[0], ""
    while line != before:
        line, before = _OPTIONAL.sub(" ", line), line
    return frozenset() if "|" in line else frozenset(_REQUIRED.findall(line))
