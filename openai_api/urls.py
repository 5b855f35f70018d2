"""Addresses below /v1/. OpenAI's clients write them without a slash at their end; with one they are the same."""

from __future__ import annotations

from django.urls import re_path

from openai_api import views

app_name = "openai_api"
urlpatterns = [
    re_path(r"^chat/completions/?$", views.chat_completions, name="chat_completions"),
    re_path(r"^models/?$", views.models, name="models"),
    re_path(r"^models/(?P<name>.+?)/?$", views.model, name="model"),
    re_path(r"^", views.unknown_route),
]
