"""allauth's forms of the second step, in our words."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"}


class ActivateForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new app proves that it works."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code from the app"))


class AuthenticateForm(AllauthAuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code from your app, or a recovery code"))
        self.fields["code"].widget.attrs["autofocus"] = True


class ReauthenticateForm(AllauthReauthenticateForm):  # type: ignore[misc]
    """The same for somebody who is signed in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code from your app, or a recovery code"))


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A security key's name, and what the browser says of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key")
        self.fields["name"].max_length = 60


def _code_field(label: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs=CODE))
