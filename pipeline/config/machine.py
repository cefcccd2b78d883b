"""Paths of one machine in a text: of somebody's home, of what an administrator keeps, of a Windows drive."""

from __future__ import annotations

import re

_BEFORE = r"(?:^|[\s\"'`=:;,|&<>(\[{])"
_FOLDERS = (
    "Applications|Library|System|Users|Volumes|data|etc|home|mnt|nix|opt|private|root|snap|srv|tmp|usr|var|workspaces?"
)
_PLACE = re.compile(rf"{_BEFORE}(?:/(?:{_FOLDERS})/|[A-Za-z]:\\)")


def names_a_machine(text: str) -> bool:
    """Whether a path of one machine stands in a text, at its beginning or behind a sign that ends a word."""
    return _PLACE.search(text) is not None
