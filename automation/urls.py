"""The desk's pages of rules."""

from __future__ import annotations

from django.urls import path

from automation import views

app_name = "automation"
urlpatterns = [
    path("<slug:tenant_slug>/rules/", views.rules, name="list"),
    path("<slug:tenant_slug>/rules/new/", views.edit, name="new"),
    path("<slug:tenant_slug>/rules/<uuid:rule_id>/", views.edit, name="edit"),
    path("<slug:tenant_slug>/rules/<uuid:rule_id>/switch/", views.switch, name="switch"),
    path("<slug:tenant_slug>/rules/<uuid:rule_id>/delete/", views.delete, name="delete"),
]
