"""The description of the API, its page, and the state of the service."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from helpdesk.api.docs import DocsView
from helpdesk.api.health import HealthView

app_name = "api"
urlpatterns = [
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("health", HealthView.as_view(), name="health"),
]
