"""The desk's pages about conversations."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from conversations import assistant_views, inbox_views, label_views, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("tenants/", views.tenants, name="tenants"),
    path("<slug:tenant_slug>/", RedirectView.as_view(pattern_name="desk:inbox")),
    path("<slug:tenant_slug>/assistant/", assistant_views.assistant, name="assistant"),
    path("<slug:tenant_slug>/inbox/", inbox_views.inbox, name="inbox"),
    path("<slug:tenant_slug>/inbox/rows/", inbox_views.inbox_rows, name="inbox_rows"),
    path("<slug:tenant_slug>/inbox/act/", inbox_views.act, name="act"),
    path("<slug:tenant_slug>/inbox/views/", inbox_views.save_view, name="save_view"),
    path("<slug:tenant_slug>/inbox/views/<uuid:view_id>/delete/", inbox_views.delete_view, name="delete_view"),
    path("<slug:tenant_slug>/labels/", label_views.labels, name="labels"),
    path("<slug:tenant_slug>/labels/<uuid:label_id>/", label_views.change, name="change_label"),
    path("<slug:tenant_slug>/labels/<uuid:label_id>/delete/", label_views.delete, name="delete_label"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/updates/", views.updates, name="updates"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/reply/", views.reply, name="reply"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/hand-back/", views.hand_back, name="hand_back"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/close/", views.close, name="close"),
]
