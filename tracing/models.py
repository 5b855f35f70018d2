"""Sealed records of why the assistant answered what it answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from conversations.models import AnswerStyle, Conversation, Outcome, Reply
from helpdesk.tenants.models import Language, TenantModel


class DataKey(TenantModel):
    """A key that seals one tenant's traces, itself wrapped by the master key named in `master_key_id`."""

    wrapped = models.BinaryField()
    master_key_id = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(retired_at__isnull=True), name="one_active_data_key_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class Trace(TenantModel):
    """One AI answer: plain columns for lists and metrics, everything else in one sealed payload.

    Times are milliseconds. `sequence` counts from 1 per tenant; `chain` is an HMAC over the payload's hash, the plain
    columns and the previous row's chain, so that an altered, removed or reordered row shows.
    """

    reply = models.OneToOneField(Reply, on_delete=models.CASCADE, related_name="trace")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="traces")
    sequence = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=8, choices=Outcome)
    style = models.CharField(max_length=10, choices=AnswerStyle)
    language = models.CharField(max_length=2, choices=Language)
    model = models.CharField(max_length=200)
    confidence_band = models.CharField(max_length=8)
    finish_reason = models.CharField(max_length=10, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    prompt_tokens = models.PositiveIntegerField(default=0)
    cached_prompt_tokens = models.PositiveIntegerField(default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    source_count = models.PositiveSmallIntegerField(default=0)
    queue_ms = models.FloatField(default=0)
    retrieve_ms = models.FloatField(default=0)
    first_token_ms = models.FloatField(null=True, blank=True)
    total_ms = models.FloatField(default=0)
    steps = models.JSONField(default=list)
    key = models.ForeignKey(DataKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    chain = models.BinaryField()

    class Meta(TenantModel.Meta):
        ordering = ["-sequence"]
        constraints = [models.UniqueConstraint(fields=["tenant", "sequence"], name="trace_sequence_unique")]
        indexes = [models.Index(fields=["tenant", "conversation", "sequence"], name="traces_by_conversation")]

    def __str__(self) -> str:
        return f"{self.id} #{self.sequence}"


class TraceAccess(TenantModel):
    """Who opened which trace's content, when and why. Append-only."""

    trace = models.ForeignKey(Trace, on_delete=models.DO_NOTHING, related_name="accesses", db_constraint=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["-at"]
        indexes = [models.Index(fields=["tenant", "trace", "-at"], name="trace_access_by_trace")]

    def __str__(self) -> str:
        return f"{self.trace_id} by {self.user_id}"
