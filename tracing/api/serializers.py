"""What the endpoints of traces take and give, for the description of the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from conversations.models import FeedbackReason, Giver, Outcome, Rating, ReplyPurpose
from helpdesk.tenants.models import Language
from tracing.models import AnalysisKind, AnswerKind, ConfidenceBand, JobState
from tracing.queries import ANY_PURPOSE
from tracing.reasons import MAX_REASON, MIN_REASON


class GivenSerializer(serializers.Serializer[Any]):
    """What somebody thought of an answer, without the words."""

    given_by = serializers.ChoiceField(choices=Giver.choices)
    rating = serializers.ChoiceField(choices=Rating.choices)
    reason = serializers.ChoiceField(choices=[("", ""), *FeedbackReason.choices])


class TraceSerializer(serializers.Serializer[Any]):
    """A trace's plain facts: no word of question, answer or prompt. Times are milliseconds."""

    id = serializers.UUIDField()
    sequence = serializers.IntegerField()
    reply_id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    channel = serializers.CharField()
    purpose = serializers.ChoiceField(choices=ReplyPurpose.choices)
    assistant_id = serializers.UUIDField(allow_null=True)
    assistant_version = serializers.IntegerField(allow_null=True)
    variant = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    kind = serializers.ChoiceField(choices=[("", ""), *AnswerKind.choices])
    style = serializers.CharField()  # type: ignore[assignment]
    language = serializers.ChoiceField(choices=Language.choices)
    model = serializers.CharField()
    quantization = serializers.CharField()
    confidence_band = serializers.ChoiceField(choices=ConfidenceBand.choices, allow_blank=True)
    finish_reason = serializers.CharField()
    attempt = serializers.IntegerField()
    cache = serializers.CharField()
    cached_from = serializers.UUIDField(allow_null=True)
    saved_tokens = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    cached_prompt_tokens = serializers.IntegerField()
    answer_tokens = serializers.IntegerField()
    candidate_count = serializers.IntegerField()
    source_count = serializers.IntegerField()
    queue_ms = serializers.FloatField()
    retrieve_ms = serializers.FloatField()
    first_token_ms = serializers.FloatField(allow_null=True)
    total_ms = serializers.FloatField()
    steps = serializers.ListField(child=serializers.DictField())
    content_bytes = serializers.IntegerField()
    sealed_bytes = serializers.IntegerField()
    feedback = GivenSerializer(many=True)


class TurnSerializer(serializers.Serializer[Any]):
    """Where the answer stands among those of its conversation."""

    number = serializers.IntegerField()
    total = serializers.IntegerField()


class DeletedSerializer(serializers.Serializer[Any]):
    """A section that the retention policy has emptied."""

    kind = serializers.CharField()
    at = serializers.DateTimeField()


class TraceDetailSerializer(TraceSerializer):
    """A trace's plain facts with its place in the chain."""

    turn = TurnSerializer()
    times_opened = serializers.IntegerField()
    deleted = DeletedSerializer(many=True)
    integrity = serializers.DictField()


class ReasonSerializer(serializers.Serializer[Any]):
    """Why the content is opened; kept for good with the key and the time."""

    reason = serializers.CharField(min_length=MIN_REASON, max_length=MAX_REASON)


class FilterSerializer(serializers.Serializer[Any]):
    """Which traces are meant; what is left out does not restrict, but for the purpose."""

    purpose = serializers.ChoiceField(
        choices=[*ReplyPurpose.values, ANY_PURPOSE], default=ReplyPurpose.ANSWER.value, required=False
    )
    outcome = serializers.ChoiceField(choices=Outcome.choices, required=False)
    kind = serializers.ChoiceField(choices=AnswerKind.choices, required=False)
    band = serializers.ChoiceField(choices=ConfidenceBand.choices, required=False)
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    model = serializers.CharField(required=False)
    cache = serializers.CharField(required=False)
    feedback = serializers.CharField(required=False)
    since = serializers.DateField(required=False, help_text="A day, included.")
    until = serializers.DateField(required=False, help_text="A day, included.")


class ContentExportSerializer(ReasonSerializer, FilterSerializer):
    """A reason, and which traces."""


class ExportedSerializer(serializers.Serializer[Any]):
    """One `glassdesk.trace/1` object: docs/traces.md describes every member."""

    schema = serializers.CharField()
    tenant = serializers.CharField()
    trace = serializers.DictField()
    integrity = serializers.DictField()
    content = serializers.DictField(allow_null=True)
    deleted = DeletedSerializer(many=True)
    feedback = serializers.ListField(child=serializers.DictField())
    analyses = serializers.ListField(child=serializers.DictField())
    error = serializers.DictField(allow_null=True)


class NewAnalysisSerializer(serializers.Serializer[Any]):
    """What is to be found out. `without` names passages (chunks) to leave out of a replay's prompt.

    `model` names another model that a worker serves, to replay with it.
    """

    kind = serializers.ChoiceField(choices=AnalysisKind.choices, default=AnalysisKind.REPLAY)
    without = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=20)
    is_free = serializers.BooleanField(default=False, help_text="Lift the restriction to the quoted sentences.")
    model = serializers.CharField(required=False, help_text="Replay with another model that a worker serves.")


class AnalysisSerializer(serializers.Serializer[Any]):
    """A requested analysis. Its words are sealed: the trace's content holds them."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=AnalysisKind.choices)
    state = serializers.ChoiceField(choices=JobState.choices)
    parameters = serializers.DictField()
    queued_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.FloatField(allow_null=True)
    figures = serializers.DictField(allow_null=True)
    error = serializers.CharField(allow_null=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One thing that is wrong in the chain."""

    kind = serializers.CharField()
    sequence = serializers.IntegerField()
    table = serializers.CharField()
    row_id = serializers.UUIDField(allow_null=True)
    reply_id = serializers.UUIDField(allow_null=True)
    moved_from = serializers.IntegerField(allow_null=True)
    last = serializers.IntegerField(allow_null=True)
    detail = serializers.CharField()


class AnchorSerializer(serializers.Serializer[Any]):
    """How far the chain had come when that was last noted outside the database."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()


class VerificationSerializer(serializers.Serializer[Any]):
    """What a walk along the chain found."""

    is_sound = serializers.BooleanField()
    rows = serializers.IntegerField()
    traces = serializers.IntegerField()
    deleted = serializers.IntegerField()
    unchained = serializers.IntegerField()
    anchor = AnchorSerializer(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())
    findings = FindingSerializer(many=True)


class NewFeedbackSerializer(serializers.Serializer[Any]):
    """What somebody thinks of the answer."""

    rating = serializers.ChoiceField(choices=Rating.choices)
    reason = serializers.ChoiceField(choices=FeedbackReason.choices, required=False)
    comment = serializers.CharField(required=False, max_length=500)
