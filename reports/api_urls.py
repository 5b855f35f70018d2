"""What API clients call about reports."""

from __future__ import annotations

from django.urls import path

from reports.api import ReportView

app_name = "reports_api"
urlpatterns = [path("reports", ReportView.as_view(), name="reports")]
