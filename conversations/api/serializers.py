"""What API clients send about conversations. Answers are `conversations.api.shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations.inbox.labels import MOST_LABELS, NAME_CHARACTERS
from conversations.models import Priority, Stage
from conversations.parameters import RequestParameters, described_parameters
from conversations.validation import MESSAGE_CHARACTERS, REFERENCE_CHARACTERS
from helpdesk.api.strict import StrictIntegerField, StrictSerializer
from helpdesk.errors import InvalidInput
from helpdesk.tenants.models import Language

MAX_WAIT_SECONDS = 60
PARAMETERS = ("temperature", "top_p", "max_tokens", "seed", "stop", "grounded", "use_cache")


class ConversationInput(StrictSerializer):
    """What begins a conversation."""

    customer = serializers.CharField(
        required=False, max_length=REFERENCE_CHARACTERS, help_text=_("Your own ID for this customer. No personal data.")
    )
    language = serializers.ChoiceField(choices=Language.choices, required=False)


class TriageInput(StrictSerializer):
    """What is to be changed of a conversation; what is left out stays."""

    stage = serializers.ChoiceField(choices=Stage.choices, required=False)
    wakes_at = serializers.DateTimeField(
        required=False, help_text=_("With the stage “snoozed”: when it is open again, within a year.")
    )
    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    labels = serializers.ListField(
        child=serializers.CharField(max_length=NAME_CHARACTERS),
        required=False,
        max_length=MOST_LABELS,
        help_text=_("All labels that it is to have, by name."),
    )


@extend_schema_field(described_parameters(PARAMETERS))
class ParametersField(serializers.Field[RequestParameters, Any, Any, Any]):
    """How this one answer is made; what is left out is as the assistant is set."""

    def to_internal_value(self, data: Any) -> RequestParameters:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(_("Send a JSON object."))
        try:
            return RequestParameters.read(data, known=PARAMETERS)
        except InvalidInput as error:
            raise serializers.ValidationError({str(error.details["parameter"]): [str(error.message)]}) from None


class QuestionInput(StrictSerializer):
    """A customer's message."""

    body = serializers.CharField(max_length=4 * MESSAGE_CHARACTERS, help_text=_("1 to 4,000 characters."))
    wait = StrictIntegerField(
        required=False, min_value=0, max_value=MAX_WAIT_SECONDS, help_text=_("Seconds to wait for the answer.")
    )
    parameters = ParametersField(required=False)
