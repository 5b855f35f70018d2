"""What the widget's frame loads over HTTP."""

from __future__ import annotations

from django.urls import path

from conversations.widget import views

app_name = "widget"
urlpatterns = [
    path("<slug:tenant_slug>/frame", views.frame, name="frame"),
    path("<slug:tenant_slug>/session", views.SessionView.as_view(), name="session"),
    path("<slug:tenant_slug>/passages/<uuid:chunk_id>", views.PassageView.as_view(), name="passage"),
    path("<slug:tenant_slug>/details", views.DetailsView.as_view(), name="details"),
    path("<slug:tenant_slug>/conversations", views.ConversationsView.as_view(), name="conversations"),
    path(
        "<slug:tenant_slug>/conversations/<uuid:conversation_id>",
        views.ConversationView.as_view(),
        name="conversation",
    ),
    path("<slug:tenant_slug>/conversations/<uuid:conversation_id>/rating", views.RatingView.as_view(), name="rating"),
    path(
        "<slug:tenant_slug>/conversations/<uuid:conversation_id>/transcript",
        views.TranscriptView.as_view(),
        name="transcript",
    ),
    path("<slug:tenant_slug>/messages/<uuid:message_id>/feedback", views.FeedbackView.as_view(), name="feedback"),
]
