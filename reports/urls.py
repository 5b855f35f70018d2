"""The desk's pages of reports."""

from __future__ import annotations

from django.urls import path

from reports import views

app_name = "reports"
urlpatterns = [
    path("<slug:tenant_slug>/reports/", views.reports, name="reports"),
    path("<slug:tenant_slug>/reports/export.csv", views.export, name="export"),
    path("<slug:tenant_slug>/reports/time-zone/", views.time_zone, name="time_zone"),
]
