"""The endpoints of traces, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from tracing.api import export_views, views

app_name = "traces_api"
urlpatterns = [
    path("traces", views.TracesView.as_view(), name="traces"),
    path("traces/verify", views.VerifyView.as_view(), name="verify"),
    path("traces/export.csv", export_views.CsvView.as_view(), name="export_csv"),
    path("traces/export.jsonl", export_views.JsonlView.as_view(), name="export_jsonl"),
    path("traces/<uuid:trace_id>", views.TraceView.as_view(), name="trace"),
    path("traces/<uuid:trace_id>/content", views.ContentView.as_view(), name="content"),
    path("traces/<uuid:trace_id>/analyses", views.AnalysesView.as_view(), name="analyses"),
    path("traces/<uuid:trace_id>/feedback", views.FeedbackView.as_view(), name="feedback"),
]
