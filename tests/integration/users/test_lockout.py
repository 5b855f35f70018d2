"""Guessing is stopped, said in the company's log, forgotten by a command, and impossible while nothing can be counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.core.cache import cache
from django.core.management import CommandError
from django.test import Client

from helpdesk.cache import ForgivingRedisCache
from helpdesk.permissions import Role
from helpdesk.queue.celery import app
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users import attempts
from helpdesk.users.lockout import NOBODY, NOTE_STOP
from helpdesk.users.mfa_adapter import MFAAdapter
from helpdesk.users.models import User
from helpdesk.users.tasks import note_stopped_sign_in
from tests.factories import PASSWORD, make_tenant, make_user
from tests.integration.users.joining import run
from tracing.audit import AuditFilter, audit_page
from tracing.audit_words import audit_rows
from tracing.models import KeyEvent

pytestmark = pytest.mark.django_db
LOGIN, CODE = "/accounts/login/", "/accounts/2fa/authenticate/"
FIRST, SECOND, HOME = "203.0.113.9", "198.51.100.4", "192.0.2.1"


@pytest.fixture(autouse=True)
def quick(settings: Any) -> Iterator[None]:
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Which tasks were sent."""
    tasks: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(app, "send_task", lambda name, kwargs, **options: tasks.append((name, kwargs)))
    return tasks


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def user(tenant: Tenant) -> User:
    return make_user(tenant, Role.AGENT)


def post(email: str, password: str, address: str) -> Any:
    return Client().post(LOGIN, {"login": email, "password": password}, REMOTE_ADDR=address)


def is_in(email: str, address: str) -> bool:
    client = Client()
    client.post(LOGIN, {"login": email, "password": PASSWORD}, REMOTE_ADDR=address)
    return "_auth_user_id" in client.session


def kinds(tenant: Tenant) -> list[str]:
    with tenant_atomic(tenant.id):
        return list(
            KeyEvent.objects.filter(kind__startswith="sign_in").order_by("sequence").values_list("kind", flat=True)
        )


def test_twenty_wrong_passwords_from_two_addresses_are_stopped_and_noted_once(
    tenant: Tenant, user: User, sent: list[Any]
) -> None:
    for number in range(10):
        for address in (FIRST, SECOND):
            post(user.email, f"guess-{number}", address)
    assert [is_in(user.email, address) for address in (FIRST, SECOND, HOME)] == [False, False, True]
    assert sent == [(NOTE_STOP, {"user_id": user.pk})]
    note_stopped_sign_in(**sent[0][1])
    assert kinds(tenant) == ["sign_in_stopped"]
    with tenant_atomic(tenant.id):
        [row] = audit_rows(audit_page(AuditFilter()).rows)
    assert (row.actor, row.detail) == ("Someone who is not signed in", str(user))


def test_an_unknown_address_is_told_and_treated_the_same(user: User, sent: list[Any]) -> None:
    said = []
    for email in (user.email, "nobody@example.org"):
        for number in range(7):
            page = post(email, f"guess-{number}", HOME if email == user.email else FIRST).content.decode()
        said.append(page.replace(email, "").partition("notice-error")[2].partition("</form")[0])
    assert said[0] == said[1] != ""
    assert sent == [(NOTE_STOP, {"user_id": user.pk}), (NOTE_STOP, {"user_id": NOBODY})]
    note_stopped_sign_in(user_id=NOBODY)


def test_a_command_unlocks_a_member_and_nobody_else(tenant: Tenant, user: User) -> None:
    for number in range(7):
        post(user.email, f"guess-{number}", HOME)
    assert not is_in(user.email, HOME)
    stranger = make_user(make_tenant())
    with pytest.raises(CommandError, match="no member"):
        run("people", tenant.slug, unlock=stranger.email)
    run("people", tenant.slug, unlock=user.email)
    assert is_in(user.email, HOME)
    assert kinds(tenant) == ["sign_in_unlocked"]


def test_every_company_of_the_person_hears_of_it_and_no_other(tenant: Tenant, user: User) -> None:
    other = make_tenant()
    make_user(other)
    note_stopped_sign_in(user.pk)
    assert (kinds(tenant), kinds(other)) == (["sign_in_stopped"], [])


def test_codes_are_stopped_for_the_day_and_unlocked_again(
    tenant: Tenant, user: User, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(attempts.RATES, "code-day", "3/86400s/key")
    secret = generate_totp_secret()
    Authenticator.objects.create(user=user, type="totp", data={"secret": MFAAdapter().encrypt(secret)})
    client = Client()
    client.post(LOGIN, {"login": user.email, "password": PASSWORD})
    for _ in range(4):
        response = client.post(CODE, {"code": "000000"})
    assert "Too many" in response.content.decode()
    assert sent == [(NOTE_STOP, {"user_id": user.pk})]
    assert not client.post(CODE, {"code": _code(secret)}).has_header("Location")
    run("people", tenant.slug, unlock=user.email)
    assert client.post(CODE, {"code": _code(secret)}).status_code == 302


def test_nothing_is_let_through_uncounted(user: User, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForgivingRedisCache, "is_there", lambda cache: False)
    page = post(user.email, PASSWORD, HOME)
    assert (page.status_code, "Signing in is paused" in page.content.decode()) == (200, True)
    asked = Client().post("/accounts/password/reset/", {"email": user.email})
    assert "Signing in is paused" in asked.content.decode()
    assert mailoutbox == []


def test_a_cache_without_redis_is_not_there() -> None:
    gone = ForgivingRedisCache("redis://127.0.0.1:1/0", {})
    assert (gone.is_there(), cache.is_there()) == (False, True)  # type: ignore[attr-defined]


def _code(secret: str) -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
