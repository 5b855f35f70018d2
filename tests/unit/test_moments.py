"""Moments in words: relative within a day, else the date, in the reader's language and time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from helpdesk.pages.moments import day_words, moment_words

NOW = datetime(2026, 11, 22, 14, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (-5, "just now", "刚刚"),
        (59, "just now", "刚刚"),
        (60, "1 min ago", "1 分钟前"),
        (3599, "59 min ago", "59 分钟前"),
        (3600, "1 h ago", "1 小时前"),
        (86_399, "23 h ago", "23 小时前"),
        (86_400, "21 Nov 2026", "2026年11月21日"),
    ],
)
def test_a_moment_is_relative_within_a_day(seconds: int, english: str, chinese: str) -> None:
    at = NOW - timedelta(seconds=seconds)
    assert moment_words(at, NOW) == english
    with translation.override("zh-hans"):
        assert moment_words(at, NOW) == chinese


def test_evidence_keeps_its_time_of_day_in_the_readers_zone() -> None:
    at = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Asia/Shanghai")):
        assert moment_words(at, NOW, with_time=True) == "10 Mar 2026, 07:30"
        with translation.override("zh-hans"):
            assert moment_words(at, NOW, with_time=True) == "2026年3月10日 07:30"


def test_days_are_called_today_and_yesterday() -> None:
    today = date(2026, 11, 22)
    words = [day_words(today - timedelta(days=days), today) for days in (0, 1, 2)]
    assert words == ["Today", "Yesterday", "20 Nov 2026"]


def test_a_moment_in_a_page_is_a_time_with_the_full_date_as_its_title() -> None:
    at = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
    shown = Template('{% moment at css="soft" %}').render(Context({"at": at}))
    assert shown == (
        '<time class="soft" datetime="2026-03-09T12:30:00+00:00" title="9 Mar 2026, 12:30">9 Mar 2026</time>'
    )
