"""Keys: what is stored, what opens, what does not, and who is told what about it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from helpdesk.api_keys.domain import create_key, recognise, revoke_key
from helpdesk.api_keys.errors import InvalidApiKey
from helpdesk.api_keys.key_text import make_key_text, parse_key_text
from helpdesk.api_keys.models import ApiKey
from helpdesk.api_keys.scopes import Scope
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def row(tenant: Tenant) -> ApiKey:
    with tenant_atomic(tenant.id):
        return ApiKey.objects.get()


def test_a_key_opens_its_tenant_with_its_scopes_and_nothing_else(tenant: Tenant) -> None:
    created = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.ANSWERS_WRITE, Scope.ANSWERS_WRITE])
    client = recognise(created.text)
    assert (client.tenant_id, client.key_id, client.scopes) == (tenant.id, created.key.id, {"answers:write"})


def test_only_the_digest_is_stored(tenant: Tenant) -> None:
    created = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ])
    secret = created.text.rpartition("_")[2]
    with tenant_atomic(tenant.id), connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM api_keys_apikey k")
        (stored,) = cursor.fetchone()
    assert secret not in stored
    assert row(tenant).digest == hashlib.sha256(created.text.encode()).hexdigest()


def test_unknown_revoked_expired_and_malformed_keys_are_refused_alike(tenant: Tenant) -> None:
    sound = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ])
    revoked = create_key(tenant_id=tenant.id, name="Old", scopes=[Scope.STATS_READ])
    revoke_key(tenant_id=tenant.id, key_id=revoked.key.id)
    expired = create_key(
        tenant_id=tenant.id, name="Older", scopes=[Scope.STATS_READ], expires_at=timezone.now() + timedelta(hours=1)
    )
    with tenant_atomic(tenant.id):
        ApiKey.objects.filter(id=expired.key.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    other = make_key_text(make_tenant().id).text
    mark, tenant_part, prefix, secret = sound.text.split("_")
    texts = [
        "", "gd_", "sk-something", other, revoked.text, expired.text, sound.text[:-1], sound.text + "a", sound.text.upper(),
        "_".join([mark, tenant_part, prefix, "a" * len(secret)]),
        "_".join([mark, tenant_part, "a" * 8, secret]),
        # The right prefix and secret under another tenant's id.
        "_".join([mark, other.split("_")[1], prefix, secret]),
        "_".join([mark, "7" * 26, prefix, secret]),
        sound.text + "\n", sound.text.replace("gd_", "gd_\u0661"),
    ]  # fmt: skip
    sentences = set()
    for text in texts:
        with pytest.raises(InvalidApiKey) as refused:
            recognise(text)
        sentences.add(str(refused.value.as_dict()))
    assert len(sentences) == 1
    assert recognise(sound.text).key_id == sound.key.id


def test_the_text_of_a_key_can_be_read_back_into_its_parts() -> None:
    tenant_id = Tenant().id
    made = make_key_text(tenant_id)
    assert parse_key_text(made.text) == made
    assert made.tenant_id == tenant_id


def test_last_use_is_written_at_most_once_a_minute(tenant: Tenant) -> None:
    text = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ]).text
    recognise(text)
    first = row(tenant).last_used_at
    assert first is not None
    recognise(text)
    assert row(tenant).last_used_at == first
    with tenant_atomic(tenant.id):
        ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    recognise(text)
    assert row(tenant).last_used_at > first


def test_a_refused_key_is_not_noted_as_used(tenant: Tenant) -> None:
    created = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ])
    revoke_key(tenant_id=tenant.id, key_id=created.key.id)
    with pytest.raises(InvalidApiKey):
        recognise(created.text)
    assert row(tenant).last_used_at is None


def test_a_key_is_revoked_once_and_by_its_own_tenant_only(tenant: Tenant) -> None:
    created = create_key(tenant_id=tenant.id, name="Shop", scopes=[Scope.STATS_READ])
    with pytest.raises(NotFound):
        revoke_key(tenant_id=make_tenant().id, key_id=created.key.id)
    first = revoke_key(tenant_id=tenant.id, key_id=created.key.id).revoked_at
    assert first is not None
    assert revoke_key(tenant_id=tenant.id, key_id=created.key.id).revoked_at == first


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "a" * 81},
        {"name": "a\u0000b"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"expires_at": timezone.now() - timedelta(days=1)},
        {"requests_per_minute": 0},
    ],
)
def test_a_key_that_cannot_be_is_not_made(tenant: Tenant, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        create_key(**{"tenant_id": tenant.id, "name": "Shop", "scopes": [Scope.STATS_READ]} | wrong)
    with tenant_atomic(tenant.id):
        assert ApiKey.objects.count() == 0


def test_the_commands_make_list_and_revoke_keys(tenant: Tenant) -> None:
    out, listed = StringIO(), StringIO()
    call_command(
        "create_api_key", tenant.slug, "--name", "Shop", "--scope", "stats:read", "--expires-days", "2",
        stdout=out, stderr=StringIO(),
    )  # fmt: skip
    text = out.getvalue().strip()
    assert recognise(text).scopes == {"stats:read"}
    call_command("api_keys", tenant.slug, stdout=listed)
    key = row(tenant)
    assert listed.getvalue().split()[:2] == [key.prefix, "active"]
    assert text.rpartition("_")[2] not in listed.getvalue()
    call_command("revoke_api_key", tenant.slug, key.prefix, stdout=StringIO())
    with pytest.raises(InvalidApiKey):
        recognise(text)
    with pytest.raises(CommandError, match="has no key"):
        call_command("revoke_api_key", make_tenant().slug, key.prefix)
    with pytest.raises(CommandError, match="Choose at least one"):
        call_command("create_api_key", tenant.slug, "--name", "Shop")
