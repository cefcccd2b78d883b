"""A stage that stamps its artifact."""

import datetime as dt
import time
from datetime import UTC, datetime
from pipeline import clock


def stamps(form: str) -> list[str]:
    return [
        clock.timestamp(),
        clock.timestamp(),
        clock.timestamp(),
        clock.timestamp(),
        clock.timestamp(),
        clock.moment().strftime(form),
        clock.moment().replace(microsecond=0).isoformat(),
        clock.moment().date().isoformat(),
        (clock.moment().replace(tzinfo=None).isoformat(timespec="seconds")) + "Z",
        clock.moment().strftime("%Y"),
    ]


def stays(zone: dt.tzinfo, began: datetime) -> list[object]:
    return [
        # Other zones, other times, and times that somebody may measure with.
        datetime.now().isoformat(),
        datetime.now(zone).isoformat(),
        datetime.now(UTC).astimezone(zone).isoformat(),
        datetime(2026, 1, 1).strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime.now(UTC),
        datetime.now(UTC) - began,
        datetime.now(UTC).isoformat,
        time.strftime("%Z", time.gmtime()),
        time.strftime("%Y", time.gmtime(0)),
        time.strftime("%Y"),
        time.time(),
        datetime.now(  # a comment without a place
            UTC
        ),
    ]


def shadowed(clock: object) -> str:
    return datetime.now(UTC).isoformat()
