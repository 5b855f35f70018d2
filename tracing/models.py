"""Sealed records of why the assistant answered what it answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import AnswerStyle, Conversation, Outcome, Reply
from helpdesk.tenants.models import Language, TenantModel


class KeyPurpose(models.TextChoices):
    """What a key is for. Content keys may be retired or destroyed; the chain's key outlives them."""

    CONTENT = "content", "content"
    CHAIN = "chain", "chain"


class DataKey(TenantModel):
    """A key of one tenant, itself wrapped by the master key named in `master_key_id`."""

    purpose = models.CharField(max_length=7, choices=KeyPurpose, default=KeyPurpose.CONTENT)
    wrapped = models.BinaryField()
    master_key_id = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "purpose"],
                condition=models.Q(retired_at__isnull=True),
                name="one_active_data_key_per_purpose",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class ConfidenceBand(models.TextChoices):
    """The one word about confidence that people see first."""

    LOW = "low", _("Low confidence")
    MEDIUM = "medium", _("Medium confidence")
    HIGH = "high", _("High confidence")


class Trace(TenantModel):
    """One AI answer: plain columns for lists and metrics, everything else in one sealed payload.

    Times are milliseconds. `sequence` counts from 1 per tenant. `sealed_digest` is the SHA-256 of `sealed`; `chain` is
    an HMAC over the digest, the plain columns and the previous row's `chain`, so that an altered, removed, inserted or
    reordered row shows, also after the payload itself is gone.
    """

    reply = models.OneToOneField(Reply, on_delete=models.RESTRICT, related_name="trace")
    conversation = models.ForeignKey(Conversation, on_delete=models.RESTRICT, related_name="traces")
    sequence = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=8, choices=Outcome)
    style = models.CharField(max_length=10, choices=AnswerStyle)
    language = models.CharField(max_length=2, choices=Language)
    model = models.CharField(max_length=200, blank=True)
    quantization = models.CharField(max_length=40, blank=True)
    confidence_band = models.CharField(max_length=8, choices=ConfidenceBand)
    finish_reason = models.CharField(max_length=10, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    prompt_tokens = models.PositiveIntegerField(default=0)
    cached_prompt_tokens = models.PositiveIntegerField(default=0)
    answer_tokens = models.PositiveIntegerField(default=0)
    candidate_count = models.PositiveSmallIntegerField(default=0)
    source_count = models.PositiveSmallIntegerField(default=0)
    queue_ms = models.FloatField(default=0)
    retrieve_ms = models.FloatField(default=0)
    first_token_ms = models.FloatField(null=True, blank=True)
    total_ms = models.FloatField(default=0)
    steps = models.JSONField(default=list)
    format = models.PositiveSmallIntegerField(default=1)
    content_bytes = models.PositiveIntegerField(default=0)
    sealed_bytes = models.PositiveIntegerField(default=0)
    key = models.ForeignKey(DataKey, on_delete=models.RESTRICT, related_name="+")
    sealed = models.BinaryField()
    sealed_digest = models.BinaryField()
    chain = models.BinaryField()

    class Meta(TenantModel.Meta):
        ordering = ["-sequence"]
        constraints = [models.UniqueConstraint(fields=["tenant", "sequence"], name="trace_sequence_unique")]
        indexes = [models.Index(fields=["tenant", "conversation", "sequence"], name="traces_by_conversation")]

    def __str__(self) -> str:
        return f"{self.id} #{self.sequence}"


class ChainHead(TenantModel):
    """The end of a tenant's chain; its lock puts the tenant's traces in order.

    `mac` authenticates `sequence` and `chain`, so that cutting off the newest rows needs more than an UPDATE.
    """

    sequence = models.PositiveBigIntegerField(default=0)
    chain = models.BinaryField(default=bytes)
    mac = models.BinaryField(default=bytes)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_chain_head_per_tenant")]

    def __str__(self) -> str:
        return f"#{self.sequence}"


class TraceAccess(TenantModel):
    """Who opened which trace's content, when and why; `opened` is False when the content could not be unsealed.

    Append-only.
    """

    trace = models.ForeignKey(Trace, on_delete=models.DO_NOTHING, related_name="accesses", db_constraint=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    reason = models.CharField(max_length=300)
    opened = models.BooleanField()
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["-at"]
        indexes = [models.Index(fields=["tenant", "trace", "-at"], name="trace_access_by_trace")]

    def __str__(self) -> str:
        return f"{self.trace_id} by {self.user_id}"
