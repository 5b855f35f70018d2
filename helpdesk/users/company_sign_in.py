"""Signing in by a company's own provider (OpenID Connect), which vouches for its own company's people and for nothing else.

The protocol is allauth's. What the provider said is read here: an address that it has verified, of a member or of somebody who
is invited. The session that follows knows that one company, whatever else the person belongs to, and no page of the account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import structlog
from allauth.account.adapter import get_adapter
from allauth.account.utils import perform_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from helpdesk.errors import Forbidden, GlassdeskError, NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.queries import tenant_by_slug
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.email_addresses import canonical
from helpdesk.users.invitations import InvitationGone, accept_vouched_for
from helpdesk.users.models import Membership, User
from helpdesk.users.queries import account_of
from helpdesk.users.sessions import COMPANY_ENTRY, company_of

# Of the account's pages a session of a company's provider sees these alone.
OPEN_PAGES = {"/accounts/logout/", "/accounts/login/", "/accounts/2fa/authenticate/"}
PREFIX = "/accounts/company/"

logger = structlog.get_logger(__name__)


class NotVouchedFor(Forbidden):
    """The provider does not say that somebody has the address."""

    code = "not_vouched_for"
    message = _("Your company's sign-in did not confirm your e-mail address, so nobody can be signed in with it.")


class NotOfThisCompany(Forbidden):
    """Neither a member nor invited; an account that is switched off looks the same."""

    code = "not_of_this_company"
    message = _("Your company's sign-in worked, but you are not on this desk yet. Ask an owner or admin to invite you.")


class ManagedByCompany(Forbidden):
    """A session of a company's provider does not change the account, which may belong to other companies too."""

    code = "managed_by_company"
    message = _(
        "You signed in through your company. To change your account itself, sign out and sign in with its password."
    )


class CompanyAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """allauth brings the protocol; who is signed in is decided here, and nothing of it is kept in allauth's tables."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Always answers itself: allauth's own ways from here would connect accounts across companies."""
        raise ImmediateHttpResponse(_signed_in(request, sociallogin))

    def on_authentication_error(self, request: HttpRequest, provider: Any, **details: Any) -> None:
        logger.warning("company_sign_in_failed", error=type(details.get("exception")).__name__)
        raise ImmediateHttpResponse(render(request, "account/company_trouble.html", {"error": None}, status=403))


@sync_and_async_middleware
def only_one_company(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Whoever came by a company's provider sees that company only, and none of the account's pages."""

    async def answer_later(request: HttpRequest) -> HttpResponseBase:
        refusal = await sync_to_async(_refusal)(request) if _is_closed(request.path) else None
        return refusal or await get_response(_limited(request))

    def answer(request: HttpRequest) -> HttpResponseBase:
        refusal = _refusal(request) if _is_closed(request.path) else None
        return refusal or get_response(_limited(request))

    return answer_later if iscoroutinefunction(get_response) else answer


def offered(request: HttpRequest) -> dict[str, bool]:
    """For templates: whether any company has a provider."""
    return {"company_sign_in": bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])}


def _is_closed(path: str) -> bool:
    return path.startswith("/accounts/") and not (path in OPEN_PAGES or path.startswith(PREFIX))


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if company_of(request.session) is None:
        return None
    return render(request, "error.html", {"error": ManagedByCompany()}, status=ManagedByCompany.status)


def _limited(request: HttpRequest) -> HttpRequest:
    """The request with its person, once somebody asks who it is, as far as the session is for them."""
    user = request.user

    def person() -> Any:
        if user.is_authenticated:
            user.only_in = company_of(request.session)
        return user

    request.user = SimpleLazyObject(person)  # type: ignore[assignment]
    return request


def _signed_in(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    try:
        tenant = tenant_by_slug(sociallogin.account.provider)
        user = _person(tenant, sociallogin.account.extra_data)
    except GlassdeskError as error:
        logger.warning("company_sign_in_refused", code=error.code)
        return render(request, "account/company_trouble.html", {"error": error}, status=403)
    if request.user.is_authenticated:
        get_adapter(request).logout(request)
    request.session[COMPANY_ENTRY] = str(tenant.id)
    desk = reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug})
    response: HttpResponse = perform_login(request, user, email_verification="none", redirect_url=desk)
    logger.info("company_sign_in", tenant_id=str(tenant.id), user_id=user.pk)
    return response


def _person(tenant: Tenant, said: dict[str, Any]) -> User:
    """Whom the provider vouches for, a member from now on. Raises NotVouchedFor and NotOfThisCompany."""
    claims = _claims(said)
    email, account = canonical(claims["email"]), account_of(claims["email"])
    if account is not None and not account.is_active:
        raise NotOfThisCompany
    with tenant_atomic(tenant.id):
        if account is not None and Membership.objects.filter(user=account).exists():
            return account
        try:
            return accept_vouched_for(tenant, email=email, name=str(claims.get("name") or ""))
        except (InvitationGone, NotFound):
            raise NotOfThisCompany from None


def _claims(said: dict[str, Any]) -> dict[str, Any]:
    """The claims that name a verified address: the ID token's, else those of the provider's page about the same person."""
    token, page = said.get("id_token") or {}, said.get("userinfo") or {}
    if not token.get("sub") or (page and page.get("sub") != token["sub"]):
        raise NotVouchedFor
    for claims in (token, page):
        if isinstance(claims.get("email"), str) and claims.get("email_verified") is True:
            return dict(claims)
    raise NotVouchedFor


def provider_name(slug: str) -> str | None:
    """What the company's provider is called; None where it has none."""
    apps = cast(list[dict[str, Any]], settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])
    return next((str(each["name"]) for each in apps if each["provider_id"] == slug), None)
