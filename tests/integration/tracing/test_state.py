"""What stands beside the chain and was changed by SQL as the tables' owner: keys, holds, the policy, API keys."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone

from conversations.domain import begin_visit
from conversations.models import Visitor
from helpdesk.api_keys import noting
from helpdesk.api_keys.domain import create_key, revoke_key
from helpdesk.api_keys.models import ApiKey
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_api_key, make_tenant, make_user
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import make_trace
from tests.integration.tracing.vault import tamperer, verified
from tracing import keys, links
from tracing.anchoring import anchor_chains
from tracing.chain import begin_chain
from tracing.erase import erase_customer
from tracing.holds import active_hold_of, place_hold, release_hold
from tracing.keys import existing_key
from tracing.models import ChainHead, DataKey, KeyEvent, KeyPurpose
from tracing.retention import set_policy
from tracing.retention_changes import ChangeNotLogged
from tracing.rotate import rotate_keys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    """Two answers of two customers, one conversation held, one hold released, a policy, three API keys of which one ended."""
    tenant = make_tenant()
    held, free = make_trace(tenant), make_trace(tenant)
    with tenant_atomic(tenant.id):
        place_hold(held.conversation, user=None, reason="court case 12/26")
        place_hold(free.conversation, user=None, reason="by mistake")
        release_hold(active_hold_of(free.conversation_id), user=None)
        set_policy(prompts=30, answers=90, metrics=None)
    create_key(tenant_id=tenant.id, name="Reader", scopes=["stats:read"], expires_at=timezone.now() + timedelta(days=9))
    create_key(tenant_id=tenant.id, name="Writer", scopes=["answers:write"], created_by=make_user(tenant))
    ended = create_key(tenant_id=tenant.id, name="Ended", scopes=["traces:content"])
    revoke_key(tenant_id=tenant.id, key_id=ended.key.id)
    erased = begin_visit(tenant.id)
    make_trace(tenant, visitor_id=erased)
    with tenant_atomic(tenant.id):
        erase_customer(Visitor.objects.get(id=erased))
    assert verified(tenant).findings == []
    return tenant


@pytest.fixture
def tamper(owner_url, tenant):
    return tamperer(owner_url, tenant)


def kinds(tenant) -> list[str]:
    return sorted(finding.kind for finding in verified(tenant).findings)


A_LIVING_KEY = "purpose = 'content' AND destroyed_at IS NULL"
ONE_LIVING_KEY = f"id = (SELECT id FROM tracing_datakey WHERE {A_LIVING_KEY} ORDER BY id LIMIT 1)"
INSERT_HOLD = (
    "INSERT INTO tracing_legalhold (id, tenant_id, conversation_id, reason, placed_at) "
    "SELECT gen_random_uuid(), tenant_id, conversation_id, 'forged', now() FROM tracing_legalhold WHERE released_at IS NOT NULL"
)
INSERT_API_KEY = (
    "INSERT INTO api_keys_apikey SELECT (jsonb_populate_record(k, jsonb_build_object('id', gen_random_uuid(), "
    "'prefix', 'forged00', 'digest', repeat('a', 64)))).* FROM api_keys_apikey k WHERE name = 'Writer'"
)
TAMPERINGS = {
    "a wiped key": (f"UPDATE tracing_datakey SET wrapped = '' WHERE {ONE_LIVING_KEY}", "key_destroyed"),
    "a key marked as destroyed": (
        f"UPDATE tracing_datakey SET wrapped = '', destroyed_at = now() WHERE {ONE_LIVING_KEY}", "key_destroyed",
    ),
    "a key marked, its bytes kept": (
        f"UPDATE tracing_datakey SET destroyed_at = now() WHERE {ONE_LIVING_KEY}", "key_destroyed",
    ),
    "a key overwritten": (
        f"UPDATE tracing_datakey SET wrapped = sha256(wrapped) WHERE {ONE_LIVING_KEY}", "key_altered",
    ),
    "an erased key back": (
        "UPDATE tracing_datakey d SET wrapped = o.wrapped, destroyed_at = NULL FROM tracing_datakey o "
        f"WHERE d.destroyed_at IS NOT NULL AND o.{ONE_LIVING_KEY}", "key_restored",
    ),
    "a hold deleted": ("DELETE FROM tracing_legalhold WHERE released_at IS NULL", "hold_altered"),
    "a hold released": ("UPDATE tracing_legalhold SET released_at = now()", "hold_altered"),
    "a hold taken up again": (
        "UPDATE tracing_legalhold SET released_at = NULL WHERE released_at IS NOT NULL", "hold_altered",
    ),
    "a hold inserted": (INSERT_HOLD, "hold_altered"),
    "prompts kept longer": ("UPDATE tracing_retentionpolicy SET prompts_days = 31", "policy_altered"),
    "everything deleted sooner": (
        "UPDATE tracing_retentionpolicy SET prompts_days = 1, answers_days = 1, metrics_days = 1", "policy_altered",
    ),
    "the policy deleted": ("DELETE FROM tracing_retentionpolicy", "policy_altered"),
    "an API key inserted": (INSERT_API_KEY, "api_key_inserted"),
    "an API key deleted": ("DELETE FROM api_keys_apikey WHERE name = 'Writer'", "api_key_removed"),
    "wider scopes": (
        "UPDATE api_keys_apikey SET scopes = ARRAY['traces:content'] WHERE name = 'Reader'", "api_key_altered",
    ),
    "another secret": ("UPDATE api_keys_apikey SET digest = repeat('b', 64) WHERE name = 'Reader'", "api_key_altered"),
    "another prefix": ("UPDATE api_keys_apikey SET prefix = 'forged01' WHERE name = 'Reader'", "api_key_altered"),
    "no expiry any more": ("UPDATE api_keys_apikey SET expires_at = NULL WHERE name = 'Reader'", "api_key_altered"),
    "no limit of requests": (
        "UPDATE api_keys_apikey SET requests_per_minute = 99999 WHERE name = 'Reader'", "api_key_altered",
    ),
    "another name": ("UPDATE api_keys_apikey SET name = 'Innocent' WHERE name = 'Reader'", "api_key_altered"),
    "un-revoked": ("UPDATE api_keys_apikey SET revoked_at = NULL WHERE name = 'Ended'", "api_key_altered"),
    "revoked by nobody": ("UPDATE api_keys_apikey SET revoked_at = now() WHERE name = 'Writer'", "api_key_altered"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_change_beside_the_chain_is_named(tenant, tamper, name):
    statement, kind = TAMPERINGS[name]
    tamper(statement)
    assert kinds(tenant) == [kind]


def test_keys_changed_between_two_customers_are_named(tenant, tamper):
    tamper(
        "WITH two AS (SELECT id, wrapped, row_number() OVER (ORDER BY id) n FROM tracing_datakey "
        f"WHERE {A_LIVING_KEY}) UPDATE tracing_datakey d SET wrapped = o.wrapped FROM two m, two o "
        "WHERE d.id = m.id AND o.n = 3 - m.n"
    )
    assert kinds(tenant) == ["key_altered", "key_altered"]


def test_ids_events_and_states_are_told_in_words(tenant, tamper):
    tamper(
        "UPDATE tracing_retentionpolicy SET prompts_days = 3",
        "UPDATE api_keys_apikey SET revoked_at = NULL WHERE name = 'Ended'",
    )
    out = StringIO()
    with pytest.raises(CommandError, match=tenant.slug):
        call_command("verify_traces", tenant.slug, stdout=out)
    assert "the retention policy differs from the chain: prompts: 30 noted, 3 found" in out.getvalue()
    with tenant_atomic(tenant.id):
        ended = ApiKey.objects.get(name="Ended").id
    assert f"(apikey {ended}): api key altered" in out.getvalue()
    assert "it was revoked and no longer is" in out.getvalue()


def test_an_event_removed_with_what_it_notes_is_found_in_the_chain(tenant, tamper):
    tamper(
        "ALTER TABLE tracing_keyevent DISABLE TRIGGER append_only",
        "DELETE FROM tracing_keyevent WHERE figures->>'scopes' LIKE '%%answers:write%%'",
        "DELETE FROM api_keys_apikey WHERE name = 'Writer'",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "ALTER TABLE tracing_keyevent ENABLE TRIGGER append_only",
    )
    assert kinds(tenant) == ["removed"]


def test_what_the_desk_itself_changes_is_no_tampering(tenant):
    for _ in range(3):
        rotate_keys(tenant.id)
    with tenant_atomic(tenant.id):
        assert DataKey.objects.filter(purpose="tenant", destroyed_at__isnull=False).count() == 2
        set_policy(prompts=None, answers=None, metrics=None)
    make_api_key(tenant)
    assert verified(tenant).findings == []


def test_events_hold_nobodys_words(tenant):
    with tenant_atomic(tenant.id):
        noted = [str(event.figures) for event in KeyEvent.objects.filter(kind="api_key_created")]
    assert len(noted) == 3
    assert not [text for text in noted if "Reader" in text or "Writer" in text]


def test_no_key_is_made_or_revoked_while_it_cannot_be_noted(tenant, settings):
    with tenant_atomic(tenant.id):
        living = ApiKey.objects.get(name="Writer")
    settings.MASTER_KEY = ""
    with pytest.raises(ChangeNotLogged):
        create_key(tenant_id=tenant.id, name="Unnoted", scopes=["stats:read"])
    with pytest.raises(ChangeNotLogged):
        revoke_key(tenant_id=tenant.id, key_id=living.id)
    with tenant_atomic(tenant.id):
        assert not ApiKey.objects.filter(name="Unnoted").exists()
        assert ApiKey.objects.get(id=living.id).revoked_at is None


def test_no_key_is_made_where_nothing_keeps_notes(tenant, monkeypatch):
    monkeypatch.setattr(noting, "_kept_by", [])
    with pytest.raises(ImproperlyConfigured):
        create_key(tenant_id=tenant.id, name="Unnoted", scopes=["stats:read"])
    with tenant_atomic(tenant.id):
        assert not ApiKey.objects.filter(name="Unnoted").exists()


def test_an_older_chain_takes_over_what_it_finds_once(owner_url):
    tenant = make_tenant()
    trace = make_format1_trace(tenant)
    tamper = tamperer(owner_url, tenant)
    # As an older version of the desk left them: no event knows of the key, the policy and the destroyed content key.
    tamper(
        "INSERT INTO api_keys_apikey (id, tenant_id, name, prefix, digest, scopes, created_at) "
        "SELECT gen_random_uuid(), tenant_id, 'Old', 'oldkey00', repeat('c', 64), '{stats:read}', now() FROM tracing_chainhead",
        "INSERT INTO tracing_retentionpolicy (id, tenant_id, prompts_days) SELECT gen_random_uuid(), tenant_id, 7 "
        "FROM tracing_chainhead",
        "UPDATE tracing_datakey SET wrapped = '', destroyed_at = now(), retired_at = now() WHERE purpose = 'content'",
    )
    before = verified(tenant)
    assert (before.findings, len(before.notes)) == ([], 1)
    make_trace(tenant)
    after = verified(tenant)
    assert (after.findings, after.notes, after.rows) == ([], [], 3)
    assert trace.sequence == 1
    tamper("UPDATE api_keys_apikey SET scopes = '{traces:content}'")
    assert kinds(tenant) == ["api_key_altered"]


def test_the_clock_alone_notes_the_state_of_an_older_chain(owner_url):
    tenant = make_tenant()
    make_format1_trace(tenant)
    tamperer(owner_url, tenant)(
        "INSERT INTO tracing_retentionpolicy (id, tenant_id, prompts_days) SELECT gen_random_uuid(), tenant_id, 7 "
        "FROM tracing_chainhead"
    )
    anchor_chains()
    result = verified(tenant)
    assert (result.findings, result.notes, result.rows) == ([], [], 2)


def test_an_end_of_the_older_kind_does_not_note_a_state_a_second_time(owner_url):
    """While an older worker still ends its work beside the new desk, it writes such ends."""
    tenant = make_tenant()
    make_format1_trace(tenant)
    tamper = tamperer(owner_url, tenant)
    tamper(
        "INSERT INTO tracing_retentionpolicy (id, tenant_id, prompts_days) SELECT gen_random_uuid(), tenant_id, 7 "
        "FROM tracing_chainhead"
    )
    make_trace(tenant)
    make_format1_trace(tenant)
    tamper("UPDATE tracing_retentionpolicy SET prompts_days = 1000")
    make_trace(tenant)
    assert kinds(tenant) == ["policy_altered"]


def test_a_state_that_is_noted_after_an_anchor_does_not_hide_a_change(tenant, tamper):
    anchor_chains()
    tamper("UPDATE tracing_retentionpolicy SET metrics_days = 1000")
    with tenant_atomic(tenant.id):
        # What nobody can do without the chain's key; the rule holds all the same.
        head, key = ChainHead.objects.get(), existing_key(KeyPurpose.CHAIN)
        head.mac = links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain), label=links.HEAD_BEFORE_STATE)
        head.save(update_fields=["mac"])
        begin_chain()
    assert kinds(tenant) == ["state_noted_again"]


def test_going_on_from_a_forged_end_does_not_make_it_genuine(tenant, tamper):
    make_trace(tenant)
    tamper("UPDATE tracing_chainhead SET mac = sha256(mac)")
    make_trace(tenant)
    assert kinds(tenant) == ["head_altered"]


def test_opening_many_keys_leaves_the_cache_of_customers_keys_alone(tenant):
    with tenant_atomic(tenant.id):
        customers = {key.id for key in DataKey.objects.filter(purpose="content")}
    keys.cache.clear()
    assert verified(tenant).findings == []
    assert not customers.intersection(name[0] for name in keys.cache._keys)
