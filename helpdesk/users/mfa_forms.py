"""allauth's forms of the second step, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm as AllauthAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AllauthReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _

from helpdesk.users.attempts import count_code
from helpdesk.users.lockout import report_stop
from helpdesk.users.models import User

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"}


class ActivateForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new app proves that it works."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code from the app"))


class AuthenticateForm(AllauthAuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""

    def clean_code(self) -> str:
        with _counted(self.user):
            return str(super().clean_code())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code from your app, or a recovery code"))
        self.fields["code"].widget.attrs["autofocus"] = True


class ReauthenticateForm(AllauthReauthenticateForm):  # type: ignore[misc]
    """The same for somebody who is signed in."""

    def clean_code(self) -> str:
        with _counted(self.user):
            return str(super().clean_code())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _code_field(_("Code from your app, or a recovery code"))


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A security key's name, and what the browser says of it."""

    def clean(self) -> Any:
        with _well_formed():
            return super().clean()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key")
        self.fields["name"].max_length = 60


class AuthenticateKeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """What a security key says when somebody signs in."""

    @property
    def is_offered(self) -> bool:
        """Whether the person has a security key at all."""
        keys = Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN)
        return bool(keys.exists())

    def clean_credential(self) -> Any:
        with _well_formed():
            return super().clean_credential()


class ReauthenticateKeyForm(ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """The same for somebody who is signed in."""

    def clean_credential(self) -> Any:
        with _well_formed():
            return super().clean_credential()


@contextmanager
def _counted(user: User) -> Iterator[None]:
    """A code is counted as a wrong one until it proves right."""
    attempt = count_code(context.request, user.email)
    if attempt is None:
        report_stop(user.email)
        raise get_account_adapter().validation_error("too_many_login_attempts")
    yield
    attempt.take_back()


@contextmanager
def _well_formed() -> Iterator[None]:
    """What no browser sends is a wrong key and no error of ours: fido2 reads its parts without asking whether they are there."""
    try:
        yield
    except (KeyError, AttributeError, TypeError, ValueError):
        raise get_adapter().validation_error("incorrect_code") from None


def _code_field(label: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs=CODE))
