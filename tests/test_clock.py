"""The epoch: who gives it, what it looks like, what is refused."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import environment_epoch, timestamp
from pipeline.errors import EpochMissing

LAST = 253402300799  # 9999-12-31T23:59:59Z


def test_the_environment_counts_before_what_is_pinned() -> None:
    assert timestamp(0, {"SOURCE_DATE_EPOCH": "1700000000"}) == "2023-11-14T22:13:20Z"
    assert timestamp(0, {}) == "1970-01-01T00:00:00Z"


def test_without_either_it_fails_and_says_what_to_set() -> None:
    with pytest.raises(EpochMissing, match="SOURCE_DATE_EPOCH") as caught:
        timestamp(None, {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", " ", "now", "-1", "+1", "1.5", "1e9", "0x10", " 1", "1\n", "1_000", "١٢٣", "²"])
def test_an_epoch_that_is_no_number_is_never_replaced_by_another_time(text: str) -> None:
    with pytest.raises(EpochMissing):
        timestamp(0, {"SOURCE_DATE_EPOCH": text})


@pytest.mark.parametrize("epoch", [LAST + 1, 10**20, -1, -(10**12)])
def test_times_outside_the_format_are_refused_on_every_system(epoch: int) -> None:
    with pytest.raises(EpochMissing, match="outside the years 1970 to 9999"):
        timestamp(epoch, {})


def test_a_number_of_many_digits_is_refused_not_a_crash() -> None:
    with pytest.raises(EpochMissing):
        timestamp(0, {"SOURCE_DATE_EPOCH": "9" * 10_000})


def test_unset_is_not_zero() -> None:
    assert environment_epoch({}) is None
    assert environment_epoch({"SOURCE_DATE_EPOCH": "0"}) == 0


@given(st.integers(0, LAST))
def test_the_text_is_the_time_in_utc(epoch: int) -> None:
    text = timestamp(None, {"SOURCE_DATE_EPOCH": str(epoch)})
    assert datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp() == epoch
    assert len(text) == 20


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows cannot change the zone of a running process")
def test_the_zone_of_the_machine_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert timestamp(0, {}) == "1970-01-01T00:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()
