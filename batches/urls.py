"""The desk's page about batch jobs."""

from __future__ import annotations

from django.urls import path

from batches import views

app_name = "batches"
urlpatterns = [
    path("<slug:tenant_slug>/batches/", views.batch_list, name="list"),
    path("<slug:tenant_slug>/batches/<uuid:batch_id>/cancel/", views.cancel, name="cancel"),
    path("<slug:tenant_slug>/batches/<uuid:batch_id>/results.jsonl", views.results, name="results"),
]
