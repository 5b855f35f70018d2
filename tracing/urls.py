"""The desk's pages about traces."""

from __future__ import annotations

from django.urls import path

from tracing import audit_views, export_views, retention_views, views
from tracing.compare_views import compare_answers

app_name = "tracing"
urlpatterns = [
    path("<slug:tenant_slug>/traces/", views.trace_list, name="list"),
    path("<slug:tenant_slug>/traces/export.csv", export_views.export_csv, name="export_csv"),
    path("<slug:tenant_slug>/traces/export.jsonl", export_views.export_jsonl, name="export_jsonl"),
    path("<slug:tenant_slug>/traces/retention/", retention_views.retention, name="retention"),
    path("<slug:tenant_slug>/traces/holds/<uuid:conversation_id>/", retention_views.hold, name="hold"),
    path(
        "<slug:tenant_slug>/traces/holds/<uuid:conversation_id>/change/",
        retention_views.change_hold,
        name="change_hold",
    ),
    path("<slug:tenant_slug>/audit/", audit_views.audit, name="audit"),
    path("<slug:tenant_slug>/audit/export.csv", audit_views.audit_csv, name="audit_csv"),
    path("<slug:tenant_slug>/traces/compare/", compare_answers, name="compare"),
    path("<slug:tenant_slug>/traces/<uuid:reply_id>/", views.report, name="report"),
    path("<slug:tenant_slug>/traces/<uuid:reply_id>/drawer/", views.drawer, name="drawer"),
    path("<slug:tenant_slug>/traces/<uuid:reply_id>/open/", views.open_report, name="open"),
    path("<slug:tenant_slug>/traces/<uuid:reply_id>/analyse/", views.analyse, name="analyse"),
    path("<slug:tenant_slug>/traces/<uuid:reply_id>/export/", export_views.export_one, name="export_one"),
    path("<slug:tenant_slug>/traces/<uuid:reply_id>/jobs/", views.jobs, name="jobs"),
]
