"""The desk's pages about running it."""

from __future__ import annotations

from django.urls import path

from helpdesk.operations import views

app_name = "operations"
urlpatterns = [path("<slug:tenant_slug>/models/", views.models, name="models")]
