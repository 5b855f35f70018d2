"""The shapes of requests and answers about conversations. Answers are made by `conversations.api.shapes`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from conversations.models import Author, Channel, ConversationStatus, Outcome, ReplyStatus, TextFormat
from conversations.parameters import MAX_STOP_CHARACTERS, MAX_STOPS, RequestParameters
from conversations.validation import MESSAGE_CHARACTERS, REFERENCE_CHARACTERS
from helpdesk.api.strict import StrictBooleanField, StrictFloatField, StrictIntegerField, StrictSerializer
from helpdesk.tenants.models import Language

MAX_WAIT_SECONDS = 60


class ConversationInput(StrictSerializer):
    """What begins a conversation."""

    customer = serializers.CharField(
        required=False, max_length=REFERENCE_CHARACTERS, help_text=_("What you call this customer; no personal data.")
    )
    language = serializers.ChoiceField(choices=Language.choices, required=False)


class ParametersInput(StrictSerializer):
    """How this one answer is made; what is left out is as the assistant is set."""

    temperature = StrictFloatField(required=False, min_value=0, max_value=2)
    top_p = StrictFloatField(required=False, min_value=0.01, max_value=1)
    max_tokens = StrictIntegerField(required=False, min_value=1, max_value=32_768)
    seed = StrictIntegerField(required=False, min_value=0, max_value=2**31 - 1)
    stop = serializers.ListField(
        required=False, max_length=MAX_STOPS,
        child=serializers.CharField(max_length=MAX_STOP_CHARACTERS, trim_whitespace=False),
    )  # fmt: skip
    grounded = StrictBooleanField(required=False, help_text=_("False asks the model alone, without articles."))
    use_cache = StrictBooleanField(required=False, help_text=_("False always writes a new answer."))

    @staticmethod
    def read(values: dict[str, Any]) -> RequestParameters:
        """The parameters as the desk stores them. Raises InvalidInput."""
        stop = values.get("stop")
        return RequestParameters(**values | ({} if stop is None else {"stop": tuple(stop)}))


class QuestionInput(StrictSerializer):
    """A customer's message."""

    body = serializers.CharField(max_length=4 * MESSAGE_CHARACTERS, help_text=_("1 to 4,000 characters."))
    wait = StrictIntegerField(
        required=False, min_value=0, max_value=MAX_WAIT_SECONDS, help_text=_("Seconds to wait for the answer.")
    )
    parameters = ParametersInput(required=False)


class ConversationSerializer(serializers.Serializer[Any]):
    """A conversation."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ConversationStatus.choices)
    channel = serializers.ChoiceField(choices=Channel.choices)
    language = serializers.ChoiceField(choices=Language.choices)
    customer = serializers.CharField(allow_null=True)
    assignee = serializers.CharField(allow_null=True)
    message_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    last_message_at = serializers.DateTimeField()


class SourceSerializer(serializers.Serializer[Any]):
    """A passage that an answer cites."""

    number = serializers.IntegerField()
    article = serializers.UUIDField()
    version = serializers.IntegerField()
    chunk = serializers.UUIDField()
    title = serializers.CharField()
    heading = serializers.CharField(allow_blank=True)
    language = serializers.ChoiceField(choices=Language.choices)
    quote = serializers.CharField(allow_blank=True)
    updated_at = serializers.DateTimeField()


class MessageSerializer(serializers.Serializer[Any]):
    """One entry of a transcript."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    author = serializers.ChoiceField(choices=Author.choices)
    name = serializers.CharField(allow_blank=True)
    body = serializers.CharField()
    language = serializers.ChoiceField(choices=Language.choices)
    created_at = serializers.DateTimeField()
    client_id = serializers.UUIDField(allow_null=True)
    outcome = serializers.ChoiceField(choices=Outcome.choices, allow_blank=True)
    sources = SourceSerializer(many=True)
    format = serializers.ChoiceField(choices=TextFormat.choices)
    confidence_band = serializers.CharField(allow_blank=True)
    seconds = serializers.FloatField(allow_null=True)
    reply = serializers.UUIDField(allow_null=True)


class ReplyErrorSerializer(serializers.Serializer[Any]):
    """Why no answer came."""

    code = serializers.CharField()
    message = serializers.CharField()


class ReplySerializer(serializers.Serializer[Any]):
    """The work of answering one message."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    question = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ReplyStatus.choices)
    attempt = serializers.IntegerField()
    queued_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    answer = MessageSerializer(allow_null=True)
    error = ReplyErrorSerializer(allow_null=True)


class AskedSerializer(serializers.Serializer[Any]):
    """What became of a question; `reply` is null when a person has to answer."""

    message = MessageSerializer()
    reply = ReplySerializer(allow_null=True)


REPLY_EVENT = inline_serializer(
    "ReplyEvent",
    {
        "id": serializers.CharField(required=False, help_text="For `Last-Event-ID`."),
        "event": serializers.ChoiceField(choices=["reply", "phase", "delta", "done", "failed"]),
        "data": serializers.CharField(help_text="A JSON object."),
    },
)
