"""The only reader of SOURCE_DATE_EPOCH, and so of the time.

No artifact carries a wall-clock time: a stage is told the epoch (whole seconds since 1970, UTC), either
by the environment or by what the build pinned (the lock file's row of that version).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from pipeline.errors import EpochMissing

VARIABLE = "SOURCE_DATE_EPOCH"
_LONGEST = 20  # digits; the last second of the year 9999 has 12


def environment_epoch(environ: Mapping[str, str] | None = None) -> int | None:
    """Read SOURCE_DATE_EPOCH; None when it is unset.

    Raises EpochMissing when it is set to something that is no time: falling back to "now" there is how
    timestamps that nobody asked for get committed.
    """
    text = (os.environ if environ is None else environ).get(VARIABLE)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise EpochMissing(
            f"{VARIABLE} is {text[: 2 * _LONGEST]!r}, which is not a number of seconds since 1970",
            remedy=f"set {VARIABLE} to whole seconds, for example $(git log -1 --format=%ct)",
        )
    return int(text)


def timestamp(pinned: int | None = None, environ: Mapping[str, str] | None = None) -> str:
    """The RFC 3339 UTC time that an artifact is stamped with. Raises as ``moment`` does."""
    return spelled(moment(pinned, environ))


def moment(pinned: int | None = None, environ: Mapping[str, str] | None = None) -> datetime:
    """The time that an artifact is stamped with, in UTC: the environment's epoch, else ``pinned``.

    Raises EpochMissing when there is neither, or when the epoch is outside the years 1970 to 9999.
    """
    epoch = environment_epoch(environ)
    if epoch is None:
        epoch = pinned
    if epoch is None:
        raise EpochMissing(
            "this stage writes a timestamp, and neither the environment nor a lock file gives one",
            remedy=f"set {VARIABLE} to whole seconds since 1970, or pin an epoch in artifacts.lock.json",
        )
    try:
        if epoch < 0:  # Windows refuses it, the others do not
            raise ValueError
        return datetime.fromtimestamp(epoch, tz=UTC)
    except (OverflowError, OSError, ValueError):
        raise EpochMissing(
            f"the epoch {epoch} is outside the years 1970 to 9999",
            remedy=f"set {VARIABLE} to whole seconds since 1970",
        ) from None


def carried(found: str, pinned: int) -> str:
    """The time that an artifact which says ``found`` has to say: the environment's if it does, else the pinned one."""
    asked = environment_epoch()
    return found if asked is not None and found == timestamp(asked, {}) else timestamp(pinned, {})


def wall() -> datetime:
    """Now, in whole seconds: for the record of a run and the age of a review, which are no artifacts."""
    return datetime.now(UTC).replace(microsecond=0)


def spelled(when: datetime) -> str:
    """A time as records spell it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
