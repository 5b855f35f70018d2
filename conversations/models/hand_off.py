"""Hand-offs from the assistant to a person, and the company's rules for them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation
from conversations.models.reply import Reply
from conversations.models.staffing import MOST_CAPACITY, Team
from helpdesk.tenants.models import TenantModel

ALARM_MINUTES = 5
USUAL_CAPACITY = 5


class HandOffReason(models.TextChoices):
    """Why a conversation waits for a person."""

    REQUESTED = "requested", _("The customer asked for a person")
    REFUSED = "refused", _("The articles have no answer")
    LOW_CONFIDENCE = "low_confidence", _("The AI was not sure of its answer")
    REPEATED = "repeated", _("The customer asked the same thing again")
    COMPLAINT = "complaint", _("The customer is upset")
    THUMBS_DOWN = "thumbs_down", _("The customer said the answer did not help")
    FAILED = "failed", _("The AI could not answer")
    LATE = "late", _("The AI did not answer in time")


class HandOffEnd(models.TextChoices):
    """What ended the wait."""

    TAKEN = "taken", _("A person took it")
    CANCELLED = "cancelled", _("The customer went back to the AI")
    HANDED_BACK = "handed_back", _("It was handed back to the AI")
    CLOSED = "closed", _("The conversation was closed")


class HandOff(TenantModel):
    """One wait of a conversation for a person. `reply` is the answer that it is about, if there is one.

    `team` is the one whose turn it is, if there are any; the next one's comes when nobody has taken it by `alarm_at`.
    `alarm_at` is when the company's people are told that nobody has taken it; `alarmed_at` that they were.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="hand_offs")
    reply = models.ForeignKey(Reply, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    reason = models.CharField(max_length=16, choices=HandOffReason)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    began_at = models.DateTimeField(default=timezone.now)
    alarm_at = models.DateTimeField()
    alarmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=12, choices=HandOffEnd, blank=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(ended_at__isnull=True), name="one_open_hand_off"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "alarm_at"],
                condition=models.Q(ended_at__isnull=True, alarmed_at__isnull=True),
                name="hand_offs_to_alarm",
            )
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.reason}"


class HandOffRules(TenantModel):
    """When the assistant hands over by itself, and after how many minutes an unclaimed hand-off is an alarm.

    `assigns`: what waits is given to whoever is there, up to `capacity` each.
    """

    on_refusal = models.BooleanField(default=False)
    on_low_confidence = models.BooleanField(default=False)
    on_repeated = models.BooleanField(default=True)
    on_complaint = models.BooleanField(default=True)
    on_thumbs_down = models.BooleanField(default=True)
    on_failure = models.BooleanField(default=True)
    alarm_minutes = models.PositiveSmallIntegerField(
        default=ALARM_MINUTES, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    assigns = models.BooleanField(default=False, db_default=False)
    capacity = models.PositiveSmallIntegerField(
        default=USUAL_CAPACITY,
        db_default=USUAL_CAPACITY,
        validators=[MinValueValidator(0), MaxValueValidator(MOST_CAPACITY)],
    )

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_set_of_hand_off_rules")]

    def __str__(self) -> str:
        return str(self.tenant_id)
