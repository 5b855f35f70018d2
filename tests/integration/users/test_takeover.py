"""A company is not taken over by claiming its future owner's address: the attack step by step, and what older desks left."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Invitation, Membership, User
from tests.factories import PASSWORD, make_tenant, make_user
from tests.integration.users.joining import NEW_PASSWORD, PAGE, choose_password, invite, link_in, roles, run

pytestmark = pytest.mark.django_db

OWNER = "owner@bakery.example"
ACCOUNT_PAGES = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_change_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_reauthenticate",
    "account_sessions",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_index",
    "mfa_list_webauthn",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    "account_end_session",
    "account_end_other_sessions",
    "invitation",
    "company_sign_in",
    "openid_connect_login",
    "openid_connect_callback",
}
CLOSED = (
    "signup/", "signup/passkey/", "email/", "confirm-email/", "confirm-email/MQ:abc:def/", "password/set/",
    "login/code/", "login/code/confirm/", "phone/verify/", "phone/change/",
    "password/reset/confirm/", "password/reset/complete/", "2fa/trust/",
    "2fa/webauthn/login/", "2fa/webauthn/signup/", "3rdparty/", "social/connections/",
    "",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_limits_from_other_tests() -> None:
    cache.clear()


@pytest.fixture
def mallory(client: Client) -> User:
    """A viewer of some company, signed in."""
    user = make_user(make_tenant(), Role.VIEWER, "mallory@evil.example")
    client.force_login(user)
    return user


def claim_in_every_way(client: Client) -> None:
    for data in ({"action_add": ""}, {"action_primary": ""}, {"action_send": ""}, {"action_remove": ""}):
        assert client.post("/accounts/email/", {"email": OWNER} | data).status_code == 404
    assert (
        client.post("/accounts/signup/", {"email": OWNER, "password1": PASSWORD, "password2": PASSWORD}).status_code
        == 404
    )


def test_claiming_an_address_first_gains_nothing(client: Client, mallory: User) -> None:
    claim_in_every_way(client)
    said = run("create_company", "bakery", name="Bakery", contact=OWNER, owner=OWNER)
    bakery = Tenant.objects.get(slug="bakery")
    mallory.refresh_from_db()
    assert (mallory.email, EmailAddress.objects.count(), roles(bakery)) == ("mallory@evil.example", 0, {})
    assert client.get("/desk/bakery/inbox/").status_code == 404

    choose_password(Client(), link_in(said))
    assert roles(bakery) == {OWNER: "owner"}
    assert client.get("/desk/bakery/inbox/").status_code == 404


def test_claiming_an_address_after_the_invitation_gains_nothing(client: Client, mallory: User) -> None:
    bakery = make_tenant("bakery")
    link = invite(bakery, OWNER, "owner")
    claim_in_every_way(client)
    assert client.post(PAGE).status_code == 410
    assert client.get("/desk/bakery/inbox/").status_code == 404
    # Even with the link, an account of another address is no way in.
    client.get(link)
    client.post(PAGE)
    assert roles(bakery) == {}


@pytest.mark.parametrize("verified", [False, True])
def test_a_further_address_of_an_account_never_counts(client: Client, mallory: User, verified: bool) -> None:
    EmailAddress.objects.create(user=mallory, email=OWNER, primary=True, verified=verified)
    bakery = make_tenant("bakery")
    link = invite(bakery, OWNER, "owner")
    client.get(link)
    client.post(PAGE)
    assert roles(bakery) == {}

    stranger = Client()
    stranger.post("/accounts/login/", {"login": OWNER, "password": PASSWORD})
    assert "_auth_user_id" not in stranger.session
    stranger.post("/accounts/password/reset/", {"email": OWNER})
    assert [message for message in mail.outbox if "/password/reset/key/" in message.body] == []

    choose_password(stranger, link)
    assert roles(bakery) == {OWNER: "owner"}
    client.logout()
    client.post("/accounts/login/", {"login": OWNER, "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_a_password_reset_leaves_no_further_address(client: Client) -> None:
    user = make_user(make_tenant())
    client.post("/accounts/password/reset/", {"email": user.email})
    link = next(line for line in mail.outbox[0].body.splitlines() if "/password/reset/key/" in line)
    form = client.get(link.removeprefix("http://testserver"), follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    user.refresh_from_db()
    assert (user.check_password(NEW_PASSWORD), EmailAddress.objects.count()) == (True, 0)


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("signed_in", [False, True])
def test_closed_pages_do_not_exist(client: Client, path: str, signed_in: bool) -> None:
    if signed_in:
        client.force_login(make_user(make_tenant(), Role.OWNER))
    for response in (client.get(f"/accounts/{path}"), client.post(f"/accounts/{path}", {"email": OWNER})):
        assert response.status_code == 404


def test_no_account_page_exists_that_nobody_listed() -> None:
    found = set()

    def walk(patterns: list[Any], prefix: str) -> None:
        for each in patterns:
            address = prefix + str(each.pattern).removeprefix("^")
            if isinstance(each, URLResolver):
                walk(each.url_patterns, address)
            elif isinstance(each, URLPattern) and (address.startswith("accounts/") or "allauth" in each.lookup_str):
                found.add(each.name)

    walk(get_resolver().url_patterns, "")
    assert found == ACCOUNT_PAGES


def put_addresses_back() -> None:
    """As the migration does it, with the rows of today."""
    module = importlib.import_module("helpdesk.users.migrations.0003_one_address_each")
    with connection.schema_editor() as schema_editor:
        module.put_addresses_back(apps, schema_editor)


def squatter(*, verified: bool = False) -> tuple[User, Tenant, Tenant]:
    """An account as the former address pages left it: Mallory's, with the owner's address and the owner's company."""
    own, bakery = make_tenant(), make_tenant("bakery")
    user = make_user(own, Role.VIEWER, "mallory@evil.example")
    EmailAddress.objects.create(user=user, email=user.email, primary=False)
    EmailAddress.objects.create(user=user, email=OWNER, primary=True, verified=verified)
    User.objects.filter(pk=user.pk).update(email=OWNER)
    with tenant_atomic(bakery.id):
        Membership.objects.create(user=user, role=Role.OWNER)
    return user, own, bakery


@pytest.mark.django_db(transaction=True)
def test_an_address_that_was_taken_is_given_back_with_what_it_brought() -> None:
    user, own, bakery = squatter()
    innocent = make_user(bakery, Role.AGENT)
    put_addresses_back()
    user.refresh_from_db()
    assert (user.email, user.is_active) == ("mallory@evil.example", True)
    assert (roles(own), roles(bakery)) == ({user.email: "viewer"}, {innocent.email: "agent"})
    assert EmailAddress.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_address_that_was_verified_stays() -> None:
    user, own, bakery = squatter(verified=True)
    put_addresses_back()
    user.refresh_from_db()
    assert (user.email, roles(own), roles(bakery)) == (OWNER, {OWNER: "viewer"}, {OWNER: "owner"})


@pytest.mark.django_db(transaction=True)
def test_an_account_without_its_address_is_switched_off() -> None:
    user, _own, bakery = squatter()
    make_user(None, email="mallory@evil.example")
    put_addresses_back()
    user.refresh_from_db()
    assert (user.is_active, roles(bakery)) == (False, {})


@pytest.mark.django_db(transaction=True)
def test_ordinary_accounts_are_left_alone() -> None:
    tenant = make_tenant()
    user = make_user(tenant, Role.ADMIN)
    EmailAddress.objects.create(user=user, email=user.email, primary=True)
    put_addresses_back()
    user.refresh_from_db()
    assert (user.is_active, roles(tenant)) == (True, {user.email: "admin"})
    with tenant_atomic(tenant.id):
        assert not Invitation.objects.exists()
