"""The desk's page about API keys."""

from __future__ import annotations

from django.urls import path

from helpdesk.api_keys import views

app_name = "api_keys"
urlpatterns = [
    path("<slug:tenant_slug>/api-keys/", views.keys, name="list"),
    path("<slug:tenant_slug>/api-keys/<uuid:key_id>/revoke/", views.revoke, name="revoke"),
]
