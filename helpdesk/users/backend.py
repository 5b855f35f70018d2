"""Who signs in: the account whose own address was given. No other address opens an account."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from helpdesk.users.models import User
from helpdesk.users.queries import account_of


class AddressBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's, which takes as long for an unknown address as for a wrong password, without its further addresses."""

    def _authenticate_by_email(self, email: str, password: str) -> User | None:
        user: User | None = self._check_password(account_of(email), password)
        return user
