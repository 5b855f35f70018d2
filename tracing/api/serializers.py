"""What the endpoints of traces take, for the description of the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from conversations.models import AnswerKind, FeedbackReason, Outcome, Rating, ReplyPurpose
from helpdesk.tenants.models import Language
from tracing.models import AnalysisKind, ConfidenceBand
from tracing.queries import ANY_PURPOSE
from tracing.reasons import MAX_REASON, MIN_REASON


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


class NewAnalysisSerializer(serializers.Serializer[Any]):
    """What is to be found out. `without` names passages (chunks) to leave out of a replay's prompt.

    `model` names another model that a worker serves, to replay with it.
    """

    kind = serializers.ChoiceField(choices=AnalysisKind.choices, default=AnalysisKind.REPLAY)
    without = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=20)
    is_free = serializers.BooleanField(default=False, help_text="Lift the restriction to the quoted sentences.")
    model = serializers.CharField(required=False, help_text="Replay with another model that a worker serves.")


class NewFeedbackSerializer(serializers.Serializer[Any]):
    """What somebody thinks of the answer."""

    rating = serializers.ChoiceField(choices=Rating.choices)
    reason = serializers.ChoiceField(choices=FeedbackReason.choices, required=False)
    comment = serializers.CharField(required=False, max_length=500)
