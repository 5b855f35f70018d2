"""What the endpoints of batches take and give, for the description of the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from batches.models import Batch, BatchState, ItemState
from batches.queries import Progress
from conversations.api.serializers import ReplyErrorSerializer, SourceSerializer
from helpdesk.tenants.models import Language


class ProgressSerializer(serializers.Serializer[Progress]):
    """How many items are in each state."""

    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    total = serializers.IntegerField()


class BatchSerializer(serializers.Serializer[Batch]):
    """One batch with its progress."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=BatchState.choices)
    items = ProgressSerializer()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class UsageSerializer(serializers.Serializer[Any]):
    """Tokens of one answer."""

    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    total_tokens = serializers.IntegerField()
    cached_prompt_tokens = serializers.IntegerField()


class ResultSerializer(serializers.Serializer[Any]):
    """What became of one item. `number` counts the items in the order of their ends, with gaps."""

    custom_id = serializers.CharField()
    position = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ItemState.choices)
    answer = serializers.CharField(allow_null=True)
    outcome = serializers.CharField(allow_null=True)
    language = serializers.ChoiceField(choices=Language.choices)
    sources = SourceSerializer(many=True)
    confidence_band = serializers.CharField(allow_null=True, allow_blank=True)
    reply_id = serializers.UUIDField(allow_null=True)
    trace_id = serializers.UUIDField(allow_null=True)
    usage = UsageSerializer(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    error = ReplyErrorSerializer(allow_null=True)


def results_page() -> serializers.Serializer[Any]:
    """One page of results. `after` is where the next page begins, also when nothing more has ended so far."""
    return inline_serializer(
        "BatchResults",
        {
            "data": ResultSerializer(many=True),
            "next": serializers.CharField(allow_null=True),
            "after": serializers.IntegerField(),
            "complete": serializers.BooleanField(),
        },
    )


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
