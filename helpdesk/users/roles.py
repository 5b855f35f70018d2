"""Roles in people's words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.permissions import Role

ROLE_NAMES = {
    Role.OWNER: _("Owner"),
    Role.ADMIN: _("Admin"),
    Role.EDITOR: _("Editor"),
    Role.REVIEWER: _("Reviewer"),
    Role.AGENT: _("Agent"),
    Role.VIEWER: _("Viewer"),
}
ROLE_NOTES = {
    Role.OWNER: _("everything, including other owners"),
    Role.ADMIN: _("everything except owners"),
    Role.EDITOR: _("writes and publishes articles"),
    Role.REVIEWER: _("answers customers and opens reports"),
    Role.AGENT: _("answers customers"),
    Role.VIEWER: _("reads, changes nothing"),
}


def role_name(role: str) -> str:
    """The role's name in the reader's language; what is none stands for itself."""
    return str(ROLE_NAMES[Role(role)]) if role in list(Role) else role
