"""The forms of the account pages."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import SetPasswordForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from helpdesk.users.attempts import refuse_uncounted
from helpdesk.users.models import User
from helpdesk.users.queries import account_of


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]
    """A link goes to an account's own address only; whoever has none is told so by mail."""

    def clean_email(self) -> str:
        refuse_uncounted()
        account = account_of(self.cleaned_data["email"])
        self.users = [account] if account and account.is_active else []
        return account.email if account else str(self.cleaned_data["email"])

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        if self.users:
            return str(super().save(request, **kwargs))
        email: str = self.cleaned_data["email"]
        get_adapter().send_mail("account/email/unknown_account", email, {"request": request})
        return email


class JoinForm(SetPasswordForm):  # type: ignore[misc]
    """What a new person says: how colleagues see them, and a password."""

    name = forms.CharField(label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["name", "password1", "password2"]

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(user, *args, initial={"name": user.name}, **kwargs)
