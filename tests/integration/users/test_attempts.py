"""Guessing passwords is limited for an address and for an account, and keeps nobody else from signing in."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from helpdesk.users import attempts
from helpdesk.users.models import User
from tests.factories import PASSWORD, make_tenant, make_user

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
HOME, ATTACKER = "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def user() -> User:
    return make_user(make_tenant())


def sign_in(
    email: str, password: str = PASSWORD, *, address: str = HOME, client: Client | None = None, **claims: str
) -> bool:
    """Whether somebody is signed in afterwards."""
    client = client or Client()
    client.post(LOGIN, {"login": email, "password": password}, REMOTE_ADDR=address, **claims)
    return "_auth_user_id" in client.session


def guess(email: str, times: int, *, address: str = ATTACKER, **claims: str) -> None:
    for number in range(times):
        assert not sign_in(email, f"guess-{number}", address=address, **claims)


def test_guesses_from_elsewhere_do_not_lock_the_right_person_out(user: User) -> None:
    guess(user.email, 30)
    assert not sign_in(user.email, address=ATTACKER)
    assert sign_in(user.email, address=HOME)


def test_one_address_never_uses_up_what_an_account_bears(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it comes back whenever the shortest pause is over."""
    monkeypatch.setitem(attempts.RATES, "here", "1000/300s/key")
    guess(user.email, 70)
    assert sign_in(user.email, address=HOME)


def test_guesses_for_one_account_from_many_addresses_end(user: User) -> None:
    for number in range(13):
        guess(user.email, 5, address=f"203.0.113.{number}")
    assert not sign_in(user.email, address="203.0.113.200")


def test_a_known_browser_signs_in_during_such_an_attack_from_wherever_it_is(user: User) -> None:
    browser = Client()
    assert sign_in(user.email, client=browser)
    browser.post("/accounts/logout/")
    for number in range(13):
        guess(user.email, 5, address=f"203.0.113.{number}")
    assert sign_in(user.email, address="192.0.2.77", client=browser)


def test_a_known_browser_is_limited_as_well(user: User) -> None:
    browser = Client()
    assert sign_in(user.email, client=browser)
    browser.post("/accounts/logout/")
    for number in range(5):
        assert not sign_in(user.email, f"guess-{number}", client=browser)
    assert not sign_in(user.email, client=browser)
    assert sign_in(user.email)


def test_a_browser_is_known_for_its_own_account_only(user: User) -> None:
    browser, other = Client(), make_user(make_tenant())
    assert sign_in(other.email, client=browser)
    browser.post("/accounts/logout/")
    for number in range(6):
        sign_in(user.email, f"guess-{number}", address=ATTACKER, client=browser)
    assert not sign_in(user.email, address=ATTACKER, client=browser)
    assert not sign_in(user.email, address=ATTACKER)


@pytest.mark.parametrize(
    "value",
    ["", "x", "a:b:c", signing.dumps(["x", "y"], salt="other"), signing.dumps(1, salt=attempts.SALT)],
    ids=["empty", "a word", "three parts", "another salt", "a number"],
)
def test_a_made_up_cookie_makes_no_browser_known(user: User, value: str) -> None:
    browser = Client()
    browser.cookies[attempts.COOKIE] = value
    for number in range(6):
        assert not sign_in(user.email, f"guess-{number}", address=ATTACKER, client=browser)
    assert not sign_in(user.email, address=ATTACKER)


def test_the_cookie_tells_nothing(user: User, settings: Any) -> None:
    settings.HTTPS = True
    browser = Client()
    sign_in(user.email, client=browser)
    cookie = browser.cookies[attempts.COOKIE]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (
        True,
        True,
        "Lax",
        "/accounts/",
    )
    told = str(signing.loads(cookie.value, salt=attempts.SALT))
    assert (user.email in told, str(user.pk) in told.split("'")) == (False, False)


def test_one_address_tries_few_accounts() -> None:
    people = [make_user() for _ in range(11)]
    for person in people[:10]:
        assert not sign_in(person.email, "Spring2026!", address=ATTACKER)
    assert not sign_in(people[10].email, address=ATTACKER)
    assert sign_in(people[10].email, address=HOME)


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CLIENT_IP"])
def test_claiming_another_address_lifts_no_limit(user: User, header: str) -> None:
    for number in range(6):
        guess(user.email, 1, **{header: f"198.51.100.{number}"})
    assert not sign_in(user.email, address=ATTACKER, **{header: HOME})


def test_behind_a_named_proxy_people_are_told_apart(user: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.2")]
    guess(user.email, 6, address="10.0.0.2", HTTP_X_FORWARDED_FOR=f"{HOME}, {ATTACKER}")
    assert not sign_in(user.email, address="10.0.0.2", HTTP_X_FORWARDED_FOR=f"1.2.3.4, {ATTACKER}")
    assert sign_in(user.email, address="10.0.0.2", HTTP_X_FORWARDED_FOR=f"{ATTACKER}, {HOME}")


def test_a_network_of_one_customer_is_one_address(user: User) -> None:
    for number in range(6):
        guess(user.email, 1, address=f"2001:db8:1:2::{number + 1}")
    assert not sign_in(user.email, address="2001:db8:1:2:ffff::1")
    assert sign_in(user.email, address="2001:db8:1:3::1")


@pytest.mark.parametrize("spelling", ["upper", "title", "padded"])
def test_other_spellings_are_the_same_account(user: User, spelling: str) -> None:
    spelled = {"upper": user.email.upper(), "title": user.email.title(), "padded": f" {user.email} "}[spelling]
    guess(user.email, 5)
    assert not sign_in(spelled, address=ATTACKER)


def test_right_passwords_are_not_counted(user: User) -> None:
    for _ in range(12):
        assert sign_in(user.email)


def test_refusals_do_not_tell_who_has_an_account(client: Client, user: User) -> None:
    def said(email: str, password: str) -> str:
        page = client.post(LOGIN, {"login": email, "password": password}).content.decode()
        return page.replace(email, "").partition("<form class")[2].partition("csrfmiddlewaretoken")[2][80:]

    User.objects.filter(pk=make_user(email="off@example.org").pk).update(is_active=False)
    wrong = said(user.email, "wrong-password")
    assert "notice-error" in wrong
    assert [said(email, "wrong-password") for email in ("nobody@example.org", "off@example.org")] == [wrong, wrong]
    for _ in range(8):
        said("nobody@example.org", "x")
        said(user.email, "x")
    cache.clear()


def test_an_unknown_address_costs_a_hash_as_a_known_one_does(
    user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    user.set_password(PASSWORD)
    user.save()
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hashed: list[str] = []
    for name in ("encode", "verify"):
        original = getattr(Argon2PasswordHasher, name)
        monkeypatch.setattr(
            Argon2PasswordHasher,
            name,
            lambda self, *args, _do=original, **more: (hashed.append(""), _do(self, *args, **more))[1],
        )
    work = []
    for email in (user.email, "nobody@example.org", "\u017fomebody@example.org"):
        hashed.clear()
        sign_in(email, "wrong-password")
        work.append(len(hashed))
    assert work == [1, 1, 1]


def test_signing_in_gives_a_new_session(client: Client, user: User) -> None:
    client.get(LOGIN)
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    before = session.session_key
    assert sign_in(user.email, client=client)
    assert client.session.session_key != before
    assert not Client().session.exists(before)


@pytest.mark.parametrize("how", ["change", "reset"])
def test_a_new_password_ends_all_other_sessions(client: Client, user: User, how: str, mailoutbox: list[Any]) -> None:
    other, new = Client(), {"password1": "another-long-password-7", "password2": "another-long-password-7"}
    assert sign_in(user.email, client=client) and sign_in(user.email, client=other)
    before = client.session.session_key
    if how == "change":
        client.post(reverse("account_change_password"), {"oldpassword": PASSWORD} | new)
        assert client.session.session_key != before
        assert client.get(reverse("desk:home")).url.endswith("/inbox/")
    else:
        stranger = Client()
        stranger.post(reverse("account_reset_password"), {"email": user.email})
        link = next(line for line in mailoutbox[0].body.splitlines() if "/password/reset/key/" in line)
        form = stranger.get(link.removeprefix("http://testserver"), follow=True).redirect_chain[-1][0]
        stranger.post(form, new)
        assert "_auth_user_id" not in stranger.session
        assert client.get(reverse("desk:home")).url.startswith(LOGIN)
    assert other.get(reverse("desk:home")).url.startswith(LOGIN)
