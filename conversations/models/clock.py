"""How soon people are to answer and resolve, and the clocks that run for it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation, Priority
from helpdesk.tenants.models import TenantModel

LONGEST_MINUTES = 60 * 24 * 90
MINUTES = [MinValueValidator(1), MaxValueValidator(LONGEST_MINUTES)]


class ClockKind(models.TextChoices):
    """What a customer is owed in time."""

    FIRST_REPLY = "first_reply", _("First reply")
    NEXT_REPLY = "next_reply", _("Next reply")
    RESOLUTION = "resolution", _("Resolution")


class ResponseTimes(TenantModel):
    """The minutes of one priority, of the company's open hours; none where nothing is promised."""

    priority = models.CharField(max_length=8, choices=Priority)
    first_reply = models.PositiveIntegerField(null=True, blank=True, validators=MINUTES)
    next_reply = models.PositiveIntegerField(null=True, blank=True, validators=MINUTES)
    resolution = models.PositiveIntegerField(null=True, blank=True, validators=MINUTES)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "priority"], name="response_times_once_per_priority")]

    def __str__(self) -> str:
        return self.priority


class Clock(TenantModel):
    """One promise of one conversation. It runs from `runs_since`, and stands still while the conversation is set aside.

    `used_seconds` are those of its earlier runs. `due_at` is when the time is up, if it goes on running; `breached_at` when it
    was, and `ended_at` when the promise was kept or fell away.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=12, choices=ClockKind)
    priority = models.CharField(max_length=8, choices=Priority)
    started_at = models.DateTimeField(default=timezone.now)
    used_seconds = models.FloatField(default=0)
    runs_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "kind"], condition=models.Q(ended_at__isnull=True), name="one_open_clock_each"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "due_at"],
                condition=models.Q(ended_at__isnull=True, breached_at__isnull=True),
                name="clocks_to_breach",
            ),
            models.Index(fields=["conversation", "started_at"], name="clocks_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.due_at}"
