"""Addresses below /v1/, with and without a slash at their end, as OpenAI's clients write them: without."""

from __future__ import annotations

from django.urls import path, re_path

from openai_api import views

app_name = "openai_api"
urlpatterns = [
    path("chat/completions", views.chat_completions, name="chat_completions"),
    path("models", views.models, name="models"),
    path("models/<path:name>", views.model, name="model"),
    re_path(r"^.*$", views.unknown_route),
]
