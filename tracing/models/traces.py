"""Traces, what was computed about them later, and who read them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import (
    AnswerKind,
    AnswerStyle,
    Assistant,
    CacheKind,
    Channel,
    Conversation,
    Outcome,
    Reply,
    ReplyPurpose,
    claims_confidence,
)
from helpdesk.api_keys.models import ApiKey
from helpdesk.tenants.models import Language
from tracing.models.chained import ChainedModel
from tracing.models.keys import DataKey


class ConfidenceBand(models.TextChoices):
    """The one word about confidence that people see first."""

    LOW = "low", _("Low confidence")
    MEDIUM = "medium", _("Medium confidence")
    HIGH = "high", _("High confidence")


class Trace(ChainedModel):
    """One AI answer: plain columns for lists and metrics, everything else in two sealed sections.

    `sealed_prompt` holds what came from the customer and the articles, `sealed` the answer and its figures; in format 1
    `sealed` holds both. The digests are SHA-256 of the sections and part of the link, so that an altered row shows,
    also after a section itself is gone. Times are milliseconds.

    A cached answer has `cache`, the id of the trace that it was written with in `cached_from` (which may be
    deleted since), and in `saved_tokens` what that one took, prompt and answer.

    Records from before format 4 name no assistant. `tracing.columns` says of each plain column where it shows.
    """

    reply = models.OneToOneField(Reply, on_delete=models.RESTRICT, related_name="trace")
    conversation = models.ForeignKey(Conversation, on_delete=models.RESTRICT, related_name="traces")
    created_at = models.DateTimeField(default=timezone.now)
    channel = models.CharField(max_length=16, choices=Channel, blank=True)
    purpose = models.CharField(max_length=12, choices=ReplyPurpose, default=ReplyPurpose.ANSWER)
    assistant = models.ForeignKey(
        Assistant, null=True, blank=True, on_delete=models.RESTRICT, related_name="+", db_index=False
    )
    assistant_version = models.PositiveIntegerField(null=True, blank=True)
    variant = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome)
    cache = models.CharField(max_length=8, choices=CacheKind, blank=True)
    cached_from = models.UUIDField(null=True, blank=True)
    saved_tokens = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=AnswerKind, blank=True)
    style = models.CharField(max_length=10, choices=AnswerStyle)
    language = models.CharField(max_length=2, choices=Language)
    model = models.CharField(max_length=200, blank=True)
    quantization = models.CharField(max_length=40, blank=True)
    confidence_band = models.CharField(max_length=8, choices=ConfidenceBand, blank=True)
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
    sealed_prompt = models.BinaryField(default=bytes)
    sealed_prompt_digest = models.BinaryField(default=bytes)

    class Meta(ChainedModel.Meta):
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["tenant", "conversation", "sequence"], name="traces_by_conversation"),
            # With what the charts over time read, so that they need not fetch the rows.
            models.Index(
                fields=["tenant", "created_at"],
                include=["purpose", "outcome", "confidence_band", "queue_ms", "total_ms"],
                name="traces_by_time",
            ),
            # A filter that few rows pass must not read them all to fill a page.
            models.Index(fields=["tenant", "outcome", "sequence"], name="traces_by_outcome"),
            models.Index(fields=["tenant", "confidence_band", "sequence"], name="traces_by_band"),
            models.Index(fields=["tenant", "kind", "sequence"], name="traces_by_kind"),
            models.Index(fields=["tenant", "language", "sequence"], name="traces_by_language"),
            models.Index(fields=["tenant", "model", "sequence"], name="traces_by_model"),
            models.Index(
                fields=["tenant", "purpose", "sequence"],
                name="traces_by_purpose",
                condition=~models.Q(purpose=ReplyPurpose.ANSWER),
            ),
            models.Index(fields=["tenant", "cache", "sequence"], name="traces_by_cache", condition=~models.Q(cache="")),
            models.Index(
                fields=["tenant", "created_at"],
                name="traces_cached",
                condition=~models.Q(cache=""),
                include=["purpose", "cache", "saved_tokens"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} #{self.sequence}"

    @property
    def shown_band(self) -> str:
        """The band that people see; empty where there is no answer to be sure of, whatever was recorded of the search."""
        return self.confidence_band if claims_confidence(self.outcome, self.kind) else ""


class AnalysisKind(models.TextChoices):
    """What was asked about an answer afterwards."""

    ATTRIBUTION = "attribution", _("Attribution")
    REPLAY = "replay", _("Replay")
    ALTERNATIVES = "alternatives", _("Alternatives")


class TraceAnalysis(ChainedModel):
    """A finished analysis of one trace: plain figures (numbers only) and a sealed content. Append-only.

    Its content may be blanked, and the row goes with its trace.
    """

    trace = models.ForeignKey(Trace, on_delete=models.CASCADE, related_name="analyses")
    kind = models.CharField(max_length=12, choices=AnalysisKind)
    created_at = models.DateTimeField(default=timezone.now)
    duration_ms = models.FloatField(default=0)
    figures = models.JSONField(default=dict)
    key = models.ForeignKey(DataKey, on_delete=models.RESTRICT, related_name="+")
    sealed = models.BinaryField()
    sealed_digest = models.BinaryField()

    class Meta(ChainedModel.Meta):
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.trace_id}"


class TraceAccess(ChainedModel):
    """Who opened which trace's content, when and why; `opened` is False when the content could not be unsealed.

    Without person and key it was somebody at the server's command line. Append-only; outlives its trace. Rows without
    a sequence are older than the chain's care for them.
    """

    sequence = models.PositiveBigIntegerField(null=True)  # type: ignore[assignment]
    chain = models.BinaryField(default=bytes)

    trace = models.ForeignKey(Trace, on_delete=models.DO_NOTHING, related_name="accesses", db_constraint=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    reason = models.CharField(max_length=300)
    opened = models.BooleanField()
    at = models.DateTimeField(default=timezone.now)

    class Meta(ChainedModel.Meta):
        ordering = ["-at"]
        indexes = [models.Index(fields=["tenant", "trace", "-at"], name="trace_access_by_trace")]

    def __str__(self) -> str:
        return f"{self.trace_id} by {self.user_id}"
