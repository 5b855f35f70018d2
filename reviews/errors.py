"""What can stand in the way of a review."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Conflict, InvalidInput


class ReviewedMeanwhile(Conflict):
    """Somebody else finished this review, or has the answer on their screen."""

    code = "reviewed_meanwhile"
    message = _("Someone else just reviewed this answer, so yours wasn't saved. Here is the next one.")


class CauseMissing(InvalidInput):
    """A wrong answer without what was wrong with it."""

    code = "cause_missing"
    message = _("Choose what went wrong.")
