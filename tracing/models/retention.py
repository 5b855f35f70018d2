"""How long traces are kept, what keeps them longer, and the receipts of what was deleted."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation
from helpdesk.tenants.models import TenantModel
from tracing.models.chained import ChainedModel


class DeletionKind(models.TextChoices):
    """The three classes of retention, and keys destroyed for one customer or for a whole tenant."""

    PROMPTS = "prompts", _("Prompts")
    ANSWERS = "answers", _("Answers and tokens")
    METRICS = "metrics", _("Whole records")
    CUSTOMER = "customer", _("Customer erased")
    TENANT = "tenant", _("Company's content erased")


class DeletionReceipt(ChainedModel):
    """What was deleted when and under which policy. Append-only.

    `runs` lists what it covers as [first sequence, last sequence, link of the last row in hex]; the link is there when
    rows were removed, so that the chain bridges them. `ids_digest` is the SHA-256 (hex) over the ids of rows or keys in
    the order of the runs, so that somebody who has an id elsewhere can be shown that it is among them. `subject` is the
    visitor of an erasure.
    """

    kind = models.CharField(max_length=8, choices=DeletionKind)
    subject = models.UUIDField(null=True)
    count = models.PositiveIntegerField()
    first_sequence = models.PositiveBigIntegerField(null=True)
    last_sequence = models.PositiveBigIntegerField(null=True)
    runs = models.JSONField(default=list)
    ids_digest = models.CharField(max_length=64)
    policy = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta(ChainedModel.Meta):
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} #{self.sequence}"


def _days() -> models.PositiveIntegerField[int | None, int | None]:
    return models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])


class RetentionPolicy(TenantModel):
    """After how many days each class of a trace is deleted; None keeps it. A class never outlives the next one.

    prompts: question, history, prompt, passages' texts. answers: answer, tokens, scores, and analyses. metrics: the row.
    """

    prompts_days = _days()
    answers_days = _days()
    metrics_days = _days()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="one_retention_policy_per_tenant"),
            models.CheckConstraint(
                condition=Q(answers_days__isnull=True)
                | Q(prompts_days__isnull=False, prompts_days__lte=F("answers_days")),
                name="prompts_do_not_outlive_answers",
            ),
            models.CheckConstraint(
                condition=Q(metrics_days__isnull=True)
                | Q(answers_days__isnull=False, answers_days__lte=F("metrics_days")),
                name="answers_do_not_outlive_metrics",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prompts_days}/{self.answers_days}/{self.metrics_days} days"


class ChangeKind(models.TextChoices):
    """What was changed about how long traces are kept."""

    POLICY_SET = "policy_set", _("Retention changed")
    HOLD_PLACED = "hold_placed", _("Hold placed")
    HOLD_RELEASED = "hold_released", _("Hold released")


class RetentionChange(ChainedModel):
    """Who changed the policy or a hold, and why. Append-only; `subject` is the held conversation, which may be gone."""

    kind = models.CharField(max_length=13, choices=ChangeKind)
    subject = models.UUIDField(null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    reason = models.CharField(max_length=300, blank=True)
    policy = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta(ChainedModel.Meta):
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"{self.kind} #{self.sequence}"


class LegalHold(TenantModel):
    """Keeps a conversation's traces from retention and erasure until it is released."""

    conversation = models.ForeignKey(Conversation, on_delete=models.RESTRICT, related_name="legal_holds")
    reason = models.CharField(max_length=300)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    placed_at = models.DateTimeField(default=timezone.now)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "conversation"],
                condition=Q(released_at__isnull=True),
                name="one_active_hold_per_conversation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.reason}"
