"""Buckets of durations, percentiles read from them, and days that may change."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from statistics import quantiles
from zoneinfo import ZoneInfo

import pytest

from reports.days import beginning, due_again
from reports.drawings import columns, shade
from reports.names import GROWTH, LAST_BUCKET, bucket_of, percentile


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(-1, 0), (0, 0), (0.99, 0), (1, 1), (1.05, 1), (1.2, 2), (1e12, LAST_BUCKET)]
)
def test_a_duration_has_its_bucket(seconds: float, bucket: int) -> None:
    assert bucket_of(seconds) == bucket


def test_percentiles_are_within_a_tenth() -> None:
    durations = [1.5 * 1.01**n for n in range(800)]
    counted = Counter(f"first_reply:{bucket_of(each)}" for each in durations)
    cuts = quantiles(durations, n=10)
    for share, exact in ((0.5, cuts[4]), (0.9, cuts[8])):
        found = percentile(counted, "first_reply", share)
        assert found is not None
        assert 1 / GROWTH < found / exact < GROWTH


def test_nothing_counted_has_no_percentile() -> None:
    assert percentile(Counter(), "wait", 0.5) is None
    assert percentile(Counter({"wait:0": 0}), "wait", 0.5) is None


def test_a_day_has_23_or_25_hours_where_clocks_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    lengths = [
        beginning(day + timedelta(days=1), zone) - beginning(day, zone)
        for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1))
    ]
    assert [length / timedelta(hours=1) for length in lengths] == [23, 25, 24]


def test_a_day_is_added_up_again_each_night_until_it_is_settled() -> None:
    zone, day = ZoneInfo("UTC"), date(2026, 3, 1)
    first = due_again(day, zone, datetime(2026, 3, 2, 1, tzinfo=UTC))
    assert first == datetime(2026, 3, 3, tzinfo=UTC)
    assert due_again(day, zone, datetime(2026, 3, 8, 1, tzinfo=UTC)) == datetime(2026, 3, 9, tzinfo=UTC)
    assert due_again(day, zone, datetime(2026, 3, 9, tzinfo=UTC)) is None


def test_columns_are_stacked_and_the_highest_fills_the_drawing() -> None:
    drawn, top = columns([[("a", 1), ("b", 3)], [("a", 0), ("b", 0)]], ["one", "two"])
    assert top == 4
    assert [(part.kind, part.y, part.height) for part in drawn[0].segments] == [("a", 750, 250), ("b", 0, 750)]
    assert drawn[1].segments == ()
    assert columns([], []) == ([], 0)


def test_shades_tell_nothing_from_little() -> None:
    assert [shade(number, 10) for number in (0, 1, 2, 3, 10)] == [0, 1, 1, 2, 5]
    assert shade(0, 0) == 0
