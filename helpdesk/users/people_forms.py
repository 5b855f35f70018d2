"""The forms of the page about people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpdesk.users.people import may_give
from helpdesk.users.roles import ROLE_NAMES, ROLE_NOTES


def role_choices(giver: str) -> list[tuple[str, str]]:
    """The roles that somebody of that role may give, each with what it means."""
    return [(role.value, f"{name}: {ROLE_NOTES[role]}") for role, name in ROLE_NAMES.items() if may_give(giver, role)]


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, giver: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = role_choices(giver)  # type: ignore[attr-defined]


class InvitationForm(RoleForm):
    """Whom to invite as what."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    name = forms.CharField(label=_("Name"), max_length=120, required=False, help_text=_("They can change it."))
    field_order = ["email", "name", "role"]
