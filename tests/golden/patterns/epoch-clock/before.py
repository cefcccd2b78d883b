"""A stage that stamps its artifact."""

import datetime as dt
from datetime import UTC, datetime, timezone


def stamps() -> list[str]:
    return [
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
        # Another format, another zone, another time: these stay.
        datetime.now(UTC).strftime("%Y"),
        datetime.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime(2026, 1, 1).strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]
