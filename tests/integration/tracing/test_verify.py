"""Tampering by SQL as the tables' owner: always found, and the row is named."""

from __future__ import annotations

import json
import threading
import uuid
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from conversations.models import Message, Outcome, Reply
from conversations.replies import Answer, finish_reply
from helpdesk import crypto
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic, tenant_snapshot
from tests.factories import make_tenant
from tests.integration.tracing.format1 import LINKED as FORMAT_1
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import claimed_reply, make_trace, make_traces
from tests.integration.tracing.vault import make_analysis, opened, tamperer, verified
from tests.unit.tracing.samples import ANSWER, make_content, make_record
from tracing import keys, links
from tracing.chain import append_to_chain, locked_head
from tracing.columns import COLUMNS
from tracing.models import DeletionReceipt, KeyEvent, Trace, TraceAccess, TraceAnalysis
from tracing.record import record_trace
from tracing.verify import verify_chain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def tamper(owner_url, tenant):
    return tamperer(owner_url, tenant)


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


def test_a_chain_holds_after_the_content_keys_were_destroyed_without_the_desk_and_the_keys_are_named(tenant, tamper):
    make_traces(tenant, 2)
    tamper("UPDATE tracing_datakey SET wrapped = '', retired_at = now() WHERE purpose = 'content'")
    keys.cache.clear()
    make_traces(tenant, 2)
    assert findings(tenant) == [("key_destroyed", 0), ("key_destroyed", 0)]


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


@pytest.fixture
def full_chain(tenant):
    """One row of every chained table: trace, access, analysis, receipt, two events, trace."""
    first = make_trace(tenant)
    opened(tenant, first)
    make_analysis(tenant, first)
    with tenant_atomic(tenant.id):
        append_to_chain(DeletionReceipt(kind="customer", count=0, ids_digest=""))
        append_to_chain(KeyEvent(kind="rotated", figures={"retired": 1}))
        append_to_chain(KeyEvent(kind="rotated"))
    make_trace(tenant)
    assert verified(tenant).is_sound
    return tenant


ROWS = [
    ("traceaccess", 2, "reason = 'another reason'"),
    ("traceaccess", 2, "user_id = NULL"),
    ("traceanalysis", 3, "figures = '{}'"),
    ("traceanalysis", 3, "created_at = created_at + interval '1 second'"),
    ("deletionreceipt", 4, "count = 3"),
    ("keyevent", 5, "figures = '{\"retired\": 2}'"),
    ("keyevent", 6, "kind = 'checkpoint'"),
]


def tampered(tamper, table, statement):
    """As the owner, who can switch the trigger off."""
    switch = [f"ALTER TABLE tracing_{table} DISABLE TRIGGER append_only"]
    tamper(*switch, statement, "SET CONSTRAINTS ALL IMMEDIATE", *[each.replace("DISABLE", "ENABLE") for each in switch])


@pytest.mark.parametrize(("table", "sequence", "change"), ROWS)
def test_an_altered_row_of_any_table_is_found(full_chain, tamper, table, sequence, change):
    tampered(tamper, table, f"UPDATE tracing_{table} SET {change} WHERE sequence = {sequence}")
    (finding,) = verified(full_chain).findings
    assert (finding.kind, finding.table, finding.sequence) == ("altered", table, sequence)
    assert finding.row_id is not None


@pytest.mark.parametrize(("table", "sequence"), sorted({row[:2] for row in ROWS}))
def test_a_removed_row_of_any_table_is_found(full_chain, tamper, table, sequence):
    tampered(tamper, table, f"DELETE FROM tracing_{table} WHERE sequence = {sequence}")
    assert findings(full_chain) == [("removed", sequence)]


def test_two_rows_of_one_table_that_changed_places_are_found(full_chain, tamper):
    tampered(
        tamper, "keyevent",
        "UPDATE tracing_keyevent SET sequence = 999 WHERE sequence = 5;"
        "UPDATE tracing_keyevent SET sequence = 5 WHERE sequence = 6;"
        "UPDATE tracing_keyevent SET sequence = 6 WHERE sequence = 999",
    )  # fmt: skip
    assert findings(full_chain) == [("moved", 5), ("moved", 6)]


def test_a_row_inserted_beside_another_table_s_row_is_found(full_chain, tamper):
    tamper(
        "INSERT INTO tracing_keyevent SELECT (jsonb_populate_record(k, jsonb_build_object("
        "'id', gen_random_uuid(), 'sequence', 3))).* FROM tracing_keyevent k WHERE sequence = 5"
    )
    assert findings(full_chain) == [("inserted", 3)]


def test_a_read_cannot_be_stored_outside_the_chain(full_chain, tamper):
    with pytest.raises(psycopg.errors.CheckViolation):
        tamper(
            "INSERT INTO tracing_traceaccess SELECT (jsonb_populate_record(a, jsonb_build_object("
            "'id', gen_random_uuid(), 'sequence', NULL))).* FROM tracing_traceaccess a"
        )


def test_a_blanked_analysis_without_a_receipt_is_found(full_chain, tamper):
    tamper("UPDATE tracing_traceanalysis SET sealed = ''")
    assert findings(full_chain) == [("content_altered", 3)]


def test_chains_of_both_formats_are_one_chain_and_both_are_read(tenant, tamper):
    old = make_format1_trace(tenant)
    new = make_trace(tenant)
    assert (opened(tenant, old).content, opened(tenant, new).content) == (make_content(), make_content())
    assert verified(tenant).is_sound
    tamper("UPDATE tracing_trace SET total_ms = 1 WHERE sequence = 1")
    assert findings(tenant) == [("altered", 1)]


def test_the_prompt_section_is_part_of_the_link(tenant, tamper):
    make_traces(tenant, 2)
    tamper("UPDATE tracing_trace SET sealed_prompt = 'x' WHERE sequence = 1")
    assert findings(tenant) == [("content_altered", 1)]
    tamper("UPDATE tracing_trace SET sealed_prompt_digest = sha256('x') WHERE sequence = 1")
    assert findings(tenant) == [("altered", 1)]


def test_a_trace_cannot_be_passed_off_as_one_of_format_1(tenant, tamper):
    make_traces(tenant, 2)
    tamper("UPDATE tracing_trace SET format = 1 WHERE sequence = 1")
    assert ("altered", 1) in findings(tenant)


@pytest.mark.parametrize("model", [Trace, TraceAccess, TraceAnalysis, DeletionReceipt, KeyEvent])
def test_every_column_is_in_the_link(model):
    payloads = {"chain", "sealed", "sealed_prompt", "sealed_digest", "sealed_prompt_digest"}
    columns = {field.attname for field in model._meta.concrete_fields}
    linked = {column.name for column in COLUMNS} if model is Trace else set(links.LINKED_FIELDS[model._meta.model_name])
    linked |= set(links.OF_A_KEY) if model is TraceAccess else set()
    assert columns - payloads == linked - payloads


def test_a_row_of_format_2_keeps_its_link_and_takes_no_later_column_unnoticed():
    key, previous, shared = b"k" * 32, b"p" * 32, {"id": uuid.uuid4(), "tenant_id": uuid.uuid4(), "sequence": 1}
    row = Trace(format=2, kind="direct", sealed_digest=b"a", sealed_prompt_digest=b"b", **shared)
    columns = {name: getattr(row, name) for name in (*FORMAT_1, "kind")}
    columns["created_at"] = row.created_at.isoformat()
    plain = json.dumps(columns, sort_keys=True, default=str).encode()
    assert links.link(key, row, previous=previous) == crypto.chain(key, b"trace/2", previous, b"a", b"b", plain)
    before = links.link(key, row, previous=previous)
    row.cache = "exact"
    assert links.link(key, row, previous=previous) != before


@pytest.mark.parametrize(
    "change", ["channel = 'api'", "cache = 'exact'", "cached_from = gen_random_uuid()", "saved_tokens = 9"]
)
def test_where_an_answer_came_from_is_part_of_the_link(tenant, tamper, change):
    make_traces(tenant, 2)
    tamper(f"UPDATE tracing_trace SET {change} WHERE sequence = 1")
    assert findings(tenant) == [("altered", 1)]


def test_rows_of_different_tables_never_share_a_link():
    key = b"k" * 32
    shared = {"id": uuid.uuid4(), "tenant_id": uuid.uuid4(), "sequence": 1}
    made = {
        links.link(key, model(**shared), previous=b"") for model in (Trace, TraceAnalysis, DeletionReceipt, KeyEvent)
    }
    assert len(made) == 4


def test_thousands_of_traces_are_verified_batch_by_batch(tenant):
    reply = claimed_reply(tenant)
    with tenant_atomic(tenant.id):
        finish_reply(reply, Answer(body=ANSWER, language="en", outcome=Outcome.ANSWERED))
        made = record_trace(reply, make_record())
        _multiply(made, 2_500)
    result = verified(tenant)
    assert (result.traces, result.is_sound) == (2_500, True)


def _multiply(trace, count):
    """Copies with replies of their own, chained like the product does, without its transaction for each."""
    key, head = keys.active_key(keys.KeyPurpose.CHAIN)[1], locked_head()
    reply = trace.reply
    while head.sequence < count:
        messages, replies, traces = [], [], []
        for _ in range(min(500, count - head.sequence)):
            message = Message(
                conversation_id=reply.conversation_id, position=1000 + head.sequence, author="customer", body="x"
            )
            copy = Reply(conversation_id=reply.conversation_id, question=message, deadline_at=reply.deadline_at)
            row = Trace.objects.get(id=trace.id) if not traces else replace_row(traces[-1])
            row.id, row.reply, row.sequence = uuid.uuid4(), copy, head.sequence + 1
            row.chain = links.link(key, row, previous=bytes(head.chain))
            head.sequence, head.chain = row.sequence, row.chain
            messages, replies, traces = [*messages, message], [*replies, copy], [*traces, row]
        for model, rows in ((Message, messages), (Reply, replies), (Trace, traces)):
            model.objects.bulk_create(rows)
    head.mac = links.head_mac(key, sequence=head.sequence, chain=bytes(head.chain))
    head.save()


def replace_row(row):
    return Trace(**{field.attname: getattr(row, field.attname) for field in Trace._meta.concrete_fields})


def test_answers_that_are_stored_meanwhile_are_not_taken_for_inserted_ones(tenant):
    make_traces(tenant, 2)
    with tenant_snapshot(tenant.id):
        assert Trace.objects.count() == 2
        storing = threading.Thread(target=_store_one, args=(tenant,))
        storing.start()
        storing.join(30)
        result = verify_chain(None)
    assert (result.traces, result.findings) == (2, [])
    assert verified(tenant).traces == 3


def _store_one(tenant):
    try:
        make_trace(tenant)
    finally:
        connections.close_all()
