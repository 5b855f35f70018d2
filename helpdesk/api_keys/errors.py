"""Why an API client is not let in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Forbidden, NotSignedIn


class InvalidApiKey(NotSignedIn):
    """Missing, malformed, unknown, expired and revoked keys all look the same."""

    code = "invalid_api_key"
    message = _("The API key is missing or invalid. Send the header “Authorization: Bearer gd_…” with an active key.")


class ScopeMissing(Forbidden):
    """The key is sound but was not made for this; `scope` names what it lacks."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(
            _("This key doesn't have the “%(scope)s” scope. Use a key that has it, or create one.") % {"scope": scope},
            scope=str(scope),
        )
