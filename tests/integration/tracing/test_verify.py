"""Tampering by SQL as the tables' owner: always found, and the row is named."""

from __future__ import annotations

from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.rows import claimed_reply, make_trace, make_traces
from tracing import keys
from tracing.verify import Verification, verify_chain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def tamper(owner_url, tenant):
    """Run SQL as the owner, in the tenant's scope since row-level security holds for owners too."""

    def run(*statements: str, **values: object) -> None:
        with psycopg.connect(owner_url) as connection:
            connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
            for statement in statements:
                connection.execute(statement, values)

    return run


def verified(tenant) -> Verification:
    with tenant_atomic(tenant.id):
        return verify_chain()


def findings(tenant) -> list[tuple[str, int]]:
    return [(finding.kind, finding.sequence) for finding in verified(tenant).findings]


def test_an_untouched_chain_is_sound(tenant):
    make_traces(tenant, 4)
    result = verified(tenant)
    assert (result.traces, result.is_sound) == (4, True)


def test_a_tenant_without_traces_is_sound(tenant):
    assert verified(tenant).is_sound


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'refused'",
        "confidence_band = 'high', total_ms = total_ms + 1",
        "model = 'other'",
        "created_at = created_at - interval '1 microsecond'",
        "steps = '[]'",
        "first_token_ms = NULL",
        "finish_reason = ''",
    ],
)
def test_an_altered_column_is_found_in_its_row(tenant, tamper, change):
    traces = make_traces(tenant, 4)
    tamper(f"UPDATE tracing_trace SET {change} WHERE sequence = 2")
    (finding,) = verified(tenant).findings
    assert (finding.kind, finding.sequence, finding.row_id) == ("altered", 2, traces[1].id)


def test_altered_content_is_found_in_its_row(tenant, tamper):
    make_traces(tenant, 3)
    tamper("UPDATE tracing_trace SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE sequence = 2")
    assert findings(tenant) == [("content_altered", 2)]


def test_altered_content_with_a_matching_digest_is_found(tenant, tamper):
    make_traces(tenant, 3)
    tamper("UPDATE tracing_trace SET sealed = 'x', sealed_digest = sha256('x') WHERE sequence = 2")
    assert findings(tenant) == [("altered", 2)]


def test_content_swapped_between_rows_is_found_in_both(tenant, tamper):
    make_traces(tenant, 3)
    tamper(
        "UPDATE tracing_trace t SET sealed = o.sealed, sealed_digest = o.sealed_digest FROM tracing_trace o "
        "WHERE t.sequence IN (1, 2) AND o.sequence = 3 - t.sequence"
    )
    assert findings(tenant) == [("altered", 1), ("altered", 2)]


def test_an_altered_link_accuses_its_row_only(tenant, tamper):
    make_traces(tenant, 4)
    tamper("UPDATE tracing_trace SET chain = sha256('x') WHERE sequence = 2")
    assert findings(tenant) == [("altered", 2)]


@pytest.mark.parametrize("sequence", [1, 2, 4])
def test_a_removed_row_is_named_by_its_number(tenant, tamper, sequence):
    make_traces(tenant, 4)
    tamper("DELETE FROM tracing_trace WHERE sequence = %(sequence)s", sequence=sequence)
    expected = [("removed", sequence)] if sequence < 4 else [("head_altered", 4), ("removed", 4)]
    assert sorted(findings(tenant)) == expected


def test_removing_the_newest_row_and_turning_back_the_head_is_found(tenant, tamper):
    make_traces(tenant, 3)
    tamper(
        "DELETE FROM tracing_trace WHERE sequence = 3",
        "UPDATE tracing_chainhead SET sequence = 2, chain = (SELECT chain FROM tracing_trace WHERE sequence = 2)",
    )
    assert findings(tenant) == [("head_altered", 2)]


def test_two_rows_that_changed_places_are_both_named(tenant, tamper):
    traces = make_traces(tenant, 5)
    tamper(
        "UPDATE tracing_trace SET sequence = 999 WHERE sequence = 2",
        "UPDATE tracing_trace SET sequence = 2 WHERE sequence = 3",
        "UPDATE tracing_trace SET sequence = 3 WHERE sequence = 999",
    )
    result = [(each.kind, each.sequence, each.moved_from, each.row_id) for each in verified(tenant).findings]
    assert result == [("moved", 2, 3, traces[2].id), ("moved", 3, 2, traces[1].id)]


def test_closing_the_gap_of_a_removed_row_is_found(tenant, tamper):
    make_traces(tenant, 4)
    tamper(
        "DELETE FROM tracing_trace WHERE sequence = 2",
        "UPDATE tracing_trace SET sequence = 2 WHERE sequence = 3",
        "UPDATE tracing_trace SET sequence = 3 WHERE sequence = 4",
    )
    assert findings(tenant) == [("altered", 2), ("moved", 3), ("removed", 4)]


def test_a_row_inserted_behind_the_end_is_found(tenant, tamper):
    make_traces(tenant, 2)
    tamper(
        "INSERT INTO tracing_trace SELECT (jsonb_populate_record(t, jsonb_build_object("
        "'id', gen_random_uuid(), 'sequence', 3, 'reply_id', %(reply)s::text))).* "
        "FROM tracing_trace t WHERE sequence = 2",
        reply=str(claimed_reply(tenant).id),
    )
    assert findings(tenant) == [("inserted", 3)]


def test_a_whole_chain_without_its_head_is_found(tenant, tamper):
    make_traces(tenant, 2)
    tamper("DELETE FROM tracing_chainhead")
    assert findings(tenant) == [("inserted", 1), ("inserted", 2)]


def test_a_missing_chain_key_is_an_error_and_not_a_new_key(tenant, tamper):
    make_trace(tenant)
    tamper("DELETE FROM tracing_datakey WHERE purpose = 'chain'")
    with pytest.raises(SealError):
        verified(tenant)


def test_a_chain_verifies_after_the_content_key_was_replaced_and_the_old_one_destroyed(tenant, tamper):
    make_traces(tenant, 2)
    tamper("UPDATE tracing_datakey SET wrapped = '', retired_at = now() WHERE purpose = 'content'")
    keys.cache.clear()
    make_traces(tenant, 2)
    assert verified(tenant).is_sound


def test_verify_traces_names_the_tenant_and_the_row(tenant, tamper):
    traces = make_traces(tenant, 2)
    make_trace(make_tenant())
    out = StringIO()
    call_command("verify_traces", stdout=out)
    assert f"{tenant.slug}: 2 traces, sound" in out.getvalue()
    tamper("UPDATE tracing_trace SET total_ms = 1 WHERE sequence = 1")
    out = StringIO()
    with pytest.raises(CommandError, match=f"tampered with: {tenant.slug}"):
        call_command("verify_traces", tenant.slug, stdout=out)
    assert f"#1 (trace {traces[0].id}, reply {traces[0].reply_id}): altered" in out.getvalue()


def test_verify_traces_says_that_a_tenant_does_not_exist():
    with pytest.raises(CommandError, match="There is no tenant nowhere"):
        call_command("verify_traces", "nowhere")
