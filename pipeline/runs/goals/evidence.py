"""What one turn leaves in the run's folder: what was asked, every event as it came, the answer, and how it ended.

Values of secret variables and places of the machine are replaced in all of it. ``events.jsonl`` grows line by line, so
that what a turn did before it was killed is known; all else is written as a whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import canonical
from pipeline.errors import ParityError, WriteFailed
from pipeline.process.secrets import redacted

_LARGEST = 16 << 20
PROMPT, SCHEMA, EVENTS, ANSWER, TURN = "prompt.md", "schema.json", "events.jsonl", "answer.json", "turn.json"


class Evidence:
    """The folder of one turn. ``places`` are places of the machine and what stands for them."""

    def __init__(self, folder: Path, secrets: Mapping[str, str], places: Mapping[str, str]) -> None:
        self.folder = folder
        self._secrets = secrets
        self._places = sorted(places.items(), key=lambda item: -len(item[0]))
        self._written = 0

    @property
    def answer(self) -> Path:
        return self.folder / ANSWER

    @property
    def schema(self) -> Path:
        return self.folder / SCHEMA

    def ask(self, prompt: str, schema: dict[str, Any]) -> None:
        """Write what the turn is asked; nothing of an earlier try stays. Raises WriteFailed."""
        for name in (EVENTS, ANSWER, TURN):
            with contextlib.suppress(FileNotFoundError):
                (self.folder / name).unlink()
        canonical.write(self.folder / PROMPT, self._told(prompt).encode())
        canonical.write(self.schema, canonical.encode(schema))

    def note(self, line: bytes) -> None:
        """An event. Raises WriteFailed."""
        if self._written > _LARGEST:
            return
        text = self._told(line.decode("utf-8", "replace")).encode() + b"\n"
        self._written += len(text)
        if self._written > _LARGEST:
            text = b'{"type":"left-out","reason":"there is no more room"}\n'
        try:
            with (self.folder / EVENTS).open("ab") as stream:
                stream.write(text)
        except OSError as error:
            raise WriteFailed(
                f"cannot be written: {error.strerror or error}", where=EVENTS, remedy="free some space, then resume"
            ) from None

    def answered(self) -> str:
        """The answer, which the program has written; empty where it wrote none."""
        try:
            text = self._told(canonical.read_bytes(self.answer).decode("utf-8", "replace"))
        except ParityError:
            return ""
        canonical.write(self.answer, text.encode())
        return text

    def end(self, document: dict[str, Any]) -> None:
        """How the turn ended. Raises WriteFailed."""
        told = self._told(canonical.encode(document).decode())
        canonical.write(self.folder / TURN, told.encode())

    def _told(self, text: str) -> str:
        for place, name in self._places:
            text = text.replace(place, name)
        return redacted(text, self._secrets)
