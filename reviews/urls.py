"""The desk's pages about reviews."""

from __future__ import annotations

from django.urls import path

from reviews import export_views, finding_views, rule_views, views

app_name = "reviews"
urlpatterns = [
    path("<slug:tenant_slug>/reviews/", views.overview, name="overview"),
    path("<slug:tenant_slug>/reviews/next/", views.next_answer, name="next"),
    path("<slug:tenant_slug>/reviews/found/", finding_views.found, name="found"),
    path("<slug:tenant_slug>/reviews/export/", export_views.export, name="export"),
    path("<slug:tenant_slug>/reviews/rules/", rule_views.rules, name="rules"),
    path("<slug:tenant_slug>/reviews/<uuid:item_id>/verdict/", views.verdict, name="verdict"),
    path("<slug:tenant_slug>/reviews/<uuid:item_id>/skip/", views.skip, name="skip"),
    path("<slug:tenant_slug>/reviews/<uuid:item_id>/undo/", views.undo, name="undo"),
]
