"""doit's record of what ran, kept so that a kill or a second doit cannot damage it.

doit's own JSON backend writes the file in place: cut off there, it leaves half a file, with which doit refuses to
start. Here the file is the old or the new one. What cannot be read counts as empty: all is looked at again. Of two
runs at once the later one's record stays; what only the other knew of is looked at again.

``pyproject.toml`` puts this in the place of the backend that doit calls ``json``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doit.dependency import JsonDB
from doit.exceptions import InvalidCommand


class State(JsonDB):  # type: ignore[misc]
    """A doit backend: task → what doit saved of its last run, in one JSON file."""

    desc = "one JSON file, replaced as a whole"

    _changed = False

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            found = self.codec.decode(Path(self.name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) and all(isinstance(one, dict) for one in found.values()) else {}

    def dump(self) -> None:
        """Write the file, unless nothing was recorded. A failure is one line of doit, exit 3."""
        if not self._changed:
            return
        from pipeline import canonical  # a run that does nothing stays without it
        from pipeline.errors import WriteFailed

        try:
            canonical.write(Path(self.name), self.codec.encode(self._db).encode("utf-8"))
        except WriteFailed as error:
            raise InvalidCommand(str(error)) from None
        self._changed = False

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        if isinstance(value, tuple):  # as which it would be read back
            value = list(value)
        # doit records each group of tasks anew, even when none of them ran.
        if self.get(task_id, dependency) != value:
            self._changed = True
            super().set(task_id, dependency, value)

    def remove(self, task_id: str) -> None:
        self._changed = True
        super().remove(task_id)

    def remove_all(self) -> None:
        self._changed = True
        super().remove_all()
