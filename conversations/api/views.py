"""Conversations and their messages, for API clients."""

from __future__ import annotations

import uuid
from functools import partial
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from conversations.api import triage
from conversations.api.serializers import MAX_WAIT_SECONDS, ConversationInput, QuestionInput, TriageInput
from conversations.api.shapes import AskedShape, ConversationShape, ReplyEventShape, ReplyShape
from conversations.api.stream import clean_cursor, reply_events
from conversations.api.waiting import has_ended_within
from conversations.channels import rules_of
from conversations.followed import FollowedReply, describe_answer, nothing_of
from conversations.inbound import from_api_client
from conversations.inbox.labels import labels_prefetched
from conversations.inbox.triage.choosing import IS_UNRESOLVED
from conversations.intake import PostedMessage, begin_conversation, receive
from conversations.models import (
    IS_OPEN,
    Channel,
    Conversation,
    ConversationStatus,
    Labelling,
    Message,
    Parked,
    Priority,
    Reply,
    Stage,
)
from conversations.parameters import RequestParameters
from conversations.queries import conversation_by_id, describe_message
from conversations.replies import stop_reply
from conversations.shapes import MessageShape
from helpdesk.api.idempotency import HEADER
from helpdesk.api.negotiation import EventsOrJson
from helpdesk.api.pagination import PAGE_QUERY, page_response
from helpdesk.api.preferences import preferred_wait
from helpdesk.api.schema import PAGE_PARAMETERS
from helpdesk.api.shapes import page_of
from helpdesk.api.strict import read_input
from helpdesk.api.views import ApiRequest, ApiView, requires
from helpdesk.api.waiting import Later, WaitingApiView
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.facts.kinds import Actor, ActorKind
from helpdesk.tenants.scope import tenant_atomic

FILTERS = {"status": ConversationStatus.values, "channel": Channel.values, "priority": Priority.values}
STAGES = {
    Stage.OPEN: IS_OPEN,
    Stage.PENDING: IS_UNRESOLVED & Q(parked=Parked.PENDING),
    Stage.SNOOZED: IS_UNRESOLVED & Q(parked=Parked.SNOOZED),
    Stage.RESOLVED: ~IS_UNRESOLVED,
}


class ConversationsView(ApiView):
    """`/api/v1/conversations`."""

    @extend_schema(
        operation_id="list_conversations",
        summary="List conversations, the newest first",
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, enum=ConversationStatus.values),
            OpenApiParameter("channel", OpenApiTypes.STR, enum=Channel.values),
            OpenApiParameter("priority", OpenApiTypes.STR, enum=Priority.values),
            OpenApiParameter("stage", OpenApiTypes.STR, enum=Stage.values),
            OpenApiParameter("label", OpenApiTypes.STR, description="A label's name."),
            OpenApiParameter("customer", OpenApiTypes.STR, description="What you call the customer."),
            *PAGE_PARAMETERS,
        ],
        responses=page_of(ConversationShape),
    )
    @requires(Scope.CONVERSATIONS_READ, query=(*FILTERS, "stage", "label", "customer", *PAGE_QUERY))
    def get(self, request: ApiRequest) -> Response:
        """Those of the website as well as those of API clients."""
        return page_response(request, _filtered(request), lambda row: ConversationShape.of(row).as_json())

    @extend_schema(
        operation_id="begin_conversation",
        summary="Begin a conversation",
        request=ConversationInput,
        responses={201: ConversationShape},
    )
    @requires(Scope.CONVERSATIONS_WRITE)
    def post(self, request: ApiRequest) -> Response:
        """`customer` ties the conversations of one customer together."""
        conversation = begin_conversation(**read_input(ConversationInput, request))
        self.idempotency_subject = conversation.id
        location = reverse("conversations_api:messages", args=[conversation.id]).removesuffix("/messages")
        return Response(ConversationShape.of(conversation).as_json(), status=201, headers={"Location": location})


class ConversationView(ApiView):
    """`/api/v1/conversations/{id}`."""

    @extend_schema(operation_id="read_conversation", summary="Read a conversation", responses=ConversationShape)
    @requires(Scope.CONVERSATIONS_READ)
    def get(self, request: ApiRequest, conversation_id: UUID) -> Response:
        """Its messages are a list of their own."""
        return Response(ConversationShape.of(conversation_by_id(conversation_id)).as_json())

    @extend_schema(
        operation_id="change_conversation",
        summary="Change how far a conversation is, its priority or its labels",
        request=TriageInput,
        responses=ConversationShape,
    )
    @requires(Scope.CONVERSATIONS_WRITE)
    def patch(self, request: ApiRequest, conversation_id: UUID) -> Response:
        """What is left out stays; the same again changes nothing."""
        given = read_input(TriageInput, request)
        actor = Actor(ActorKind.API_KEY, str(request.auth.key_id))
        triage.change(conversation_by_id(conversation_id), given, actor=actor)
        return Response(ConversationShape.of(conversation_by_id(conversation_id)).as_json())


class MessagesView(WaitingApiView):
    """`/api/v1/conversations/{id}/messages`."""

    @extend_schema(
        operation_id="list_messages",
        summary="Read the transcript, the oldest message first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(MessageShape),
    )
    @requires(Scope.CONVERSATIONS_READ, query=PAGE_QUERY)
    def get(self, request: ApiRequest, conversation_id: UUID) -> Response:
        """Messages of the customer, the AI, people, and notes of the system."""
        conversation = conversation_by_id(conversation_id)
        rows: QuerySet[Message] = (
            Message.objects.filter(conversation=conversation)
            .select_related("user", "answer_to", "conversation__assistant")
            .prefetch_related("answer_to__feedback")
        )
        return page_response(request, rows, describe_message, order=["position"])

    @extend_schema(
        operation_id="ask",
        summary="Send a customer's message and have it answered",
        request=QuestionInput,
        parameters=[
            OpenApiParameter(
                "Prefer", OpenApiTypes.STR, location=OpenApiParameter.HEADER, pattern=r"^wait=\d{1,2}$",
                description="`wait=10` is another way to say `wait`.",
            )
        ],
        responses={
            200: OpenApiResponse(AskedShape, description="The reply has ended, or a person will answer."),
            202: OpenApiResponse(AskedShape, description="The reply is on its way: read it, or follow its stream."),
        },
    )  # fmt: skip
    @requires(Scope.ANSWERS_WRITE, atomic=False)
    def post(self, request: ApiRequest, conversation_id: UUID) -> Response | Later:
        """Answers 202 at once. With `wait` it answers 200 when the reply has ended within that many seconds."""
        given = read_input(QuestionInput, request)
        preferred = preferred_wait(request, most=MAX_WAIT_SECONDS)
        seconds = given.get("wait", preferred or 0)
        tenant_id, self.idempotency_subject = request.auth.tenant_id, conversation_id
        posted = receive(
            from_api_client(
                tenant_id=tenant_id,
                conversation_id=conversation_id,
                client_id=_client_id(request),
                body=given["body"],
                parameters=given.get("parameters", RequestParameters()),
            )
        )
        applied = preferred if "wait" not in given else None
        answer = partial(_asked_response, tenant_id, posted, applied_wait=applied)
        if posted.reply is None or seconds == 0:
            return answer(posted.reply is None)
        followed = FollowedReply(
            tenant_id=tenant_id, conversation_id=conversation_id, reply_id=posted.reply.id, read_answer=nothing_of
        )
        return Later(partial(has_ended_within, followed, seconds), answer)


class ReplyView(ApiView):
    """`/api/v1/conversations/{id}/replies/{id}`."""

    @extend_schema(operation_id="read_reply", summary="Read a reply", responses=ReplyShape)
    @requires(Scope.CONVERSATIONS_READ)
    def get(self, request: ApiRequest, conversation_id: UUID, reply_id: UUID) -> Response:
        """Its state, and the answer once there is one."""
        return Response(ReplyShape.of(_reply(conversation_id, reply_id)).as_json())


class StopView(ApiView):
    """`/api/v1/conversations/{id}/replies/{id}/stop`."""

    @extend_schema(operation_id="stop_reply", summary="Stop writing a reply", request=None, responses={202: ReplyShape})
    @requires(Scope.ANSWERS_WRITE)
    def post(self, request: ApiRequest, conversation_id: UUID, reply_id: UUID) -> Response:
        """What was written is kept and marked as stopped; a reply that has ended is left alone."""
        reply = _reply(conversation_id, reply_id)
        if not rules_of(reply.conversation.channel).is_open_to_api_clients:
            raise NotFound
        self.idempotency_subject = conversation_id
        stop_reply(tenant_id=request.auth.tenant_id, conversation_id=conversation_id, reply_id=reply_id)
        return Response(ReplyShape.of(_reply(conversation_id, reply_id)).as_json(), status=202)


class StreamView(WaitingApiView):
    """`/api/v1/conversations/{id}/replies/{id}/stream`."""

    content_negotiation_class = EventsOrJson

    @extend_schema(
        operation_id="follow_reply",
        summary="Follow a reply as it is written",
        parameters=[
            OpenApiParameter(
                "Last-Event-ID", OpenApiTypes.STR, location=OpenApiParameter.HEADER,
                description="The `id` of the last event that was received, to go on behind it.",
            )
        ],
        responses={
            (200, "text/event-stream"): OpenApiResponse(
                ReplyEventShape, description="Events `reply`, `phase`, `delta`, and last `done` or `failed`."
            )
        },
    )  # fmt: skip
    @requires(Scope.CONVERSATIONS_READ, atomic=False)
    def get(self, request: ApiRequest, conversation_id: UUID, reply_id: UUID) -> HttpResponseBase:
        """Server-sent events; see docs/api.md for each."""
        with tenant_atomic(request.auth.tenant_id):
            _reply(conversation_id, reply_id)
        followed = FollowedReply(
            tenant_id=request.auth.tenant_id,
            conversation_id=conversation_id,
            reply_id=reply_id,
            read_answer=describe_answer,
        )
        after = clean_cursor(request.headers.get("Last-Event-ID"))
        events = reply_events(followed, after=after, language=get_language() or "en")
        response = StreamingHttpResponse(events, content_type="text/event-stream")
        # Nginx would hold the events back until its buffer is full.
        response["X-Accel-Buffering"] = "no"
        return response


def _filtered(request: ApiRequest) -> QuerySet[Conversation]:
    rows: QuerySet[Conversation] = Conversation.objects.filter(deleted_at__isnull=True)
    for name, known in (*FILTERS.items(), ("stage", Stage.values)):
        wanted = request.query_params.get(name)
        if wanted is None:
            continue
        if wanted not in known:
            raise InvalidInput(
                _("“%(name)s” must be one of: %(values)s.") % {"name": name, "values": ", ".join(known)}, parameter=name
            )
        rows = rows.filter(STAGES[Stage(wanted)]) if name == "stage" else rows.filter(**{name: wanted})
    label = request.query_params.get("label")
    if label is not None:
        if "\x00" in label:
            return rows.none()
        rows = rows.filter(Exists(Labelling.objects.filter(conversation=OuterRef("id"), label__name__iexact=label)))
    customer = request.query_params.get("customer")
    if customer is not None:
        if not customer or "\x00" in customer:
            return rows.none()
        rows = rows.filter(visitor__reference=customer)
    return rows.select_related("visitor", "assignee", "survey").prefetch_related(labels_prefetched())


def _reply(conversation_id: UUID, reply_id: UUID) -> Reply:
    reply: Reply | None = (
        Reply.objects.filter(id=reply_id, conversation_id=conversation_id, conversation__deleted_at__isnull=True)
        .select_related("conversation")
        .first()
    )
    if reply is None:
        raise NotFound
    return reply


def _asked_response(tenant_id: UUID, posted: PostedMessage, has_ended: bool, *, applied_wait: int | None) -> Response:
    """The stored question and its reply as they are now."""
    with tenant_atomic(tenant_id):
        asked = AskedShape.now(posted.message.id, posted.reply.id if posted.reply else None)
    response = Response(asked.as_json(), status=200 if has_ended else 202)
    if posted.reply is not None:
        response["Location"] = reverse("conversations_api:reply", args=[posted.conversation.id, posted.reply.id])
    if applied_wait is not None:
        response["Preference-Applied"] = f"wait={applied_wait}"
    return response


def _client_id(request: ApiRequest) -> UUID:
    """The message's own guard against doubling: a request that is carried out again after a crash finds its message."""
    key = request.headers.get(HEADER)
    return uuid.uuid4() if key is None else uuid.uuid5(request.auth.key_id, key)
