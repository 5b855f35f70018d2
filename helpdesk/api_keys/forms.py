"""The form that makes a key."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.api_keys.domain import MOST_REQUESTS_PER_MINUTE, NAME_CHARACTERS
from helpdesk.api_keys.scopes import Scope

LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("One year")), ("", _("Until revoked"))]


class ApiKeyForm(forms.Form):
    """Name, scopes, lifetime and limit of a new key."""

    name = forms.CharField(
        label=_("Name"),
        max_length=NAME_CHARACTERS,
        help_text=_("The software that uses it, for example “Shop backend”."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    lifetime = forms.ChoiceField(label=_("Valid for"), choices=LIFETIMES, required=False, initial="90")
    requests_per_minute = forms.IntegerField(
        label=_("Requests per minute"),
        required=False,
        min_value=1,
        max_value=MOST_REQUESTS_PER_MINUTE,
        help_text=_("Leave empty for the default limit."),
    )

    def expires_at(self) -> datetime | None:
        """When a key of this form expires."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None
