"""Wrong passwords: limited for an address, for an account, and for both together.

Nobody is kept from their account by what others try elsewhere: a browser in which a person has signed in before is known by
a signed cookie and counted by itself (OWASP's device cookies), and others are stopped at their own address long before the
account's limit. What cannot be counted is refused: without Redis nobody signs in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.translation import gettext_lazy as _

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
    # Codes of the second step, for one account from everywhere, besides allauth's five in five minutes.
    "code-day": "50/86400s/key",
    # Ways to a company's provider, each of which asks it something.
    "company": "120/60s/key",
}
# How long an unlocked account's name has its addition: as long as the longest of the limits.
UNLOCKED_SECONDS = 86_400
NOT_NOW = _("Signing in is paused for a moment: a part of this server does not answer. Try again in a minute.")


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
    account = _account(email)
    browser = _known_browser(request, _name(canonical_or_empty(email) or email))
    address = client_address(request)
    here = f"{account}:{browser or address}"
    keys = {"here": here, "here-hour": here}
    if not browser:
        keys |= {"address": address, "address-hour": address, "account-hour": account}
    return _count(request, keys)


def count_code(request: HttpRequest, email: str) -> Attempt | None:
    """Count one code of the second step; None above the limit."""
    return _count(request, {"code-day": _account(email)})


def count_way(request: HttpRequest) -> Attempt | None:
    """Count one way to a company's provider and back, of an address; None above the limit."""
    return _count(request, {"company": client_address(request)})


def is_counting() -> bool:
    """Whether attempts can be counted now."""
    return bool(cache.is_there())  # type: ignore[attr-defined]


def refuse_uncounted() -> None:
    """Raises ValidationError while nothing can be counted."""
    if not is_counting():
        raise ValidationError(NOT_NOW, code="not_now")


def begin_anew(request: HttpRequest, email: str, user_id: int) -> None:
    """Forget what was counted for the account, from every address and in every browser. Addresses stay limited."""
    name = _name(canonical_or_empty(email) or email)
    cache.set(f"unlocked:{name}", get_random_string(8), UNLOCKED_SECONDS)
    cache.delete(f"stopped:{name}")
    # allauth's own count of codes, under the key that it uses.
    ratelimit.clear(request, app="allauth.account", action="login_failed", key=f"mfa-auth-user-{user_id}")


def is_first_stop(email: str) -> bool:
    """Whether attempts for that address were stopped just now for the first time in an hour."""
    return bool(cache.add(f"stopped:{_name(canonical_or_empty(email) or email)}", True, 3600))


def _count(request: HttpRequest, keys: dict[str, str]) -> Attempt | None:
    refuse_uncounted()
    attempt = Attempt()
    for limit, key in keys.items():
        usage = ratelimit.consume(request, app="glassdesk.sign-in", action=limit, config=RATES, key=key, limit_get=True)
        if usage is None:
            return None
        attempt.usages.append(usage)
    return attempt


def _account(email: str) -> str:
    """The account in keys of counts; another one once it was unlocked."""
    name = _name(canonical_or_empty(email) or email)
    return name + str(cache.get(f"unlocked:{name}", ""))


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
