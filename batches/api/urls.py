"""The endpoints of batches, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from batches.api import views

app_name = "batches_api"
urlpatterns = [
    path("batches", views.BatchesView.as_view(), name="batches"),
    path("batches/<uuid:batch_id>", views.BatchView.as_view(), name="batch"),
    path("batches/<uuid:batch_id>/cancel", views.CancelView.as_view(), name="cancel"),
    path("batches/<uuid:batch_id>/results", views.ResultsView.as_view(), name="results"),
    path("batches/<uuid:batch_id>/results.jsonl", views.ResultLinesView.as_view(), name="result_lines"),
]
