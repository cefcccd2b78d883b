"""The time that what is made carries: SOURCE_DATE_EPOCH where it is set, so that a build can be repeated; else now."""

from __future__ import annotations

import os
from datetime import datetime, timezone


def moment() -> datetime:
    """The time in UTC. Raises ValueError where SOURCE_DATE_EPOCH is no number of seconds."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    # No datetime.UTC: it came with Python 3.11.
    return datetime.now(timezone.utc) if epoch is None else datetime.fromtimestamp(int(epoch), timezone.utc)  # noqa: UP017


def timestamp() -> str:
    """The time as artifacts spell it."""
    return moment().strftime("%Y-%m-%dT%H:%M:%SZ")
