"""What the endpoints of batches take, for the description of the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.domain import MAX_NAME
from batches.prompts import MAX_CUSTOM_ID, PARAMETERS
from chat_requests.messages import MAX_MESSAGES
from conversations.parameters import described_parameters
from conversations.validation import MESSAGE_CHARACTERS
from helpdesk.tenants.models import Language


@extend_schema_field(described_parameters(sorted(PARAMETERS)))
class ItemParameters(serializers.DictField):
    """How an item is answered."""


class NewItemSerializer(serializers.Serializer[Any]):
    """One item: `question`, `messages`, or `body` as in OpenAI's batch files."""

    custom_id = serializers.CharField(required=False, max_length=MAX_CUSTOM_ID)
    question = serializers.CharField(required=False, max_length=MESSAGE_CHARACTERS)
    messages = serializers.ListField(
        child=serializers.DictField(), required=False, min_length=1, max_length=MAX_MESSAGES
    )
    body = serializers.DictField(required=False)
    method = serializers.CharField(required=False)
    url = serializers.CharField(required=False)
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    parameters = ItemParameters(required=False)


class NewBatchSerializer(serializers.Serializer[Any]):
    """A submission. `defaults` are parameters for the items that say nothing else."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=MAX_NAME)
    defaults = ItemParameters(required=False)
    items = NewItemSerializer(many=True)
