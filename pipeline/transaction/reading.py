"""Reading a folder while nobody writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pipeline.errors import ParityError
from pipeline.transaction.locks import journal_above, lock_files, resolved

T = TypeVar("T")


def undisturbed(folder: Path, read: Callable[[], T]) -> T:
    """What ``read`` returns; under ``exclusive``, where anybody ever held the folder, until it has returned.

    A reader of a folder that nobody has held need not wait, and does not pay for what locking imports: a tenth of
    a fast validation. If somebody comes meanwhile, it reads again.
    """
    folder = resolved(folder)
    if not _is_held_at_times(folder):
        try:
            found = read()
        except ParityError:
            if not _is_held_at_times(folder):
                raise
        else:
            if not _is_held_at_times(folder):
                return found
    from pipeline.transaction.hold import exclusive

    with exclusive(folder):
        return read()


def _is_held_at_times(folder: Path) -> bool:
    return journal_above(folder) is not None or any(map(Path.exists, lock_files(folder)))
