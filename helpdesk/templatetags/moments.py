"""Moments in templates: always a `<time>` that a program can read and whose title is the full date."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from helpdesk.pages.moments import day_words, full_words, moment_words

register = template.Library()


@register.simple_tag
def moment(at: datetime, *, with_time: bool = False, css: str = "") -> SafeString:
    """How long ago, or the date; of evidence `with_time` also when it is old."""
    return _time(at, moment_words(at, timezone.now(), with_time=with_time), css)


@register.simple_tag
def full_date(at: datetime) -> SafeString:
    """The date with the time of day, in sentences and of what is to come."""
    return _time(at, full_words(at), "")


@register.simple_tag
def date_only(at: datetime) -> SafeString:
    """The date alone, also of what is to come."""
    return _time(at, date_format(timezone.localtime(at), "DATE_FORMAT"), "")


@register.simple_tag
def time_of_day(at: datetime) -> SafeString:
    """Hours and minutes, where the day stands above."""
    return _time(at, date_format(timezone.localtime(at), "TIME_FORMAT"), "")


@register.filter
def day_name(day: date) -> str:
    """Today, yesterday or the date."""
    return day_words(day, timezone.localdate())


def _time(at: datetime, words: str, css: str) -> SafeString:
    shown = format_html(' class="{}"', css) if css else ""
    return format_html(
        '<time{} datetime="{}" title="{}">{}</time>',
        shown,
        timezone.localtime(at).isoformat(timespec="seconds"),
        full_words(at),
        words,
    )
