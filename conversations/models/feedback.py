"""What people thought of answers."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.reply import Reply
from helpdesk.tenants.models import TenantModel


class Rating(models.TextChoices):
    """Whether an answer helped."""

    UP = "up", _("Helpful")
    DOWN = "down", _("Not helpful")


class FeedbackReason(models.TextChoices):
    """What was wrong with an answer that did not help."""

    WRONG = "wrong", _("It is wrong")
    OUTDATED = "outdated", _("It is out of date")
    NOT_MY_QUESTION = "not_my_question", _("It is not what was asked")
    UNCLEAR = "unclear", _("It is hard to understand")
    OTHER = "other", _("Something else")


class Giver(models.TextChoices):
    """Who rates an answer."""

    CUSTOMER = "customer", _("Customer")
    AGENT = "agent", _("Agent")
    API = "api", _("API")


class Feedback(TenantModel):
    """What somebody thought of one AI answer: one row for each kind of giver, which they may change.

    `comment` is what the giver wrote: retention and erasure blank it together with the question.
    """

    reply = models.ForeignKey(Reply, on_delete=models.CASCADE, related_name="feedback")
    given_by = models.CharField(max_length=8, choices=Giver)
    rating = models.CharField(max_length=4, choices=Rating)
    reason = models.CharField(max_length=16, choices=FeedbackReason, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["reply", "given_by"], name="one_feedback_of_each_giver")]
        indexes = [
            models.Index(fields=["tenant", "rating", "reply"], name="feedback_by_rating"),
            models.Index(fields=["tenant", "created_at"], name="feedback_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.rating} by {self.given_by}"
