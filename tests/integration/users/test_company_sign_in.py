"""A company's own sign-in lets its members and those it invited into that company, and into nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from helpdesk import env
from helpdesk.cache import ForgivingRedisCache
from helpdesk.errors import NotFound
from helpdesk.permissions import Right, Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users import attempts
from helpdesk.users.access import authorise
from helpdesk.users.invitations import invite
from helpdesk.users.models import Invitation, Membership, User
from helpdesk.users.queries import tenants_of
from helpdesk.users.sessions import user_of_session
from tests.factories import PASSWORD, make_tenant, make_user
from tests.integration.users.joining import roles
from tests.integration.users.provider import Provider, running_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def tenant(provider: Provider, settings: Any) -> Tenant:
    """A company with the provider."""
    made = make_tenant("mossgate")
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"APPS": [provider.app("mossgate")], "OAUTH_PKCE_ENABLED": True}
    }
    return made


def vouch(provider: Provider, email: str, **more: Any) -> None:
    provider.changed = {"email": email, "email_verified": True} | more


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_member_is_signed_in(tenant: Tenant, provider: Provider) -> None:
    user, client = make_user(tenant), Client()
    vouch(provider, user.email.upper())
    response = provider.sign_in(client, "mossgate")
    assert response["Location"] == "/desk/mossgate/inbox/"
    assert client.get(response["Location"]).status_code == 200
    assert client.session["_auth_user_id"] == str(user.pk)
    assert SocialAccount.objects.count() == 0


def test_who_is_invited_joins_in_the_offered_role(tenant: Tenant, provider: Provider) -> None:
    invite(tenant, email="new@mossgate.example", name="", role=Role.EDITOR)
    vouch(provider, "new@mossgate.example", name="Lin Wu")
    client = Client()
    assert provider.sign_in(client, "mossgate").status_code == 302
    assert roles(tenant) == {"new@mossgate.example": "editor"}
    joined = User.objects.get(email="new@mossgate.example")
    assert (joined.name, joined.has_usable_password()) == ("Lin Wu", False)


@pytest.mark.parametrize(
    "said",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": ["x"]},
    ],
    ids=["not verified", "not said", "a word", "no address", "a list"],
)
def test_an_unverified_address_signs_nobody_in(tenant: Tenant, provider: Provider, said: dict[str, Any]) -> None:
    user, client = make_user(tenant), Client()
    vouch(provider, user.email)
    provider.changed |= said
    response = provider.sign_in(client, "mossgate")
    assert (response.status_code, is_in(client)) == (403, False)
    assert "did not confirm" in response.content.decode()


def test_the_providers_page_counts_for_the_same_person_only(tenant: Tenant, provider: Provider) -> None:
    user = make_user(tenant)
    provider.page = {"sub": "p-1", "email": user.email, "email_verified": True}
    first, second = Client(), Client()
    assert provider.sign_in(first, "mossgate").status_code == 302
    provider.page["sub"] = "p-2"
    assert (provider.sign_in(second, "mossgate").status_code, is_in(second)) == (403, False)


@pytest.mark.parametrize("claims", [{"aud": "other"}, {"iss": "https://other.example"}, {"exp": 1}])
def test_a_token_for_others_or_too_old_signs_nobody_in(
    tenant: Tenant, provider: Provider, claims: dict[str, Any]
) -> None:
    user, client = make_user(tenant), Client()
    vouch(provider, user.email, **claims)
    assert (provider.sign_in(client, "mossgate").status_code, is_in(client)) == (403, False)


def test_an_answer_to_another_browser_signs_nobody_in(tenant: Tenant, provider: Provider) -> None:
    user, client = make_user(tenant), Client()
    vouch(provider, user.email)
    assert (provider.sign_in(client, "mossgate", state="made-up").status_code, is_in(client)) == (403, False)


def test_strangers_members_of_others_and_ended_invitations_stay_out(tenant: Tenant, provider: Provider) -> None:
    other = make_tenant()
    elsewhere, off = make_user(other), make_user(tenant)
    User.objects.filter(pk=off.pk).update(is_active=False)
    late = invite(tenant, email="late@mossgate.example", name="", role=Role.AGENT).invitation
    with tenant_atomic(tenant.id):
        Invitation.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(days=1))
    invite(other, email="theirs@example.org", name="", role=Role.OWNER)
    said = set()
    for email in (elsewhere.email, off.email, "late@mossgate.example", "theirs@example.org", "nobody@example.org"):
        vouch(provider, email)
        client = Client()
        response = provider.sign_in(client, "mossgate")
        assert (response.status_code, is_in(client)) == (403, False)
        said.add(response.content.decode().partition("account-text")[2].partition("</p>")[0])
    assert len(said) == 1
    assert (roles(tenant), list(roles(other))) == ({off.email: "agent"}, [elsewhere.email])
    assert not User.objects.filter(email__in=["late@mossgate.example", "nobody@example.org"]).exists()


def test_a_companys_provider_opens_that_company_only(tenant: Tenant, provider: Provider) -> None:
    user, other = make_user(tenant), make_tenant("ledgerleaf")
    with tenant_atomic(other.id):
        Membership.objects.create(user=user, role=Role.OWNER)
    vouch(provider, user.email)
    client = Client()
    provider.sign_in(client, "mossgate")
    assert [client.get(f"/desk/{slug}/knowledge/").status_code for slug in ("mossgate", "ledgerleaf")] == [200, 404]
    assert client.get("/desk/").url == "/desk/mossgate/inbox/"
    assert "ledgerleaf" not in client.get("/desk/?choose=1").content.decode()
    # As a socket asks, at its opening and while it is open.
    limited = user_of_session(client.session.session_key)
    assert authorise(limited, "mossgate", Right.SEE_CONVERSATIONS).role == "agent"
    with pytest.raises(NotFound):
        authorise(limited, "ledgerleaf", Right.SEE_CONVERSATIONS)
    assert [found.slug for found, _role in tenants_of(limited)] == ["mossgate"]


@pytest.mark.parametrize(
    "path", ["sessions/", "sessions/others/end/", "password/change/", "2fa/", "2fa/totp/activate/", "invitation/"]
)
def test_a_companys_provider_changes_no_account(tenant: Tenant, provider: Provider, path: str) -> None:
    user, client = make_user(tenant), Client()
    vouch(provider, user.email)
    provider.sign_in(client, "mossgate")
    assert [client.get(f"/accounts/{path}").status_code, client.post(f"/accounts/{path}").status_code] == [403, 403]
    assert client.post("/accounts/logout/").status_code == 302


def test_the_accounts_own_password_opens_everything_again(tenant: Tenant, provider: Provider) -> None:
    user, client = make_user(tenant), Client()
    vouch(provider, user.email)
    provider.sign_in(client, "mossgate")
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.get("/accounts/sessions/").status_code == 200


def test_a_companys_word_makes_no_browser_known(tenant: Tenant, provider: Provider) -> None:
    user, client = make_user(tenant), Client()
    vouch(provider, user.email)
    provider.sign_in(client, "mossgate")
    assert (is_in(client), attempts.COOKIE in client.cookies) == (True, False)


def test_nothing_in_a_link_is_passed_on_to_the_provider(tenant: Tenant, client: Client) -> None:
    more = "scope=admin&process=connect&next=/x/&auth_params=redirect_uri%3Dhttps%253A%252F%252Fevil.example"
    plain, asked = (client.get(f"/accounts/company/mossgate/{link}")["Location"] for link in ("", f"?{more}"))
    assert parse_qs(urlsplit(plain).query).keys() == parse_qs(urlsplit(asked).query).keys()
    assert "evil" not in asked
    assert "admin" not in asked


def test_ways_to_the_provider_are_counted(tenant: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setitem(attempts.RATES, "company", "2/60s/key")
    assert [client.get("/accounts/company/mossgate/").status_code for _ in range(3)] == [302, 302, 429]
    assert client.get("/accounts/company/mossgate/callback/").status_code == 429
    monkeypatch.setattr(ForgivingRedisCache, "is_there", lambda cache: False)
    assert client.get("/accounts/company/mossgate/").status_code == 503


def test_a_provider_that_is_away_is_said_so(tenant: Tenant, settings: Any, client: Client) -> None:
    [app] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    app["settings"]["server_url"] = "http://127.0.0.1:9"
    response = client.get("/accounts/company/mossgate/")
    assert (response.status_code, "did not work" in response.content.decode()) == (503, True)


def test_another_company_has_no_such_door(tenant: Tenant, provider: Provider, client: Client) -> None:
    make_tenant("ledgerleaf")
    assert client.get("/accounts/company/ledgerleaf/").status_code == 404
    assert client.get("/accounts/company/ledgerleaf/callback/").status_code == 404
    assert client.get("/accounts/company/?company=ledgerleaf").status_code == 404
    assert 'href="/accounts/company/mossgate/"' in client.get("/accounts/company/?company=Mossgate").content.decode()
    assert "/accounts/company/" in client.get("/accounts/login/").content.decode()


def test_without_a_provider_nothing_is_offered(client: Client) -> None:
    assert "/accounts/company/" not in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "{", "{}", "[1]", '[{"company": "a"}]',
        '[{"company": "a", "name": "A", "url": "http://id.example", "client_id": "c", "secret": "s"}]',
        '[{"company": "a", "name": "A", "url": "https://id.example", "client_id": "c", "secret": ""}]',
    ],
    ids=["broken", "an object", "a number", "parts missing", "without TLS", "empty secret"],
)  # fmt: skip
def test_a_setting_that_is_unusable_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SIGN_IN", text)
    with pytest.raises(ImproperlyConfigured):
        env.company_sign_ins("SIGN_IN")
