"""Websocket routes."""

from __future__ import annotations

from django.urls import path

from conversations.sockets.desk import DeskConsumer
from conversations.sockets.ending import EndsWithSession
from conversations.sockets.widget import WidgetConsumer

websocket_urlpatterns = [
    path("ws/widget/<slug:tenant_slug>/", WidgetConsumer.as_asgi()),
    path("ws/desk/<slug:tenant_slug>/", EndsWithSession(DeskConsumer.as_asgi())),
    path("ws/desk/<slug:tenant_slug>/<uuid:conversation_id>/", EndsWithSession(DeskConsumer.as_asgi())),
]
