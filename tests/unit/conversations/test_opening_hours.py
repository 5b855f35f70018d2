"""Business hours: zones, clocks that change, holidays, and how people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from conversations.opening.hours import Hours, Span
from conversations.opening.spelling import read_spans, read_special_days, write_spans, write_special_days
from helpdesk.errors import InvalidInput

OFFICE: list[list[Span]] = [[(540, 720), (780, 1080)]] * 5 + [[], []]
BERLIN = Hours(ZoneInfo("Europe/Berlin"), OFFICE, {date(2026, 12, 25): [], date(2026, 12, 26): [(600, 720)]})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "is_open", "opens_at"),
    [
        ("2026-12-07T07:59", False, "2026-12-07T08:00"),
        ("2026-12-07T08:00", True, None),
        ("2026-12-07T10:59", True, None),
        ("2026-12-07T11:00", False, "2026-12-07T12:00"),
        ("2026-12-07T17:00", False, "2026-12-08T08:00"),
        ("2026-12-04T17:00", False, "2026-12-07T08:00"),  # Friday evening
        ("2026-07-06T07:00", True, None),  # in summer an hour earlier in UTC
        ("2026-12-24T18:00", False, "2026-12-26T09:00"),  # a holiday, then a special Saturday
        ("2026-12-26T11:00", False, "2026-12-28T08:00"),
    ],
)
def test_people_are_there_by_their_own_clocks(at: str, is_open: bool, opens_at: str | None) -> None:
    assert BERLIN.is_open(utc(at)) is is_open
    assert BERLIN.opens_at(utc(at)) == (utc(opens_at) if opens_at else None)


def test_the_hour_that_comes_twice_is_open_twice_and_the_one_that_never_comes_opens_later() -> None:
    night = Hours(ZoneInfo("Europe/Berlin"), [[(120, 180)]] * 7)
    # Clocks go back from 03:00 to 02:00 on 25 October 2026: 02:00 to 03:00 lasts two hours.
    assert night.opens_at(utc("2026-10-24T23:30")) == utc("2026-10-25T00:00")
    assert [night.is_open(utc(f"2026-10-25T0{hour}:30")) for hour in (0, 1, 2)] == [True, True, False]
    # They go forward from 02:00 to 03:00 on 29 March 2026.
    assert night.opens_at(utc("2026-03-29T00:30")) == utc("2026-03-30T00:00")
    early = Hours(ZoneInfo("Europe/Berlin"), [[(150, 240)]] * 7)
    assert early.opens_at(utc("2026-03-29T00:30")) == utc("2026-03-29T01:30")


def test_minutes_count_only_while_people_are_there() -> None:
    assert BERLIN.after_open(utc("2026-12-07T08:30"), 20) == utc("2026-12-07T08:50")
    assert BERLIN.after_open(utc("2026-12-07T10:50"), 20) == utc("2026-12-07T12:10")
    assert BERLIN.after_open(utc("2026-12-04T16:50"), 20) == utc("2026-12-07T08:10")
    assert BERLIN.after_open(utc("2026-12-05T16:50"), 20) == utc("2026-12-07T08:20")


def test_who_never_comes_back_is_not_waited_for() -> None:
    never = Hours(ZoneInfo("UTC"), [[]] * 7)
    at = utc("2026-12-07T08:30")
    assert (never.is_open(at), never.opens_at(at), never.after_open(at, 5)) == (False, None, None)


def test_a_day_may_last_until_midnight_and_go_on() -> None:
    always = Hours(ZoneInfo("Asia/Shanghai"), [[(0, 1440)]] * 7)
    at = utc("2026-12-07T15:59")
    assert always.is_open(at)
    assert always.after_open(at, 10) == utc("2026-12-07T16:09")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", []),
        ("  ", []),
        ("9:00-18:00", [(540, 1080)]),
        ("13:00 – 18:00, 09:00-12:00", [(540, 720), (780, 1080)]),
        ("09：00至12：00，13：00~24：00", [(540, 720), (780, 1440)]),
    ],
)
def test_spans_are_read_as_people_write_them(text: str, spans: list[Span]) -> None:
    assert read_spans(text) == spans
    assert read_spans(write_spans(spans)) == spans


@pytest.mark.parametrize(
    "text",
    ["9-18", "09:00", "18:00-09:00", "09:00-09:00", "09:00-24:01", "09:60-10:00", "25:00-26:00", "09:00-12:00,11:00-13:00",
     "01:00-02:00,03:00-04:00,05:00-06:00,07:00-08:00,09:00-10:00", "closed"],
)  # fmt: skip
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_spans(text)


def test_special_days_are_read_one_in_each_line() -> None:
    text = "2026-12-31 9:00-12:00\n\n2026-12-25\n"
    found = read_special_days(text)
    assert found == {"2026-12-25": [], "2026-12-31": [(540, 720)]}
    assert read_special_days(write_special_days(found)) == found
    for wrong in ("25.12.2026", "2026-02-30", "2026-12-31 morning", "2026-12-31 12:00-09:00"):
        with pytest.raises(InvalidInput):
            read_special_days(wrong)
    with pytest.raises(InvalidInput):
        read_special_days("\n".join(f"{year}-01-01" for year in range(2000, 2121)))
