"""Whether the desk can answer, for programs."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.health import readiness


class ComponentSerializer(serializers.Serializer[None]):
    """One part that an answer needs."""

    ready = serializers.BooleanField()
    detail = serializers.CharField(required=False, help_text="What is wrong, when something is.")


class HealthSerializer(serializers.Serializer[None]):
    """Whether questions are answered now."""

    ready = serializers.BooleanField()
    components = serializers.DictField(child=ComponentSerializer())


class HealthView(ApiView):
    """`GET /api/v1/health`."""

    @extend_schema(operation_id="health", responses=HealthSerializer, summary="Whether questions are answered now")
    @requires(None, atomic=False)
    def get(self, request: ApiRequest) -> Response:
        """200 either way: the service that tells you answers. Orchestrators ask /health/ready instead."""
        state = readiness()
        parts = {
            name: {key: part[key] for key in ("ready", "detail") if key in part}
            for name, part in state["components"].items()
        }
        return Response({"ready": state["ready"], "components": parts})
