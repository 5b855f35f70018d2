"""What drf-spectacular cannot see by itself: keys, scopes, the error body, idempotency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from helpdesk.api.described import SUFFIX, Described
from helpdesk.api.idempotency import HEADER
from helpdesk.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from helpdesk.api.views import WITH_A_BODY, ApiView

PREFIX = "/api/v1/"
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            "additionalProperties": True,
        }
    },
}
ERRORS = {
    "400": "What was sent cannot be used; `parameter` or `fields` say where.",
    "401": "The API key is missing or not valid.",
    "403": "The key lacks a scope; `scope` names it.",
    "404": "Absent, or not this tenant's.",
    "405": "The endpoint does not know this method.",
    "406": "The endpoint writes no type that was accepted.",
    "409": "It conflicts with something else, or a request with this Idempotency-Key is still running.",
    "413": "The body is too large.",
    "415": "The endpoint does not read this type of body.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "A limit was reached; `Retry-After` says how many seconds to wait.",
    "500": "A fault on the server.",
    "503": "A part that the request needs is down.",
}
ONLY_WITH_A_BODY = {"409", "413", "415", "422"}
PAGE_PARAMETERS = [
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="Rows in a page.",
    ),
    OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` of the page before."),
]  # fmt: skip


def only_endpoints_for_api_clients(endpoints: list[tuple[str, str, str, Callable[..., Any]]], **_: Any) -> list[Any]:
    """The description covers ApiViews under /api/v1/, not the widget's endpoints."""
    return [
        endpoint
        for endpoint in endpoints
        if endpoint[0].startswith(PREFIX) and issubclass(getattr(endpoint[3], "cls", object), ApiView)
    ]


class ShapeExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Shapes of answers as components."""

    target_class = "helpdesk.api.shapes.Shape"
    match_subclasses = True
    priority = 1

    def get_name(self, auto_schema: AutoSchema, direction: Any) -> str:
        # A shape inside another one is registered by its name alone, which is no collision.
        set_override(self.target, "suppress_collision_warning", True)
        return str(self.target.__name__.removesuffix(SUFFIX))

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        described: dict[str, Any] = self.target.model_json_schema(
            ref_template="#/components/schemas/{model}", schema_generator=Described
        )
        for name, schema in described.pop("$defs", {}).items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name=name, type=ResolvedComponent.SCHEMA, schema=_open(schema), object=name
            )
            auto_schema.registry.register_on_missing(component)
        return _open(described)


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """The object without its title, and open: a member that is added later breaks no client that checks answers."""
    return {name: value for name, value in schema.items() if name not in {"title", "additionalProperties"}}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer gd_…`."""

    target_class = "helpdesk.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "gd_<tenant>_<prefix>_<secret>"}


class ApiSchema(AutoSchema):
    """Adds to each operation its scope, the errors that it may answer and the header for idempotency."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix(PREFIX).split("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        if self.method != "POST":
            return []
        return [
            OpenApiParameter(
                HEADER, {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                location=OpenApiParameter.HEADER,
                description="Repeating a request with the same value gives the first answer again, for 24 hours.",
            )
        ]  # fmt: skip

    def get_description(self) -> str:  # type: ignore[override]
        scope = getattr(getattr(self.view, self.method.lower(), None), "required_scope", None)
        needed = f"Needs the scope `{scope}`." if scope else "Any active key may call this."
        return f"{super().get_description()}\n\n{needed}".strip()

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Error", type=ResolvedComponent.SCHEMA, schema=ERROR, object="Error"
        )
        self.registry.register_on_missing(component)
        for status, description in ERRORS.items():
            if status in ONLY_WITH_A_BODY and self.method not in WITH_A_BODY:
                continue
            if status == "404" and "{" not in self.path:
                continue
            content = {"application/json": {"schema": component.ref}}
            operation["responses"].setdefault(status, {"description": description, "content": content})
        return operation
