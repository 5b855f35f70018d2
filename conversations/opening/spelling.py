"""Business hours as people write them: `09:00-12:00, 13:00-18:00`, and special days one in each line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from django.utils.translation import gettext as _

from conversations.opening.hours import MINUTES_OF_DAY, Span
from helpdesk.errors import InvalidInput

MOST_SPANS = 4
MOST_SPECIAL_DAYS = 120
_SPAN = re.compile(r"(\d{1,2})[:：](\d{2})\s*(?:-|–|—|~|～|至|到)\s*(\d{1,2})[:：](\d{2})")
_BETWEEN_SPANS = re.compile(r"\s*[,，;；、]\s*")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s+(.*))?")


def read_spans(text: str) -> list[Span]:
    """The spans of one day; an empty text is a closed day. Raises InvalidInput."""
    if not text.strip():
        return []
    spans = sorted(_read_span(part) for part in _BETWEEN_SPANS.split(text.strip()))
    if len(spans) > MOST_SPANS:
        raise InvalidInput(_("A day can have up to %(limit)d time spans.") % {"limit": MOST_SPANS})
    if any(one[1] > other[0] for one, other in pairwise(spans)):
        raise InvalidInput(_("These time spans overlap: %(text)s") % {"text": write_spans(spans)})
    return spans


def write_spans(spans: Sequence[Sequence[int]]) -> str:
    """The same in one spelling."""
    return ", ".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in spans)


def read_special_days(text: str) -> dict[str, list[Span]]:
    """Special days by their ISO dates: `2026-12-25`, or `2026-12-31 09:00-12:00`. Raises InvalidInput."""
    found: dict[str, list[Span]] = {}
    for line in filter(None, (each.strip() for each in text.splitlines())):
        match = _DAY.fullmatch(line)
        try:
            day = date.fromisoformat(match[1]) if match else None
        except ValueError:
            day = None
        if match is None or day is None:
            raise InvalidInput(
                _("“%(line)s” isn’t a day. Write 2026-12-25, or 2026-12-31 09:00-12:00.") % {"line": line[:40]}
            )
        found[day.isoformat()] = read_spans(match[2] or "")
    if len(found) > MOST_SPECIAL_DAYS:
        raise InvalidInput(_("Up to %(limit)d special days fit here. Remove past ones.") % {"limit": MOST_SPECIAL_DAYS})
    return dict(sorted(found.items()))


def write_special_days(special: Mapping[str, Sequence[Sequence[int]]]) -> str:
    """The same, one in each line."""
    return "\n".join(f"{day} {write_spans(spans)}".strip() for day, spans in sorted(special.items()))


def _read_span(text: str) -> Span:
    match = _SPAN.fullmatch(text.strip())
    if match is not None:
        hour, minute, to_hour, to_minute = (int(part) for part in match.groups())
        begin, end = hour * 60 + minute, to_hour * 60 + to_minute
        if minute < 60 and to_minute < 60 and begin < end <= MINUTES_OF_DAY:
            return begin, end
    raise InvalidInput(
        _("“%(text)s” isn’t a time span. Write 09:00-18:00; the end comes after the start, 24:00 at most.")
        % {"text": text[:40]}
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
