"""The stand-in shops that embed the widget."""

from __future__ import annotations

from django.urls import path

from helpdesk.demo import views

app_name = "demo"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:tenant_slug>/", views.site, name="site"),
]
