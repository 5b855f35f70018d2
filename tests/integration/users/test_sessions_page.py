"""People see their own sessions and end them; nobody else's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from helpdesk.tenants.models import Tenant
from helpdesk.users.browsers import browser_name
from helpdesk.users.models import SignIn, User
from tests.factories import PASSWORD, make_tenant, make_user

pytestmark = pytest.mark.django_db
PAGE = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/19.1 Safari/604.1"


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


def signed_in(user: User, browser: str = FIREFOX) -> Client:
    client = Client(headers={"user-agent": browser})
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def is_in(client: Client, tenant: Tenant) -> bool:
    return client.get(reverse("desk:inbox", args=[tenant.slug])).status_code == 200


def rows(client: Client) -> list[Any]:
    return list(client.get(PAGE).context["rows"])


def end(client: Client, row: SignIn | uuid.UUID) -> int:
    return client.post(reverse("account_end_session", args=[getattr(row, "id", row)])).status_code


def test_a_person_sees_each_browser_and_which_one_is_this(user: User) -> None:
    here, phone = signed_in(user), signed_in(user, PHONE)
    signed_in(make_user(make_tenant()))
    assert {row.browser for row in rows(here)} == {"Firefox · Linux", "Safari · iPhone"}
    shown = phone.get(PAGE).content.decode()
    assert shown.count("This one") == 1
    assert here.session.session_key not in shown


def test_another_browser_is_signed_out_at_once(tenant: Tenant, user: User) -> None:
    here, phone = signed_in(user), signed_in(user, PHONE)
    [other] = [row for row in rows(here) if row.browser == "Safari · iPhone"]
    assert (end(here, other), end(here, other)) == (302, 404)
    assert (is_in(here, tenant), is_in(phone, tenant), len(rows(here))) == (True, False, 1)


def test_this_browser_goes_to_the_sign_in_page(tenant: Tenant, user: User) -> None:
    here = signed_in(user)
    response = here.post(reverse("account_end_session", args=[rows(here)[0].id]))
    assert (response.url, is_in(here, tenant), SignIn.objects.count()) == ("/accounts/login/", False, 0)


def test_all_others_are_signed_out(tenant: Tenant, user: User) -> None:
    here, others = signed_in(user), [signed_in(user) for _ in range(2)]
    stranger = make_user(tenant)
    theirs = signed_in(stranger)
    here.post(reverse("account_end_other_sessions"))
    assert [is_in(client, tenant) for client in (here, *others, theirs)] == [True, False, False, True]


def test_nobody_ends_somebody_elses_session(tenant: Tenant, user: User) -> None:
    here, theirs = signed_in(user), signed_in(make_user(tenant))
    assert (end(theirs, rows(here)[0]), end(theirs, uuid.uuid4()), is_in(here, tenant)) == (404, 404, True)


def test_strangers_are_asked_to_sign_in(client: Client, user: User) -> None:
    signed_in(user)
    [row] = SignIn.objects.all()
    answers = [client.get(PAGE), client.post(reverse("account_end_other_sessions"))]
    assert [each.url.split("?")[0] for each in answers] == ["/accounts/login/"] * 2
    assert (end(client, row), SignIn.objects.count()) == (302, 1)


def test_a_forged_request_ends_nothing(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    row = SignIn.objects.create(user=user, session_key="k")
    assert (end(client, row), client.post(reverse("account_end_other_sessions")).status_code) == (403, 403)
    assert SignIn.objects.count() == 1


def test_a_new_password_keeps_this_session_on_the_list_and_ends_the_others(tenant: Tenant, user: User) -> None:
    here, phone = signed_in(user), signed_in(user, PHONE)
    form = {"oldpassword": PASSWORD, "password1": "another-long-password-7", "password2": "another-long-password-7"}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert [row.browser for row in rows(here)] == ["Firefox · Linux"]
    assert (is_in(here, tenant), is_in(phone, tenant)) == (True, False)


def test_sessions_that_have_ended_leave_with_the_next_sign_in(user: User) -> None:
    client = signed_in(user)
    client.post("/accounts/logout/")
    signed_in(user, PHONE)
    assert [row.browser for row in SignIn.objects.all()] == ["Safari · iPhone"]


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("", ""),
        ("curl/8.5", ""),
        ("<script>alert(1)</script>", ""),
        (FIREFOX, "Firefox · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/143.0 Safari/537 Edg/143.0", "Edge · Windows"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537 Chrome/143.0 Mobile Safari/537", "Chrome · Android"),
    ],
)
def test_a_browser_is_named_in_our_words_only(sent: str, name: str) -> None:
    assert browser_name(sent) == name
