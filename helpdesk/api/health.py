"""Whether the desk can answer, for API clients."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from pydantic import Field
from rest_framework.response import Response

from helpdesk.api.shapes import Shape
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.health import readiness


class ComponentShape(Shape):
    """One part that an answer needs."""

    ready: bool
    detail: str = Field(default="", description="What is wrong, when something is.")


class HealthShape(Shape):
    """Whether questions are answered now."""

    ready: bool
    components: dict[str, ComponentShape]


class HealthView(ApiView):
    """`GET /api/v1/health`."""

    @extend_schema(operation_id="health", responses=HealthShape, summary="Whether questions are answered now")
    @requires(None, atomic=False)
    def get(self, request: ApiRequest) -> Response:
        """200 either way: the service that tells you answers. Orchestrators ask /health/ready instead."""
        state = readiness()
        parts = {
            name: ComponentShape(**{key: part[key] for key in ("ready", "detail") if key in part})
            for name, part in state["components"].items()
        }
        return Response(HealthShape(ready=state["ready"], components=parts).as_json())
