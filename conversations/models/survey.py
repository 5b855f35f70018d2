"""What customers thought of whole conversations."""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from helpdesk.tenants.models import TenantModel

WORST, BEST = 1, 5
ASKED_FOR = timedelta(days=14)
CHANGEABLE_FOR = timedelta(days=1)


class AnsweredBy(models.TextChoices):
    """Who answered in a conversation."""

    AI = "ai", _("AI")
    PERSON = "person", _("Person")
    MIXED = "mixed", _("AI and person")


class Survey(TenantModel):
    """That the customer was asked, once, how a conversation went, and what they said: 1 (worst) to 5, with a comment.

    `answered_by` is who had answered when it was asked, or rated. `declined_at`: they would rather not say. Retention and erasure
    blank `comment` together with the question.
    """

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="survey")
    answered_by = models.CharField(max_length=8, choices=AnsweredBy)
    asked_at = models.DateTimeField(default=timezone.now)
    score = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(WORST), MaxValueValidator(BEST)]
    )
    comment = models.CharField(max_length=500, blank=True)
    rated_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(score__isnull=True, rated_at__isnull=True)
                | models.Q(score__range=(WORST, BEST), rated_at__isnull=False),
                name="rated_from_one_to_five",
            )
        ]
        # What reports read: the ratings of a span of time, by who answered.
        indexes = [
            models.Index(
                fields=["tenant", "rated_at"],
                include=["score", "answered_by"],
                condition=models.Q(rated_at__isnull=False),
                name="surveys_by_rating",
            )
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.score or 'unrated'}"

    @property
    def is_open(self) -> bool:
        """Whether the customer can still say it, or change what they said."""
        if self.rated_at is not None:
            return timezone.now() < self.rated_at + CHANGEABLE_FOR
        return self.declined_at is None and timezone.now() < self.asked_at + ASKED_FOR
