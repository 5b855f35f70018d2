"""Signing in: right and wrong passwords, limits, the account pages, a cache that is away, languages and error pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache, caches
from django.test import Client, override_settings
from django.urls import reverse

from helpdesk.tenants.models import Tenant
from helpdesk.users.models import User
from tests.factories import PASSWORD, make_tenant, make_user

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
GONE = {
    "default": {
        "BACKEND": "helpdesk.cache.ForgivingRedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
    }
}


@pytest.fixture(autouse=True)
def no_limits_from_other_tests() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def user(tenant: Tenant) -> User:
    return make_user(tenant)


def sign_in(client: Client, email: str, password: str, **data: str) -> Any:
    return client.post(LOGIN, {"login": email, "password": password} | data)


def test_right_password_signs_in_and_leads_to_the_desk(client: Client, tenant: Tenant, user: User) -> None:
    response = client.post(LOGIN, {"login": user.email.upper(), "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1] == (reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug}), 302)


def test_next_page_is_kept_but_never_a_foreign_one(client: Client, tenant: Tenant, user: User) -> None:
    wanted = reverse("knowledge:list", kwargs={"tenant_slug": tenant.slug})
    assert sign_in(client, user.email, PASSWORD, next=wanted).url == wanted
    client.logout()
    assert sign_in(client, user.email, PASSWORD, next="https://example.org/").url == reverse("desk:home")


@pytest.mark.parametrize("password", ["wrong-password", "", "x" * 5000])
def test_wrong_password_is_refused(client: Client, user: User, password: str) -> None:
    response = sign_in(client, user.email, password)
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_inactive_person_cannot_sign_in(client: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    sign_in(client, user.email, PASSWORD)
    assert "_auth_user_id" not in client.session


def test_many_wrong_passwords_are_slowed_down(client: Client, user: User) -> None:
    for _ in range(5):
        sign_in(client, user.email, "wrong-password")
    response = sign_in(client, user.email, PASSWORD)
    assert "_auth_user_id" not in client.session
    assert "Too many" in response.content.decode()


def test_many_requests_of_one_address_get_the_429_page(client: Client) -> None:
    responses = [client.post("/accounts/password/reset/", {"email": f"x{number}@example.org"}) for number in range(21)]
    assert responses[-1].status_code == 429
    assert "Wait a few minutes" in responses[-1].content.decode()


@override_settings(CACHES=GONE)
def test_lost_cache_lets_nobody_in_and_signs_nobody_out(client: Client, user: User) -> None:
    """What cannot be counted is refused; sessions stand in the database."""
    stranger = Client()
    client.force_login(user)
    try:
        page = sign_in(stranger, user.email, PASSWORD)
        assert (page.status_code, "_auth_user_id" in stranger.session) == (200, False)
        assert client.get("/accounts/password/change/").status_code == 200
    finally:
        caches["default"].close()


def test_lost_cache_reads_as_empty() -> None:
    with override_settings(CACHES=GONE):
        lost = caches["default"]
        assert lost.add("key", 1) is True
        assert lost.get("key", "nothing") == "nothing"
        lost.set("key", 1)
        assert lost.delete("key") is False
        assert lost.get_many(["key"]) == {}


def test_signing_out_needs_a_post(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.get("/accounts/logout/").status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post("/accounts/logout/").url == reverse("account_login")
    assert "_auth_user_id" not in client.session


def test_password_reset_by_mail(client: Client, user: User) -> None:
    assert client.post("/accounts/password/reset/", {"email": user.email}).status_code == 302
    [message] = mail.outbox
    link = next(line for line in message.body.splitlines() if "/password/reset/key/" in line)
    form = client.get(link.removeprefix("http://testserver"), follow=True)
    new = "another-long-password-7"
    done = client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new}, follow=True)
    assert "Password saved" in done.content.decode()
    assert sign_in(client, user.email, new).status_code == 302
    used = Client().get(link.removeprefix("http://testserver"))
    assert "no longer works" in used.content.decode()


def test_password_reset_tells_nobody_who_has_an_account(client: Client, user: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": user.email}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert "/accounts/signup/" not in mail.outbox[-1].body


@pytest.mark.parametrize(
    "path",
    [
        "login/",
        "password/reset/",
        "password/reset/done/",
        "password/reset/key/done/",
        "password/reset/key/x-y/",
        "inactive/",
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_public_account_pages_stand_in_our_frame(client: Client, path: str, language: str) -> None:
    client.cookies["django_language"] = language
    response = client.get(f"/accounts/{path}", follow=True)
    page = response.content.decode()
    assert response.status_code == 200
    assert f'<html lang="{language}">' in page
    assert "desk/account.css" in page
    assert "Menu:" not in page


@pytest.mark.parametrize("path", ["logout/", "password/change/"])
def test_signed_in_account_pages_stand_in_our_frame(client: Client, user: User, path: str) -> None:
    client.force_login(user)
    page = client.get(f"/accounts/{path}", follow=True).content.decode()
    assert "desk/account.css" in page


def test_password_change_signs_nobody_out(client: Client, user: User) -> None:
    sign_in(client, user.email, PASSWORD)
    new = "another-long-password-7"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert client.get(reverse("desk:home")).status_code == 302
    assert "_auth_user_id" in client.session
    user.refresh_from_db()
    assert user.check_password(new)


def test_language_switch_is_kept(client: Client) -> None:
    response = client.post("/i18n/setlang/", {"language": "zh-hans", "next": LOGIN}, follow=True)
    assert '<html lang="zh-hans">' in response.content.decode()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Mars/Base", "../../etc/passwd", "Europe", "x" * 5000, "%00", ""])
def test_time_zone_cookie_is_harmless(client: Client, user: User, zone: str) -> None:
    client.force_login(user)
    client.cookies["glassdesk_timezone"] = zone
    assert client.get(reverse("desk:home")).status_code == 302


def test_forged_form_is_explained(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    response = sign_in(client, user.email, PASSWORD)
    assert response.status_code == 403
    assert "This page has expired" in response.content.decode()


def test_unknown_address_gets_our_404_page(client: Client) -> None:
    response = client.get("/desk/no/such/page/")
    assert response.status_code == 404
    assert "desk/base.css" in response.content.decode()


def test_domain_errors_are_a_page_for_people_and_json_for_api_clients(client: Client, user: User) -> None:
    client.force_login(user)
    foreign = reverse("desk:inbox", kwargs={"tenant_slug": make_tenant().slug})
    assert "have access to it." in client.get(foreign).content.decode()
    response = client.get(foreign, headers={"Accept": "application/json"})
    assert response.json()["error"]["code"] == "not_found"
