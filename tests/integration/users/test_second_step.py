"""Two-step sign-in: setting it up, signing in with it, companies that require it, and the way back for who has lost it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, format_hotp_value, hotp_value
from django.core.cache import cache
from django.core.management import CommandError
from django.test import Client, override_settings
from django.urls import reverse

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from tests.factories import PASSWORD, make_tenant, make_user
from tests.integration.users.joining import run
from tracing.models import KeyEvent

pytestmark = pytest.mark.django_db
INDEX, ACTIVATE = "/accounts/2fa/", "/accounts/2fa/totp/activate/"
AUTHENTICATE = "/accounts/2fa/authenticate/"
PAGES = [
    INDEX, ACTIVATE, "/accounts/2fa/totp/deactivate/", "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/", "/accounts/2fa/webauthn/", "/accounts/2fa/webauthn/add/",
    "/accounts/reauthenticate/", "/accounts/2fa/reauthenticate/",
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_limits_from_other_tests() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return make_user(tenant, Role.OWNER)


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sign_in(user: User) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def confirm(client: Client) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def set_up(user: User) -> tuple[Client, str]:
    """A browser in which the person has set up an app, and the app's secret."""
    client, _response = sign_in(user)
    confirm(client)
    client.get(ACTIVATE)
    secret = client.session[SECRET_SESSION_KEY]
    response = client.post(ACTIVATE, {"code": code_now(secret)})
    assert response.url == "/accounts/2fa/recovery-codes/"
    # The code was used up for this test's sake only.
    cache.clear()
    return client, secret


def inbox(tenant: Tenant) -> str:
    return reverse("desk:inbox", args=[tenant.slug])


def switch(client: Client, tenant: Tenant, required: str = "yes") -> Any:
    return client.post(reverse("people:second_step", args=[tenant.slug]), {"required": required})


def test_setting_up_asks_for_the_password_again_and_gives_recovery_codes(tenant: Tenant, owner: User) -> None:
    client, _response = sign_in(owner)
    assert client.get(ACTIVATE).url.startswith("/accounts/reauthenticate/")
    client, secret = set_up(owner)
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert len(codes) == len(set(codes)) == 10
    assert client.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes
    rows = {row.type: str(row.data) for row in Authenticator.objects.all()}
    assert set(rows) == {"totp", "recovery_codes"}
    assert [text for text in rows.values() if secret in text or any(code in text for code in codes)] == []


def test_a_password_alone_signs_nobody_in_any_more(tenant: Tenant, owner: User) -> None:
    _client, secret = set_up(owner)
    client, response = sign_in(owner)
    assert (response.url, "_auth_user_id" in client.session) == (AUTHENTICATE, False)
    assert client.get(inbox(tenant)).status_code == 302
    wrong = client.post(AUTHENTICATE, {"code": "000000"}).content.decode()
    assert ("That code is not right" in wrong, "_auth_user_id" in client.session) == (True, False)
    assert client.post(AUTHENTICATE, {"code": code_now(secret)}).url == reverse("desk:home")
    assert client.get(inbox(tenant)).status_code == 200


def test_a_code_works_once(tenant: Tenant, owner: User) -> None:
    _client, secret = set_up(owner)
    code = code_now(secret)
    for works in (True, False):
        client, _response = sign_in(owner)
        client.post(AUTHENTICATE, {"code": code})
        assert ("_auth_user_id" in client.session) is works


def test_a_recovery_code_works_once(tenant: Tenant, owner: User) -> None:
    client, _secret = set_up(owner)
    code = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"][0]
    for works in (True, False):
        client, _response = sign_in(owner)
        client.post(AUTHENTICATE, {"code": code})
        assert ("_auth_user_id" in client.session) is works


def test_guessing_codes_is_limited(tenant: Tenant, owner: User) -> None:
    _client, secret = set_up(owner)
    client, _response = sign_in(owner)
    for _ in range(12):
        client.post(AUTHENTICATE, {"code": "000000"})
    client.post(AUTHENTICATE, {"code": code_now(secret)})
    assert "_auth_user_id" not in client.session


def test_the_pages_stand_in_our_frame_in_both_languages(tenant: Tenant, owner: User) -> None:
    client, _secret = set_up(owner)
    for language in ("en", "zh-hans"):
        client.cookies["django_language"] = language
        for address in PAGES:
            response = client.get(address, follow=True)
            body = response.content.decode()
            assert (address, response.status_code, "desk/account.css" in body) == (address, 200, True)
            assert f'<html lang="{language}">' in body
            assert (address, "<script>" in body) == (address, False)


def test_strangers_see_none_of_it(client: Client) -> None:
    for address in PAGES:
        assert (address, client.get(address).status_code) == (address, 302)
    assert client.get(AUTHENTICATE).url == "/accounts/login/"


def test_a_forged_request_changes_nothing(tenant: Tenant, owner: User) -> None:
    set_up(owner)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    addresses = ["/accounts/2fa/totp/deactivate/", "/accounts/2fa/recovery-codes/generate/"]
    assert {client.post(address).status_code for address in addresses} == {403}
    assert switch(client, tenant).status_code == 403
    assert Authenticator.objects.count() == 2


def test_owners_alone_require_it_and_have_it_first(client: Client, tenant: Tenant, owner: User) -> None:
    assert switch(client, tenant).status_code == 302
    for role in set(Role) - {Role.OWNER}:
        client.force_login(make_user(tenant, role))
        assert switch(client, tenant).status_code == 403
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert switch(client, tenant).status_code == 404
    client.force_login(owner)
    shown = client.get(switch(client, tenant).url).content.decode()
    tenant.refresh_from_db()
    assert ("for your own account first" in shown, tenant.requires_second_step) == (True, False)


def test_members_without_it_are_led_to_setting_it_up_at_once(client: Client, tenant: Tenant, owner: User) -> None:
    agent, elsewhere = make_user(tenant), make_tenant()
    theirs, _response = sign_in(agent)
    assert theirs.get(inbox(tenant)).status_code == 200
    ours, _secret = set_up(owner)
    for _ in range(2):
        switch(ours, tenant)
    assert theirs.get(inbox(tenant)).url == INDEX
    assert "requires two-step sign-in" in theirs.get(INDEX).content.decode()
    assert theirs.get(inbox(tenant), headers={"hx-request": "true"}).status_code == 403
    client.force_login(make_user(elsewhere))
    assert client.get(inbox(elsewhere)).status_code == 200
    with_it, _secret = set_up(agent)
    assert with_it.get(inbox(tenant)).status_code == 200
    with tenant_atomic(tenant.id):
        assert list(KeyEvent.objects.values_list("kind", "figures")) == [("mfa_required", {"user": owner.pk})]
    switch(ours, tenant, "no")
    client.force_login(make_user(tenant))
    assert client.get(inbox(tenant)).status_code == 200


def test_the_last_method_stays_where_it_is_required(tenant: Tenant, owner: User) -> None:
    client, _secret = set_up(owner)
    switch(client, tenant)
    page = client.get("/accounts/2fa/totp/deactivate/").content.decode()
    client.post("/accounts/2fa/totp/deactivate/")
    assert ("one method has to stay" in page, Authenticator.objects.filter(type="totp").count()) == (True, 1)
    switch(client, tenant, "no")
    client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.count() == 0


def test_an_operator_resets_who_has_lost_it(tenant: Tenant, owner: User) -> None:
    set_up(owner)
    stranger = make_user(make_tenant())
    with pytest.raises(CommandError, match="is no member"):
        run("people", tenant.slug, reset_second_step=stranger.email)
    run("people", tenant.slug, reset_second_step=owner.email)
    client, response = sign_in(owner)
    assert (response.url, "_auth_user_id" in client.session) == (reverse("desk:home"), True)
    with pytest.raises(CommandError, match="has set up no second step"):
        run("people", tenant.slug, reset_second_step=owner.email)


def test_under_another_secret_key_nobody_comes_in_and_is_told_why(tenant: Tenant, owner: User) -> None:
    set_up(owner)
    with override_settings(SECRET_KEY="another-secret-key-of-enough-length-for-this"):
        client, _response = sign_in(owner)
        response = client.post(AUTHENTICATE, {"code": "123456"})
        assert (response.status_code, "reset it" in response.content.decode()) == (503, True)
        assert "_auth_user_id" not in client.session


def test_a_key_that_the_browser_made_up_is_refused(tenant: Tenant, owner: User) -> None:
    client, _secret = set_up(owner)
    client.get("/accounts/2fa/webauthn/add/")
    for credential in ("", "{}", "nonsense", '{"id": "x"}', "[]", "null"):
        response = client.post("/accounts/2fa/webauthn/add/", {"name": "Key", "credential": credential})
        assert (credential, response.status_code) == (credential, 200)
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_a_security_key_is_offered_to_who_has_one_only(owner: User) -> None:
    Authenticator.objects.create(user=owner, type="totp", data={"secret": ""})
    client, _response = sign_in(owner)
    assert b'id="key-button"' not in client.get(AUTHENTICATE).content
    Authenticator.objects.create(user=owner, type="webauthn", data={})
    assert Authenticator.objects.filter(user=owner).count() == 2
