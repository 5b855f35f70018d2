"""The account pages, by name: what is not listed here does not exist, whatever allauth brings along."""

from __future__ import annotations

from allauth.account import views as allauth_views
from django.urls import path, re_path

from helpdesk.users import session_views, views

urlpatterns = [
    path("login/", allauth_views.login, name="account_login"),
    path("logout/", allauth_views.logout, name="account_logout"),
    path("inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("password/change/", allauth_views.password_change, name="account_change_password"),
    path("password/reset/", allauth_views.password_reset, name="account_reset_password"),
    path("password/reset/done/", allauth_views.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        allauth_views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth_views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("sessions/", session_views.sessions, name="account_sessions"),
    path("sessions/others/end/", session_views.end_other_sessions, name="account_end_other_sessions"),
    path("sessions/<uuid:sign_in_id>/end/", session_views.end_session, name="account_end_session"),
    path("invitation/", views.invitation, name="invitation"),
]
