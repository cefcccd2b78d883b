"""Snapshots as the merge wants them: strict, and each distinct command parsed once.

The targets of one version mostly print the same help, so their files hold the same text over and over. A
canonical file is cut into the texts of its commands, and only texts that no other target had are parsed
and checked. Cutting is exact: what is left of the file parses as a whole with an empty command list, and
each piece parses as one JSON value. Any file that does not fit this (CRLF, another indent) is read whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.units import Command

_OPEN = b'\n  "commands": [\n    {\n'
_BETWEEN = b"\n    },\n    {\n"
_CLOSE = b"\n    }\n  ]"


@dataclass(frozen=True, slots=True)
class Source:
    """One snapshot file: everything but its commands, its commands by path, and the file's digest."""

    path: Path
    head: Json
    commands: dict[tuple[str, ...], Json]
    sha256: str | None


class Reader:
    """Reads the snapshots of one version; commands of equal text are the same object afterwards."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[tuple[str, ...], Json]] = {}

    def read(self, path: Path) -> Source:
        """Raises ArtifactMissing or ArtifactInvalid (with the JSON path) as ``canonical.read`` does."""
        raw = canonical.read_bytes(path)
        found = self._cut(raw, path)
        if found is None:
            document = canonical.loads(raw, path)
            canonical.convert(document, Snapshot, path)
            # A path that stands twice: the last one counts, as in the earlier tool; validate reports it.
            found = document, {tuple(command["path"]): command for command in document.pop("commands")}
        head, commands = found
        return Source(path, head, commands, hashlib.sha256(raw).hexdigest() if "generator" in head else None)

    def _cut(self, raw: bytes, path: Path) -> tuple[Json, dict[tuple[str, ...], Json]] | None:
        start = raw.find(_OPEN)
        end = raw.find(_CLOSE, start)
        if not 0 < start < end:
            return None
        rest = raw[: start + len(b'\n  "commands": [')] + raw[end + len(_CLOSE) - 1 :]
        texts = raw[start + len(_OPEN) : end].split(_BETWEEN)
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        try:
            head = orjson.loads(rest)
            values: list[Any] = [orjson.loads(b"{" + text + b"}") for text in new]
        except orjson.JSONDecodeError:
            return None
        if not isinstance(head, dict) or head.get("commands") != [] or not _is_canonical(rest, head, values, new):
            return None
        canonical.convert(head, Snapshot, path)
        places = {text: index for index, text in enumerate(texts)} if new else {}
        for text, value in zip(new, values, strict=True):
            canonical.convert(value, Command, path, f"$.commands[{places[text]}]")
            self._known[text] = tuple(value["path"]), value
        del head["commands"]
        return head, dict(map(self._known.__getitem__, texts))


def _is_canonical(rest: bytes, head: Json, values: list[Any], texts: Iterable[bytes]) -> bool:
    """Whether the pieces are written as ``canonical.encode`` writes them: then no key stands in them twice."""
    if canonical.encode(head) != rest:
        return False
    if not values:
        return True
    return canonical.encode({"commands": values}) == b"{" + _OPEN + _BETWEEN.join(texts) + _CLOSE + b"\n}\n"
