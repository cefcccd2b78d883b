"""Secrets in the environment, told by their names, and text without them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.IGNORECASE)
# What is shorter is found in ordinary text by chance.
_SHORTEST = 8


def secrets_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Values of variables that are named like secrets, with the names."""
    return {value: name for name, value in environ.items() if _SECRET.search(name) and len(value) >= _SHORTEST}


def redacted(text: str, secrets: Mapping[str, str]) -> str:
    """``text`` with the names of variables in place of their values, the longest first."""
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, f"[${secrets[value]}]")
    return text
