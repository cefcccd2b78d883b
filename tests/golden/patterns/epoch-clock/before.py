"""A stage that stamps its artifact."""

import datetime as dt
import time
from datetime import UTC, datetime, timezone


def stamps(form: str) -> list[str]:
    return [
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        datetime.now(UTC).strftime(form),
        datetime.now(UTC).replace(microsecond=0).isoformat(),
        datetime.now(tz=timezone.utc).date().isoformat(),
        (datetime.utcnow().isoformat(timespec="seconds")) + "Z",
        time.strftime("%Y", time.gmtime()),
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
