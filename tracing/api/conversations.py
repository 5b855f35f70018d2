"""A conversation's own address: reading comes from below, deleting concerns its traces."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from conversations.api.views import ConversationView
from helpdesk.api.views import ApiRequest, requires
from helpdesk.api_keys.scopes import Scope
from tracing.forget import forget_conversation


class DeletableConversationView(ConversationView):
    """`/api/v1/conversations/{id}` with DELETE."""

    @extend_schema(
        operation_id="delete_conversation",
        summary="Delete a conversation for good",
        request=None,
        responses={204: None},
    )
    @requires(Scope.CONVERSATIONS_WRITE)
    def delete(self, request: ApiRequest, conversation_id: UUID) -> Response:
        """Its words go, and its traces' content with them. While a legal hold keeps it: 409 `legal_hold`."""
        forget_conversation(conversation_id)
        return Response(status=204)
