"""The widget's page and its JSON endpoints. Customers have no cookie: a bearer token says who they are."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from csp.decorators import csp_replace
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from conversations import domain
from conversations.earlier import earlier_conversation, earlier_conversations
from conversations.errors import WebsiteRefused
from conversations.identity.identities import begin_identified_visit, visitor_of_token
from conversations.identity.links import resume_visit
from conversations.identity.tickets import SESSION_WITHIN, SOCKET_WITHIN, check_ticket, issue_ticket
from conversations.identity.visitors import VisitorIdentity, issue_token, read_token
from conversations.opening.stored import back_at
from conversations.passages import describe_passage
from conversations.pre_chat.telling import asked_of, tell
from conversations.queries import default_assistant
from conversations.ratings import rate_answer
from conversations.shapes import FeedbackShape, SurveyShape
from conversations.surveys import decline_survey, rate_conversation
from conversations.transcript_mail import request_transcript
from conversations.validation import MESSAGE_CHARACTERS
from helpdesk.api.errors import PartAway
from helpdesk.errors import InvalidInput, NotFound, NotSignedIn
from helpdesk.tenants.models import Language, Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.tenants.sites import OWN, admitted_origin, origin
from helpdesk.web.client_address import client_address

BEARER = "Bearer "
TICKET = "Glassdesk-Ticket"
ADDRESS_CHARACTERS = 254
LOCALES = {Language.ENGLISH: "en", Language.CHINESE: "zh-hans"}


def requested_language(request: HttpRequest, tenant: Tenant | None) -> Language:
    """The `language` parameter when it is one of ours, else the tenant's default."""
    asked = request.GET.get("language", "")[:2].lower()
    if asked not in Language.values:
        asked = tenant.default_language if tenant else Language.ENGLISH
    return Language(asked)


@require_GET
@xframe_options_exempt
def frame(request: HttpRequest, tenant_slug: str) -> HttpResponse:
    """The page inside the widget's frame; on websites that the company does not name, a page that tells their owner so."""
    try:
        tenant = tenant_by_slug(tenant_slug)
    except NotFound:
        return _refused(request, None, status=NotFound.status)
    admitted = admitted_origin(tenant, request.GET.get("origin", ""), host=request.get_host())
    if admitted is None:
        return _refused(request, tenant, status=WebsiteRefused.status)
    language = requested_language(request, tenant)
    context = {"widget_tenant": tenant, "language": language, "ticket": issue_ticket(tenant, admitted)}
    with translation.override(LOCALES[language]):
        response = render(request, "widget/frame.html", context)
    return _embeddable(request, response, "'self'", *tenant.allowed_origins)


def _refused(request: HttpRequest, tenant: Tenant | None, *, status: int) -> HttpResponse:
    """Any page may show it: there is nothing in it to click, and nothing that its owner must not read."""
    language = requested_language(request, tenant)
    context = {
        "company": tenant.name_in(language) if tenant else "",
        "origin": _spelled(request.GET.get("origin", "")),
        "language": language,
    }
    with translation.override(LOCALES[language]):
        response = render(request, "widget/refused.html", context, status=status)
    return _embeddable(request, response, "*")


def _spelled(claimed: str) -> str:
    try:
        return origin(claimed)
    except InvalidInput:
        return OWN


def _embeddable(request: HttpRequest, response: HttpResponse, *ancestors: str) -> HttpResponse:
    allow = csp_replace({"frame-ancestors": list(ancestors)})
    return cast(HttpResponse, allow(lambda _request: response)(request))


class AddressThrottle(SimpleRateThrottle):
    """Limits what one address can do; without Redis nothing is counted (helpdesk.cache)."""

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": client_address(request)}


class SessionThrottle(AddressThrottle):
    """Limits how many visitors one address can make; one that is known already is counted by itself."""

    scope = "visitor-session"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        known = known_visitor(request, tenant_by_slug(view.kwargs["tenant_slug"]))
        if known is None:
            return super().get_cache_key(request, view)
        return self.cache_format % {"scope": self.scope, "ident": known.visitor_id}


class FeedbackThrottle(AddressThrottle):
    """Limits how often one address can rate."""

    scope = "visitor-feedback"


def bearer_token(request: Request) -> str:
    """The token of the Authorization header, or an empty text."""
    header = request.headers.get("Authorization", "")
    return header.removeprefix(BEARER) if header.startswith(BEARER) else ""


def known_visitor(request: Request, tenant: Tenant) -> VisitorIdentity | None:
    """Who the token says the visitor is; None without one that counts."""
    try:
        return visitor_of_token(bearer_token(request), tenant_id=tenant.id)
    except NotSignedIn:
        return None


class WidgetView(APIView):
    """What a customer gets is theirs alone: nothing on the way keeps a copy."""

    def handle_exception(self, exc: Exception) -> Response:
        """What went wrong, in the chat's language where it says so, which need not be the browser's."""
        asked = self.request.query_params.get("language", "")[:2].lower()
        with translation.override(LOCALES[Language(asked)] if asked in Language.values else translation.get_language()):
            return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class SessionView(WidgetView):
    """Begin or continue a visit: returns a token and what the widget shows before the first message."""

    throttle_classes = [SessionThrottle]

    def post(self, request: Request, tenant_slug: str) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        language = requested_language(request, tenant)
        with translation.override(LOCALES[language]):
            origin = check_ticket(request.headers.get(TICKET, ""), tenant=tenant, within=SESSION_WITHIN)
            token = self._token(request, tenant)
        visitor_id = read_token(token, tenant_id=tenant.id).visitor_id
        return Response(self._session(tenant, token, visitor_id, language) | _renewed(tenant, origin))

    def _token(self, request: Request, tenant: Tenant) -> str:
        """Of the customer whom the company's server names, or of a mail's link, else of the visitor that the token names, else of
        a new one."""
        signed, link = _given(request, "identity"), _given(request, "resume")
        if signed is not None:
            return issue_token(begin_identified_visit(tenant.id, signed))
        if link is not None:
            return issue_token(resume_visit(tenant.id, link))
        known = known_visitor(request, tenant)
        visitor_id = domain.begin_visit(tenant.id, known.visitor_id if known else None)
        if known is not None and known.kid and visitor_id == known.visitor_id:
            # Not a new one: what a signed identity began ends a day later.
            return bearer_token(request)
        return issue_token(VisitorIdentity(tenant.id, visitor_id))

    def _session(self, tenant: Tenant, token: str, visitor_id: UUID, language: str) -> dict[str, Any]:
        with tenant_atomic(tenant.id):
            assistant = default_assistant()
            back = back_at(timezone.now())
            asked = asked_of(visitor_id, language)
        return {
            "token": token,
            "expires_in": settings.VISITOR_TOKEN_DAYS * 86_400,
            "language": language,
            "tenant": {"slug": tenant.slug, "name": tenant.name_in(language), "contact_email": tenant.contact_email},
            "assistant": {"name": assistant.name},
            "limits": {"message_characters": MESSAGE_CHARACTERS},
            "pre_chat": asked,
            "back_at": back.isoformat() if back else None,
            "welcome": tenant.welcome.get(language, ""),
            "suggestions": assistant.suggestions.get(language, []),
        }


def _given(request: Request, name: str) -> object:
    """A member of the body; None of a request without one."""
    is_json = (request.content_type or "").startswith("application/json")
    return request.data.get(name) if is_json and isinstance(request.data, dict) else None


def _renewed(tenant: Tenant, origin: str) -> dict[str, Any]:
    return {"ticket": issue_ticket(tenant, origin), "ticket_expires_in": int(SOCKET_WITHIN.total_seconds())}


class PassageView(WidgetView):
    """The passage behind a source, for visitors of the same tenant."""

    def get(self, request: Request, tenant_slug: str, chunk_id: UUID) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        identity = visitor_of_token(bearer_token(request), tenant_id=tenant.id)
        with tenant_atomic(identity.tenant_id):
            return Response(describe_passage(identity.visitor_id, chunk_id))


class FeedbackView(WidgetView):
    """What the visitor thinks of one of their answers; a second rating replaces the first."""

    throttle_classes = [FeedbackThrottle]

    def put(self, request: Request, tenant_slug: str, message_id: UUID) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        identity = visitor_of_token(bearer_token(request), tenant_id=tenant.id)
        with translation.override(LOCALES[requested_language(request, tenant)]):
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


class RatingView(WidgetView):
    """How a conversation of the visitor's went; `{"score": null}` is that they would rather not say."""

    throttle_classes = [FeedbackThrottle]

    def put(self, request: Request, tenant_slug: str, conversation_id: UUID) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        identity = visitor_of_token(bearer_token(request), tenant_id=tenant.id)
        who = {"tenant_id": identity.tenant_id, "visitor_id": identity.visitor_id, "conversation_id": conversation_id}
        with translation.override(LOCALES[requested_language(request, tenant)]):
            if not isinstance(request.data, dict) or "score" not in request.data:
                raise InvalidInput
            score = request.data["score"]
            if score is None:
                decline_survey(**who)
                return Response(status=204)
            survey = rate_conversation(**who, score=score, comment=request.data.get("comment", ""))
        return Response(SurveyShape.of(survey).as_json())


class HistoryThrottle(AddressThrottle):
    """Limits how often one address can read earlier conversations."""

    scope = "visitor-history"


class ConversationsView(WidgetView):
    """The visitor's conversations, the latest first; `after` is the last one that the page before showed."""

    throttle_classes = [HistoryThrottle]

    def get(self, request: Request, tenant_slug: str) -> Response:
        identity = visitor_of_token(bearer_token(request), tenant_id=tenant_by_slug(tenant_slug).id)
        after = request.query_params.get("after")
        try:
            last = UUID(after) if after else None
        except ValueError as error:
            raise InvalidInput from error
        return Response(earlier_conversations(tenant_id=identity.tenant_id, visitor_id=identity.visitor_id, after=last))


class ConversationView(WidgetView):
    """One conversation of the visitor's, to be read."""

    throttle_classes = [HistoryThrottle]

    def get(self, request: Request, tenant_slug: str, conversation_id: UUID) -> Response:
        identity = visitor_of_token(bearer_token(request), tenant_id=tenant_by_slug(tenant_slug).id)
        found = earlier_conversation(
            tenant_id=identity.tenant_id, visitor_id=identity.visitor_id, conversation_id=conversation_id
        )
        return Response(found)


class DetailsView(WidgetView):
    """What the visitor fills in before the chat."""

    throttle_classes = [FeedbackThrottle]

    def put(self, request: Request, tenant_slug: str) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        identity = visitor_of_token(bearer_token(request), tenant_id=tenant.id)
        language = requested_language(request, tenant)
        with translation.override(LOCALES[language]):
            if not isinstance(request.data, dict):
                raise InvalidInput
            tell(tenant_id=identity.tenant_id, visitor_id=identity.visitor_id, given=request.data, language=language)
        return Response(status=204)


class TranscriptAddressThrottle(AddressThrottle):
    """Limits how many transcripts one address can have sent."""

    scope = "visitor-transcript"


class TranscriptVisitorThrottle(TranscriptAddressThrottle):
    """The same of one visitor, from wherever."""

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        known = known_visitor(request, tenant_by_slug(view.kwargs["tenant_slug"]))
        return self.cache_format % {"scope": self.scope, "ident": known.visitor_id} if known else None


class TranscriptView(WidgetView):
    """Has a conversation of the visitor's sent to an address by mail."""

    throttle_classes = [TranscriptAddressThrottle, TranscriptVisitorThrottle]

    def post(self, request: Request, tenant_slug: str, conversation_id: UUID) -> Response:
        tenant = tenant_by_slug(tenant_slug)
        identity = visitor_of_token(bearer_token(request), tenant_id=tenant.id)
        if not cache.is_there():  # type: ignore[attr-defined]
            # Nobody has proven the address: what cannot be counted is not sent.
            raise PartAway
        address = _given(request, "address")
        with translation.override(LOCALES[requested_language(request, tenant)]):
            if not isinstance(address, str) or not 0 < len(address) <= ADDRESS_CHARACTERS:
                raise InvalidInput(_("Enter a valid e-mail address, such as name@example.com."))
            request_transcript(
                tenant_id=identity.tenant_id,
                visitor_id=identity.visitor_id,
                conversation_id=conversation_id,
                address=address,
            )
        return Response(status=202)
