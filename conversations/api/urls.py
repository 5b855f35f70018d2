"""What API clients call about conversations. One address with DELETE, the conversation's own, is in `tracing.api`."""

from __future__ import annotations

from django.urls import path

from conversations.api import views
from conversations.api.stats import StatsView

app_name = "conversations_api"
_CONVERSATION = "conversations/<uuid:conversation_id>"
_REPLY = f"{_CONVERSATION}/replies/<uuid:reply_id>"
urlpatterns = [
    path("conversations", views.ConversationsView.as_view(), name="conversations"),
    path(f"{_CONVERSATION}/messages", views.MessagesView.as_view(), name="messages"),
    path(_REPLY, views.ReplyView.as_view(), name="reply"),
    path(f"{_REPLY}/stop", views.StopView.as_view(), name="stop"),
    path(f"{_REPLY}/stream", views.StreamView.as_view(), name="stream"),
    path("stats", StatsView.as_view(), name="stats"),
]
