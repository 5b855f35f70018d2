"""What programs send about conversations. Answers are `conversations.api.shapes`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

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
