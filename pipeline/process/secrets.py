"""Secrets in the environment, told by their names, and text without them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.IGNORECASE)
# What is shorter is found in ordinary text by chance.
_SHORTEST = 8
# And what is shorter of one that was cut tells nothing.
_SHORTEST_PART = 4
# As ``Ends`` says it.
_LEFT_OUT = re.compile(r"(\n\[\d+ bytes left out\]\n)")


def secrets_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Values of variables that are named like secrets, with the names."""
    return {value: name for name, value in environ.items() if _SECRET.search(name) and len(value) >= _SHORTEST}


def redacted(text: str, secrets: Mapping[str, str]) -> str:
    """``text`` with the names of variables in place of their values, the longest first.

    Where the middle was left out (``pipeline.process.lines.Ends``), a value that was cut there goes too.
    """
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, f"[${secrets[value]}]")
    first, *rest = _LEFT_OUT.split(text)
    for cut, after in zip(rest[::2], rest[1::2], strict=True):
        first = f"{_cut(first, secrets)}{cut}{_cut(after, secrets, begins=True)}"
    return first


def _cut(text: str, secrets: Mapping[str, str], *, begins: bool = False) -> str:
    """``text`` without a part of a value at its end, or where it ``begins``."""
    for value in sorted(secrets, key=len, reverse=True):
        for size in range(len(value) - 1, _SHORTEST_PART - 1, -1):
            if begins and text.startswith(value[-size:]):
                return f"[${secrets[value]}]{text[size:]}"
            if not begins and text.endswith(value[:size]):
                return f"{text[:-size]}[${secrets[value]}]"
    return text
