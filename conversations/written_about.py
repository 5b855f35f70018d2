"""What people wrote about answers, outside the transcript: it goes when the answers' own words go.

Apps above this one that keep such texts say here, once at the start, how to empty theirs. Runs inside `tenant_atomic`.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet

from conversations.feedback import blank_comments
from conversations.models import Feedback, Reply

Blank = Callable[[QuerySet[Reply]], object]


def _blank_feedback(replies: QuerySet[Reply]) -> None:
    blank_comments(Feedback.objects.filter(reply__in=replies))


_blanks: list[Blank] = [_blank_feedback]


def also_blank(blank: Blank) -> None:
    """From now on this is called too, in the transaction that empties, retains or erases these replies."""
    if blank not in _blanks:
        _blanks.append(blank)


def blank_written_about(replies: QuerySet[Reply]) -> None:
    """Empty what was written about these replies; ratings, verdicts and reasons, which are fixed words, stay."""
    for blank in _blanks:
        blank(replies)
