"""The one address of `conversations.api` that needs traces."""

from __future__ import annotations

from django.urls import path

from tracing.api.conversations import DeletableConversationView

app_name = "deletable_conversations"
urlpatterns = [
    path("conversations/<uuid:conversation_id>", DeletableConversationView.as_view(), name="conversation"),
]
