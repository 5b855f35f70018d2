"""What the endpoints of batches take, for the description of the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from helpdesk.tenants.models import Language


class NewItemSerializer(serializers.Serializer[Any]):
    """One item: `question`, `messages`, or `body` as in OpenAI's batch files."""

    custom_id = serializers.CharField(required=False, max_length=64)
    question = serializers.CharField(required=False, max_length=4000)
    messages = serializers.ListField(child=serializers.DictField(), required=False, min_length=1, max_length=40)
    body = serializers.DictField(required=False)
    method = serializers.CharField(required=False)
    url = serializers.CharField(required=False)
    language = serializers.ChoiceField(choices=Language.choices, required=False)
    parameters = serializers.DictField(required=False)


class NewBatchSerializer(serializers.Serializer[Any]):
    """A submission. `defaults` are parameters for the items that say nothing else."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=120)
    defaults = serializers.DictField(required=False)
    items = NewItemSerializer(many=True)
