"""Websocket routes."""

from __future__ import annotations

from typing import Any

from django.urls import path, re_path

from conversations.sockets.desk import DeskConsumer
from conversations.sockets.ending import EndsWithSession
from conversations.sockets.widget import WidgetConsumer
from helpdesk.web.sockets import unknown_path

agents: Any = EndsWithSession(DeskConsumer.as_asgi())
websocket_urlpatterns = [
    path("ws/widget/<slug:tenant_slug>/", WidgetConsumer.as_asgi()),
    path("ws/desk/<slug:tenant_slug>/", agents),
    path("ws/desk/<slug:tenant_slug>/<uuid:conversation_id>/", agents),
    re_path("", unknown_path),  # type: ignore[arg-type]  # to an application, for Channels
]
