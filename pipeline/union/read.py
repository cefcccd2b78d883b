"""Snapshots as the merge wants them: strict, and each distinct command parsed once.

The targets of one version mostly print the same help, so their files hold the same text over and over. A
canonical file is cut into the texts of its commands, and only texts that no other target had are parsed
and checked. Cutting is exact: each piece, and what is left of the file with an empty command list, must be
the canonical text of the value it parses as. Any file that does not fit this (CRLF, another indent, an
error) is read whole, which says what is wrong with it or that nothing is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import orjson

from pipeline import canonical
from pipeline.canonical import Json
from pipeline.surface.snapshot import Snapshot
from pipeline.surface.units import Command

_OPEN = b'\n  "commands": [\n    {\n'
_BETWEEN = b"\n    },\n    {\n"
_CLOSE = b"\n    }\n  ]"
_HEAD, _TAIL = b"{" + _OPEN, _CLOSE + b"\n}\n"
_NO_COMMANDS = b'\n  "commands": []'
_GENERATOR = b'\n  "generator": {\n'


@dataclass(frozen=True, slots=True)
class Source:
    """One snapshot file: everything but its commands, its commands by path, and the digest of its bytes.

    A file that does not say what made it has no digest.
    """

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
        try:
            return self._read_pieces(path)
        except (ValueError, msgspec.ValidationError):
            return _read_whole(path)

    def _read_pieces(self, path: Path) -> Source:
        """Raises ValueError (which JSON errors are too) or ValidationError if the file cannot be read that way."""
        commands: dict[tuple[str, ...], Json] = {}
        # Block by block: at 60 MB a file this takes two thirds of the time that cutting it whole takes.
        blocks = canonical.read_blocks(path)
        first = next(blocks, b"")
        before, opened, rest = first.partition(_OPEN)
        if not opened:
            raise ValueError
        digest = hashlib.sha256(first) if _GENERATOR in before else None
        for block in blocks:
            if digest:
                digest.update(block)
            *texts, rest = (rest + block).split(_BETWEEN)
            commands.update(self._commands(texts))
        rest, _, after = rest.rpartition(_CLOSE)
        commands.update(self._commands(rest.split(_BETWEEN)))

        rest = before + _NO_COMMANDS + after
        head = orjson.loads(rest)
        msgspec.convert(head, Snapshot)
        if canonical.encode(head) != rest or (digest is None and "generator" in head):
            raise ValueError
        del head["commands"]
        return Source(path, head, commands, digest.hexdigest() if digest else None)

    def _commands(self, texts: list[bytes]) -> Iterator[tuple[tuple[str, ...], Json]]:
        """Path and object of each text; the unknown ones are parsed and checked, all in one."""
        known = self._known
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            together = _HEAD + _BETWEEN.join(new) + _TAIL
            document = orjson.loads(together)
            # Written as ``encode`` writes it: then no key stands in it twice.
            if canonical.encode(document) != together:
                raise ValueError
            commands = document["commands"]
            msgspec.convert(commands, list[Command])
            known.update(zip(new, ((tuple(command["path"]), command) for command in commands), strict=True))
        return map(known.__getitem__, texts)


def _read_whole(path: Path) -> Source:
    raw = canonical.read_bytes(path)
    head = canonical.loads(raw, path)
    canonical.convert(head, Snapshot, path)
    # A path that stands twice: the last one counts, as in the earlier tool.
    commands = {tuple(command["path"]): command for command in head.pop("commands")}
    return Source(path, head, commands, hashlib.sha256(raw).hexdigest() if "generator" in head else None)
