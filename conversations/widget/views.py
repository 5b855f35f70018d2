"""The widget's page and its JSON endpoints. Customers have no cookie: a bearer token says who they are."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from conversations import domain
from conversations.passages import describe_passage
from conversations.queries import default_assistant
from conversations.ratings import rate_answer
from conversations.shapes import FeedbackShape
from conversations.validation import MESSAGE_CHARACTERS
from conversations.visitors import VisitorIdentity, issue_token, read_token
from helpdesk.errors import InvalidInput, NotSignedIn
from helpdesk.tenants.models import Language, Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.web.client_address import client_address

BEARER = "Bearer "


def requested_language(request: HttpRequest, tenant: Tenant) -> str:
    """The `language` parameter when it is one of ours, else the tenant's default."""
    asked = request.GET.get("language", "")[:2].lower()
    return asked if asked in Language.values else tenant.default_language


@require_GET
@xframe_options_exempt
def frame(request: HttpRequest, tenant_slug: str) -> HttpResponse:
    """The page inside the widget's frame; only the tenant's own sites may embed it."""
    tenant = tenant_by_slug(tenant_slug)
    language = requested_language(request, tenant)
    with translation.override("zh-hans" if language == Language.CHINESE else "en"):
        response = render(request, "widget/frame.html", {"widget_tenant": tenant, "language": language})
    allow_embedding = csp_replace({"frame-ancestors": ["'self'", *tenant.allowed_origins]})
    return cast(HttpResponse, allow_embedding(lambda _request: response)(request))


class AddressThrottle(SimpleRateThrottle):
    """Limits what one address can do; without Redis nothing is counted (helpdesk.cache)."""

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": client_address(request)}


class SessionThrottle(AddressThrottle):
    """Limits how many visitors one address can make."""

    scope = "visitor-session"


class FeedbackThrottle(AddressThrottle):
    """Limits how often one address can rate."""

    scope = "visitor-feedback"


def bearer_token(request: Request) -> str:
    """The token of the Authorization header, or an empty text."""
    header = request.headers.get("Authorization", "")
    return header.removeprefix(BEARER) if header.startswith(BEARER) else ""


class WidgetView(APIView):
    """What a customer gets is theirs alone: nothing on the way keeps a copy."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class SessionView(WidgetView):
    """Begin or continue a visit: returns a token and what the widget shows before the first message."""

    throttle_classes = [SessionThrottle]

    def post(self, request: Request, tenant_slug: str) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        try:
            known: UUID | None = read_token(bearer_token(request), tenant_id=tenant.id).visitor_id
        except NotSignedIn:
            known = None
        visitor_id = domain.begin_visit(tenant.id, known)
        return Response(self._session(tenant, visitor_id, requested_language(request, tenant)))

    def _session(self, tenant: Tenant, visitor_id: UUID, language: str) -> dict[str, Any]:
        with tenant_atomic(tenant.id):
            assistant = default_assistant()
        return {
            "token": issue_token(VisitorIdentity(tenant.id, visitor_id)),
            "expires_in": settings.VISITOR_TOKEN_DAYS * 86_400,
            "language": language,
            "tenant": {"slug": tenant.slug, "name": tenant.name_in(language), "contact_email": tenant.contact_email},
            "assistant": {"name": assistant.name},
            "limits": {"message_characters": MESSAGE_CHARACTERS},
            "suggestions": assistant.suggestions.get(language, []),
        }


class PassageView(WidgetView):
    """The passage behind a source, for visitors of the same tenant."""

    def get(self, request: Request, tenant_slug: str, chunk_id: UUID) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        identity = read_token(bearer_token(request), tenant_id=tenant.id)
        with tenant_atomic(identity.tenant_id):
            return Response(describe_passage(identity.visitor_id, chunk_id))


class FeedbackView(WidgetView):
    """What the visitor thinks of one of their answers; a second rating replaces the first."""

    throttle_classes = [FeedbackThrottle]

    def put(self, request: Request, tenant_slug: str, message_id: UUID) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        identity = read_token(bearer_token(request), tenant_id=tenant.id)
        with translation.override("zh-hans" if requested_language(request, tenant) == Language.CHINESE else "en"):
            if not isinstance(request.data, dict):
                raise InvalidInput
            feedback = rate_answer(
                tenant_id=identity.tenant_id,
                visitor_id=identity.visitor_id,
                message_id=message_id,
                rating=request.data.get("rating"),
                reason=request.data.get("reason", ""),
                comment=request.data.get("comment", ""),
            )
        return Response(FeedbackShape.of(feedback).as_json())
