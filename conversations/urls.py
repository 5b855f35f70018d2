"""The desk's pages about conversations."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from conversations import assistant_views, views
from conversations.hand_off import ownership_views
from conversations.hand_off import views as hand_off_views
from conversations.identity import views as identity_views
from conversations.inbox import canned_views, label_views, macro_views, staffing_views
from conversations.inbox import views as inbox_views
from conversations.opening import views as opening_views
from conversations.pre_chat import views as pre_chat_views
from conversations.widget import settings_views as widget_views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("tenants/", views.tenants, name="tenants"),
    path("<slug:tenant_slug>/", RedirectView.as_view(pattern_name="desk:inbox")),
    path("<slug:tenant_slug>/assistant/", assistant_views.assistant, name="assistant"),
    path("<slug:tenant_slug>/widget/", widget_views.widget, name="widget"),
    path("<slug:tenant_slug>/widget/identity/", identity_views.keys, name="identity_keys"),
    path("<slug:tenant_slug>/widget/identity/<uuid:key_id>/revoke/", identity_views.revoke, name="revoke_identity_key"),
    path("<slug:tenant_slug>/widget/hours/", opening_views.opening_hours, name="opening_hours"),
    path("<slug:tenant_slug>/widget/before/", pre_chat_views.pre_chat, name="pre_chat"),
    path("<slug:tenant_slug>/hand-off/", hand_off_views.rules, name="hand_off_rules"),
    path("<slug:tenant_slug>/inbox/", inbox_views.inbox, name="inbox"),
    path("<slug:tenant_slug>/inbox/rows/", inbox_views.inbox_rows, name="inbox_rows"),
    path("<slug:tenant_slug>/inbox/act/", inbox_views.act, name="act"),
    path("<slug:tenant_slug>/inbox/people/", inbox_views.people, name="people_to_mention"),
    path("<slug:tenant_slug>/inbox/views/", inbox_views.save_view, name="save_view"),
    path("<slug:tenant_slug>/inbox/views/<uuid:view_id>/delete/", inbox_views.delete_view, name="delete_view"),
    path("<slug:tenant_slug>/labels/", label_views.labels, name="labels"),
    path("<slug:tenant_slug>/labels/<uuid:label_id>/", label_views.change, name="change_label"),
    path("<slug:tenant_slug>/labels/<uuid:label_id>/delete/", label_views.delete, name="delete_label"),
    path("<slug:tenant_slug>/macros/", macro_views.macros_page, name="macros"),
    path("<slug:tenant_slug>/macros/<uuid:macro_id>/", macro_views.change, name="change_macro"),
    path("<slug:tenant_slug>/macros/<uuid:macro_id>/delete/", macro_views.delete, name="delete_macro"),
    path("<slug:tenant_slug>/presence/", staffing_views.presence, name="presence"),
    path("<slug:tenant_slug>/teams/", staffing_views.teams_page, name="teams"),
    path("<slug:tenant_slug>/teams/assignment/", staffing_views.assignment, name="assignment"),
    path("<slug:tenant_slug>/teams/<uuid:team_id>/", staffing_views.change, name="change_team"),
    path("<slug:tenant_slug>/teams/<uuid:team_id>/up/", staffing_views.up, name="move_team_up"),
    path("<slug:tenant_slug>/teams/<uuid:team_id>/delete/", staffing_views.delete, name="delete_team"),
    path("<slug:tenant_slug>/canned-replies/", canned_views.replies, name="canned_replies"),
    path("<slug:tenant_slug>/canned-replies/<uuid:reply_id>/", canned_views.change, name="change_canned_reply"),
    path("<slug:tenant_slug>/canned-replies/<uuid:reply_id>/delete/", canned_views.delete, name="delete_canned_reply"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/canned/", canned_views.offered, name="offered_replies"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/updates/", views.updates, name="updates"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/reply/", views.reply, name="reply"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/draft/", views.draft, name="draft"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/take/", ownership_views.take, name="take"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/hand-back/", ownership_views.hand_back, name="hand_back"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/close/", ownership_views.close, name="close"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/reopen/", ownership_views.reopen, name="reopen"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/writing/", ownership_views.write, name="writing"),
    path("<slug:tenant_slug>/inbox/<uuid:conversation_id>/notes/", ownership_views.note, name="note"),
]
