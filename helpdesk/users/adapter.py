"""How allauth behaves here: people join by invitation, nobody signs up alone, and guessing is limited."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse

from helpdesk.users import attempts
from helpdesk.users.lockout import report_stop
from helpdesk.users.models import User
from helpdesk.users.queries import account_of
from helpdesk.users.sessions import COMPANY_ENTRY, company_of
from helpdesk.users.sign_ins import note_sign_in
from helpdesk.web.client_address import client_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Closed sign-up, our limits on wrong passwords; everything else as allauth does it."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts an attempt as a wrong one until the password proves right. Raises ValidationError above a limit."""
        # A session that a company's provider began belongs to the account again.
        request.session.pop(COMPANY_ENTRY, None)
        self._attempt = attempts.count_attempt(request, credentials.get("email", ""))
        if self._attempt is None:
            report_stop(credentials.get("email", ""))
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The account whose own address was given: allauth would take any further address that it has a row of."""
        user: User | None = super().authenticate(request, **credentials)
        return user if user is not None and user == account_of(credentials.get("email", "")) else None

    def _rollback_login_failed_rl_usage(self) -> None:
        if self._attempt is not None:
            self._attempt.take_back()

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        note_sign_in(request, user)

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **details)
        # A company's provider proves no password: each cookie more would be ten guesses more at the account's own.
        if company_of(request.session) is None:
            attempts.remember_browser(response, user.email)
        return response
