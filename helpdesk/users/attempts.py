"""Wrong passwords: limited for an address, for an account, and for both together.

Nobody is kept from their account by what others try elsewhere: a browser in which a person has signed in before is known by
a signed cookie and counted by itself (OWASP's device cookies), and others are stopped at their own address long before the
account's limit. Without Redis nothing is counted (helpdesk.cache).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string, salted_hmac

from helpdesk.users.email_addresses import canonical_or_empty
from helpdesk.web.client_address import client_address

COOKIE = "glassdesk_browser"
COOKIE_SECONDS = 365 * 86_400
SALT = "glassdesk.known-browser"

# Wrong passwords in how many seconds. One address alone is stopped long before it reaches what an account bears.
RATES = {
    "here": "5/300s/key",
    "here-hour": "10/3600s/key",
    "address": "10/60s/key",
    "address-hour": "100/3600s/key",
    "account-hour": "60/3600s/key",
}


@dataclass(slots=True)
class Attempt:
    """One attempt as it was counted."""

    usages: list[Any] = field(default_factory=list)

    def take_back(self) -> None:
        """It was no wrong password."""
        for usage in self.usages:
            usage.rollback()


def count_attempt(request: HttpRequest, email: str) -> Attempt | None:
    """Count one attempt to sign in; None above a limit, and then only the limits before that one have counted it."""
    account = _name(canonical_or_empty(email) or email)
    browser = _known_browser(request, account)
    address = client_address(request)
    here = f"{account}:{browser or address}"
    keys = {"here": here, "here-hour": here}
    if not browser:
        keys |= {"address": address, "address-hour": address, "account-hour": account}
    attempt = Attempt()
    for limit, key in keys.items():
        usage = ratelimit.consume(request, app="glassdesk.sign-in", action=limit, config=RATES, key=key)
        if usage is None:
            return None
        attempt.usages.append(usage)
    return attempt


def remember_browser(response: HttpResponse, email: str) -> None:
    """From now on this browser is known for that account."""
    response.set_cookie(
        COOKIE,
        signing.dumps([_name(email), get_random_string(22)], salt=SALT),
        max_age=COOKIE_SECONDS,
        path="/accounts/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _known_browser(request: HttpRequest, account: str) -> str:
    """The browser's own name when somebody has signed in to that account with it, else empty."""
    try:
        known_for, browser = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, TypeError, ValueError):
        return ""
    return str(browser) if known_for == account else ""


def _name(email: str) -> str:
    """What stands for the account in keys and cookie, which nobody can read the address from."""
    return salted_hmac(SALT, email, algorithm="sha256").hexdigest()
