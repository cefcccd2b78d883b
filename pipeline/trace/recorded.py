"""What a stand-in wrote down of its calls (``recorder``), read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline import canonical


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call; ``argv`` are the words after the program's name."""

    argv: tuple[str, ...]
    name: str = ""
    options: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


def calls(folder: Path) -> tuple[Call, ...]:
    """What was recorded in a stand-in's folder so far, in the order of the calls."""
    path = folder / "calls.jsonl"
    if not path.exists():
        return ()
    return tuple(map(_call, canonical.read_bytes(path).splitlines()))


def _call(line: bytes) -> Call:
    # By the standard library: an argument that is no text is told in lone surrogates, which others refuse.
    said = json.loads(line)
    return Call(
        argv=tuple(said["argv"]),
        name=said.get("call", ""),
        options=tuple(said.get("options", "").split()),
        extra=tuple(said.get("extra", "").split()),
    )
