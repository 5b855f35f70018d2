"""Customers whom their company's server names: which tokens count, what they begin, and keys made, followed and revoked."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from conversations.identity.identities import visitor_of_token
from conversations.identity.keys import MOST_ACTIVE, CreatedIdentityKey, create_identity_key, revoke_identity_key
from conversations.models import IdentityKey, Visitor
from conversations.validation import clean_context
from helpdesk.errors import InvalidInput, NotFound, NotSignedIn
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_ticket, make_user
from tests.integration.conversations.test_sockets import OURS, code_of, errors_of, off_loop, opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_limits() -> None:
    """Visits that other tests began from this address do not count."""
    cache.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def made(tenant: Tenant) -> CreatedIdentityKey:
    return create_identity_key(tenant_id=tenant.id, name="Shop backend")


def signed(
    made: CreatedIdentityKey, *, kid: str | None = None, key: Any = None, algorithm: str = "ES256", **claims: Any
) -> str:
    """What the company's server makes; a claim of None is left out."""
    said = {"sub": "customer-7", "exp": int(time.time()) + 3600} | claims
    return jwt.encode(
        {name: value for name, value in said.items() if value is not None},
        key or made.private_key,
        algorithm=algorithm,
        headers={"kid": made.key.kid if kid is None else kid},
    )


def session(tenant: Tenant, identity: object = None, token: str = "") -> Any:
    headers = {"HTTP_GLASSDESK_TICKET": make_ticket(tenant)}
    if token:
        headers["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    body = {} if identity is None else {"identity": identity}
    return Client().post(f"/widget/{tenant.slug}/session?language=en", body, content_type="application/json", **headers)


def visitor(tenant: Tenant, token: str) -> Visitor:
    identity = visitor_of_token(token, tenant_id=tenant.id)
    with tenant_atomic(tenant.id):
        found: Visitor = Visitor.objects.get(id=identity.visitor_id)
        return found


def test_a_signed_customer_is_the_same_visitor_on_every_device(tenant: Tenant, made: CreatedIdentityKey) -> None:
    first = session(tenant, signed(made, name="Lin Wu", email="lin@tea.example")).json()["token"]
    second = session(tenant, signed(made, name="Lin W.", email="not an address")).json()["token"]
    found = visitor(tenant, first)
    assert visitor(tenant, second).id == found.id
    assert (found.subject, visitor(tenant, second).name, visitor(tenant, second).email) == ("customer-7", "Lin W.", "")
    assert visitor(tenant, session(tenant, signed(made, sub="customer-8")).json()["token"]).id != found.id
    with tenant_atomic(tenant.id):
        assert IdentityKey.objects.get().last_used_at is not None


def test_an_anonymous_visit_is_not_taken_over(tenant: Tenant, made: CreatedIdentityKey) -> None:
    anonymous = session(tenant).json()["token"]
    identified = session(tenant, signed(made), token=anonymous).json()["token"]
    assert visitor(tenant, identified).id != visitor(tenant, anonymous).id
    assert visitor(tenant, anonymous).subject == ""


def other_key() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def refusals(made: CreatedIdentityKey) -> dict[str, tuple[object, str]]:
    now = int(time.time())
    unsigned = jwt.encode({"sub": "x", "exp": now + 60}, None, algorithm="none", headers={"kid": made.key.kid})
    secret = jwt.encode({"sub": "x", "exp": now + 60}, "a" * 32, algorithm="HS256", headers={"kid": made.key.kid})
    return {
        "no text": (7, "malformed"),
        "empty": ("", "malformed"),
        "not three parts": ("a.b", "malformed"),
        "long": ("x" * 4001, "malformed"),
        "another key's kid": (signed(made, kid="000000000000"), "unknown_key"),
        "no kid": (signed(made, kid=""), "unknown_key"),
        "another key": (signed(made, key=other_key()), "bad_signature"),
        "unsigned": (unsigned, "bad_signature"),
        "another algorithm": (secret, "bad_signature"),
        "altered": (signed(made)[:-6] + "AAAAAA", "bad_signature"),
        "over": (signed(made, exp=now - 60), "expired"),
        "endless": (signed(made, exp=None), "incomplete"),
        "nobody": (signed(made, sub=None), "incomplete"),
        "an end in words": (signed(made, exp=str(now + 30 * 86_400)), "lasts_too_long"),
        "a month": (signed(made, exp=now + 30 * 86_400), "lasts_too_long"),
        "an empty subject": (signed(made, sub=""), "bad_subject"),
        "a long subject": (signed(made, sub="x" * 129), "bad_subject"),
        "a subject of controls": (signed(made, sub="a\nb"), "bad_subject"),
        "not yet": (signed(made, nbf=now + 600), "bad_signature"),
    }


def test_what_does_not_count_says_why_and_makes_nobody(tenant: Tenant, made: CreatedIdentityKey) -> None:
    for name, (token, reason) in refusals(made).items():
        answer = session(tenant, token)
        assert (name, answer.status_code, answer.json()["error"].get("reason")) == (name, 422, reason)
    with tenant_atomic(tenant.id):
        assert Visitor.objects.count() == 0


def test_another_company_s_key_names_nobody_here(tenant: Tenant) -> None:
    theirs = create_identity_key(tenant_id=make_tenant().id, name="Theirs")
    assert session(tenant, signed(theirs)).json()["error"]["reason"] == "unknown_key"


def test_one_key_follows_another_without_a_gap(tenant: Tenant, made: CreatedIdentityKey) -> None:
    following = create_identity_key(tenant_id=tenant.id, name="Shop backend 2")
    assert [session(tenant, signed(key)).status_code for key in (made, following)] == [200, 200]
    revoke_identity_key(tenant_id=tenant.id, key_id=made.key.id)
    assert [session(tenant, signed(key)).status_code for key in (made, following)] == [422, 200]


async def test_a_revoked_key_ends_the_visits_that_it_began() -> None:
    tenant = await off_loop(make_tenant)()
    made = await off_loop(create_identity_key)(tenant_id=tenant.id, name="Shop backend")
    answer = await off_loop(session)(tenant, signed(made))
    token = answer.json()["token"]

    async def socket() -> Any:
        offered = [OURS, f"visitor.{token}", f"origin.{make_ticket(tenant)}"]
        return (await opened(f"/ws/widget/{tenant.slug}/", offered))[0]

    served = await socket()
    assert [each["type"] for each in await errors_of(served)] == ["ready"]
    await served.disconnect(timeout=10)
    await off_loop(revoke_identity_key)(tenant_id=tenant.id, key_id=made.key.id)
    assert await code_of(await socket()) == 4401
    with pytest.raises(NotSignedIn):
        await off_loop(visitor_of_token)(token, tenant_id=tenant.id)


def test_an_identified_visit_lasts_a_day_however_often_it_is_renewed(
    tenant: Tenant, made: CreatedIdentityKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = session(tenant, signed(made)).json()["token"]
    assert session(tenant, token=token).json()["token"] == token
    real = signing.time.time  # type: ignore[attr-defined]
    monkeypatch.setattr(signing.time, "time", lambda: real() + 86_500)  # type: ignore[attr-defined]
    with pytest.raises(NotSignedIn):
        visitor_of_token(token, tenant_id=tenant.id)


async def test_a_page_s_context_is_kept_with_its_visitor() -> None:
    tenant = await off_loop(make_tenant)()
    answer = await off_loop(session)(tenant)
    offered = [OURS, f"visitor.{answer.json()['token']}", f"origin.{make_ticket(tenant)}"]
    socket, _ = await opened(f"/ws/widget/{tenant.slug}/", offered)
    await errors_of(socket)
    assert await errors_of(socket, '{"type": "context", "context": {"plan": "Pro", "seats": 3, "trial": true}}') == []
    found = await off_loop(visitor)(tenant, answer.json()["token"])
    assert found.context == {"plan": "Pro", "seats": "3", "trial": "true"}
    (error,) = await errors_of(socket, '{"type": "context", "context": [1]}')
    assert error["error"]["code"] == "invalid"
    await socket.disconnect(timeout=10)


@pytest.mark.parametrize(
    "context",
    [
        None,
        "x",
        {"a": {}},
        {"a": None},
        {"": "x"},
        {"a": "x" * 301},
        {"a" * 41: "x"},
        {"a": "\x00"},
        {f"{n}": 1 for n in range(21)},
    ],
)
def test_a_context_is_small_and_flat(context: object) -> None:
    with pytest.raises(InvalidInput):
        clean_context(context)


# The page of keys.


def url(tenant: Tenant) -> str:
    return reverse("desk:identity_keys", kwargs={"tenant_slug": tenant.slug})


def keys_of(tenant: Tenant) -> list[IdentityKey]:
    with tenant_atomic(tenant.id):
        return list(IdentityKey.objects.all())


def test_a_private_key_is_shown_once_and_stored_nowhere(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant, Role.ADMIN))
    assert client.post(url(tenant), {"name": "Shop backend"}).status_code == 302
    first, second = (client.get(url(tenant)).content.decode() for _ in range(2))
    (key,) = keys_of(tenant)
    assert ["BEGIN PRIVATE KEY" in page for page in (first, second)] == [True, False]
    assert "PRIVATE" not in key.public_key
    assert key.kid in second
    with tenant_atomic(tenant.id):
        assert [fact.kind for fact in Fact.objects.all()] == ["identity_key.created"]
    assert client.post(reverse("desk:revoke_identity_key", args=[tenant.slug, key.id])).status_code == 302
    assert keys_of(tenant)[0].revoked_at is not None


@pytest.mark.parametrize("role", [Role.EDITOR, Role.REVIEWER, Role.AGENT, Role.VIEWER])
def test_other_roles_neither_see_make_nor_revoke_keys(
    client: Client, tenant: Tenant, made: CreatedIdentityKey, role: Role
) -> None:
    client.force_login(make_user(tenant, role))
    revoke = reverse("desk:revoke_identity_key", args=[tenant.slug, made.key.id])
    responses = [client.get(url(tenant)), client.post(url(tenant), {"name": "Mine"}), client.post(revoke)]
    assert [response.status_code for response in responses] == [403, 403, 403]
    assert [key.revoked_at for key in keys_of(tenant)] == [None]


def test_outsiders_and_other_companies_find_no_key(client: Client, tenant: Tenant, made: CreatedIdentityKey) -> None:
    other = make_tenant()
    client.force_login(make_user(other, Role.OWNER))
    assert client.get(url(tenant)).status_code == 404
    assert client.post(reverse("desk:revoke_identity_key", args=[other.slug, made.key.id])).status_code == 404
    with pytest.raises(NotFound):
        revoke_identity_key(tenant_id=other.id, key_id=made.key.id)
    assert keys_of(tenant)[0].revoked_at is None


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\x07"])
def test_a_key_has_a_name(client: Client, tenant: Tenant, name: str) -> None:
    client.force_login(make_user(tenant, Role.OWNER))
    assert (client.post(url(tenant), {"name": name}).status_code, keys_of(tenant)) == (400, [])


def test_only_some_keys_can_be_active_at_once(tenant: Tenant) -> None:
    made = [create_identity_key(tenant_id=tenant.id, name="A") for _ in range(MOST_ACTIVE)]
    with pytest.raises(InvalidInput):
        create_identity_key(tenant_id=tenant.id, name="A")
    revoke_identity_key(tenant_id=tenant.id, key_id=made[0].key.id)
    create_identity_key(tenant_id=tenant.id, name="A")
