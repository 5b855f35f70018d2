"""The desk's page about people."""

from __future__ import annotations

from django.urls import path

from helpdesk.users import people_views as views

app_name = "people"
urlpatterns = [
    path("<slug:tenant_slug>/people/", views.people, name="list"),
    path("<slug:tenant_slug>/people/<uuid:membership_id>/role/", views.role, name="role"),
    path("<slug:tenant_slug>/people/<uuid:membership_id>/remove/", views.remove, name="remove"),
    path("<slug:tenant_slug>/people/second-step/", views.second_step, name="second_step"),
    path("<slug:tenant_slug>/people/invitations/<uuid:invitation_id>/resend/", views.resend, name="resend"),
    path("<slug:tenant_slug>/people/invitations/<uuid:invitation_id>/revoke/", views.revoke, name="revoke"),
]
