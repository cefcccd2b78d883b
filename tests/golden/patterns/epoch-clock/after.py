"""A stage that stamps its artifact."""

import datetime as dt
from datetime import UTC, datetime
from pipeline import clock


def stamps() -> list[str]:
    return [
        clock.timestamp(),
        clock.timestamp(),
        clock.timestamp(),
        clock.timestamp(),
        # Another format, another zone, another time: these stay.
        datetime.now(UTC).strftime("%Y"),
        datetime.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime(2026, 1, 1).strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]
