"""Recording a trace with its answer: sealed, bound to its place, and never one without the other."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from conversations.domain import begin_visit
from conversations.models import Message, Outcome, Reply, ReplyStatus
from helpdesk import crypto
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.rows import claimed_reply, make_trace, make_traces, store_answer, trace_now
from tests.unit.tracing.samples import SENTINEL, make_content, make_record, make_refusal
from tracing import keys
from tracing.content import SamplingRecord
from tracing.models import ChainHead, DataKey, KeyPurpose, Trace
from tracing.opening import content_of
from tracing.sealing import associated_data, unseal_bytes, unseal_content
from tracing.verify import verify_chain

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_key_cache():
    keys.cache.clear()


def test_record_trace_round_trips_the_content():
    tenant = make_tenant()
    content = make_content()
    trace = trace_now(make_trace(tenant, make_record(content)).id, tenant)
    with tenant_atomic(tenant.id):
        assert content_of(trace) == content


def test_record_trace_fills_the_plain_columns_from_the_content():
    tenant = make_tenant()
    trace = trace_now(make_trace(tenant).id, tenant)
    assert (trace.outcome, trace.style, trace.language, trace.confidence_band) == ("answered", "quote", "en", "high")
    assert (trace.model, trace.quantization) == ("glassdesk/packaged-chat", "gptq-int4")
    assert (trace.prompt_tokens, trace.cached_prompt_tokens, trace.answer_tokens) == (5, 3, 8)
    assert (trace.candidate_count, trace.source_count, trace.attempt, trace.sequence) == (3, 1, 1, 1)
    assert (trace.queue_ms, trace.retrieve_ms, trace.first_token_ms, trace.total_ms) == (12.5, 38.4, 250.5, 901.25)
    assert trace.steps[0] == {"name": "retrieve", "start_ms": 0.0, "duration_ms": 38.4}
    assert trace.sealed_bytes == len(trace.sealed) + len(trace.sealed_prompt)


def test_record_trace_of_a_refusal_has_no_model_and_no_tokens():
    tenant = make_tenant()
    record = make_record(make_refusal(), outcome=Outcome.REFUSED, first_token_ms=None, finish_reason="")
    trace = trace_now(make_trace(tenant, record).id, tenant)
    assert (trace.outcome, trace.model, trace.prompt_tokens, trace.answer_tokens) == ("refused", "", 0, 0)
    assert trace.first_token_ms is None


def test_record_trace_numbers_each_tenant_by_itself():
    first, second = make_tenant(), make_tenant()
    assert [trace.sequence for trace in [*make_traces(first, 2), make_trace(second)]] == [1, 2, 1]


def test_record_trace_makes_a_key_for_each_customer_and_keeps_it():
    tenant = make_tenant()
    first, second = (begin_visit(tenant.id) for _ in range(2))
    traces = [make_trace(tenant, visitor_id=visitor) for visitor in (first, second, first)]
    with tenant_atomic(tenant.id):
        found = DataKey.objects.values_list("purpose", "visitor_id", "parent__purpose").order_by("created_at")
        assert list(found) == [
            ("chain", None, None), ("tenant", None, None), ("content", first, "tenant"), ("content", second, "tenant"),
        ]  # fmt: skip
    assert traces[0].key_id == traces[2].key_id != traces[1].key_id


@committed
def test_first_answers_stored_at_once_share_their_keys_and_form_one_chain():
    tenant = make_tenant()
    replies = [claimed_reply(tenant) for _ in range(6)]

    def store(reply):
        try:
            return store_answer(reply, make_record()).sequence
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert sorted(pool.map(store, replies)) == [1, 2, 3, 4, 5, 6]
    with tenant_atomic(tenant.id):
        assert verify_chain(None).is_sound
        assert DataKey.objects.exclude(purpose="content").count() == 2


def test_tenants_do_not_share_keys():
    tenants = [make_tenant(), make_tenant()]
    secrets = set()
    for tenant in tenants:
        with tenant_atomic(tenant.id):
            secrets |= {keys.active_key(purpose)[1] for purpose in KeyPurpose}
    assert len(secrets) == 2 * len(KeyPurpose)


def test_the_row_holds_no_content_in_clear():
    tenant = make_tenant()
    make_trace(tenant)
    with tenant_atomic(tenant.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT t::text, encode(t.sealed, 'escape'), encode(t.sealed_prompt, 'escape') FROM tracing_trace t"
        )
        (row,) = cursor.fetchall()
    for secret in (SENTINEL, "working days", "How long"):
        assert secret not in "".join(row)


def assert_nothing_was_stored(tenant, reply):
    with tenant_atomic(tenant.id):
        assert Trace.objects.count() == 0
        assert ChainHead.objects.count() == 0
        assert DataKey.objects.count() == 0
        assert list(Message.objects.values_list("author", flat=True)) == ["customer"]
        assert Reply.objects.get(id=reply.id).status == ReplyStatus.RUNNING


@committed
@pytest.mark.parametrize("master_key", ["", "not base64!", "c2hvcnQ="])
def test_without_a_usable_master_key_the_answer_is_not_stored(settings, master_key):
    tenant = make_tenant()
    reply = claimed_reply(tenant)
    settings.MASTER_KEY = master_key
    with pytest.raises(SealError):
        store_answer(reply, make_record())
    assert_nothing_was_stored(tenant, reply)


@committed
def test_another_master_key_than_the_one_that_wrapped_the_keys_fails_closed(settings):
    tenant = make_tenant()
    make_trace(tenant)
    reply = claimed_reply(tenant)
    settings.MASTER_KEY = "YW5vdGhlci1tYXN0ZXIta2V5LTMyLWJ5dGVzISEhISE="
    with pytest.raises(SealError):
        store_answer(reply, make_record())
    with tenant_atomic(tenant.id):
        assert Trace.objects.count() == 1
        assert Reply.objects.get(id=reply.id).status == ReplyStatus.RUNNING


@committed
def test_a_number_that_json_cannot_carry_fails_without_naming_content():
    tenant = make_tenant()
    reply = claimed_reply(tenant)
    sampling = SamplingRecord(max_tokens=1, temperature=float("nan"), top_p=1.0, seed=None, choices=(SENTINEL,))
    with pytest.raises(SealError) as failure:
        store_answer(reply, make_record(make_content(sampling=sampling)))
    assert SENTINEL not in str(failure.value)
    assert_nothing_was_stored(tenant, reply)


def opened_sections(trace):
    with tenant_atomic(trace.tenant_id):
        return content_of(trace)


def test_a_section_opens_only_at_its_own_tenant_trace_field_and_format():
    tenant, other = make_tenant(), make_tenant()
    trace = trace_now(make_trace(tenant).id, tenant)
    with tenant_atomic(tenant.id):
        key = keys.unwrapped(keys.stored_key(trace.key_id))
    place = {"tenant_id": tenant.id, "trace_id": trace.id, "field": "prompt", "version": trace.format}
    unseal_bytes(key, bytes(trace.sealed_prompt), associated_data(**place))
    for wrong in ({"tenant_id": other.id}, {"trace_id": other.id}, {"field": "answer"}, {"version": 1}):
        with pytest.raises(SealError):
            unseal_bytes(key, bytes(trace.sealed_prompt), associated_data(**(place | wrong)))


def test_sections_moved_between_fields_or_traces_do_not_open():
    tenant = make_tenant()
    visitor = begin_visit(tenant.id)
    first, second = (trace_now(make_trace(tenant, visitor_id=visitor).id, tenant) for _ in range(2))
    assert first.key_id == second.key_id
    first.sealed, second.sealed_prompt = first.sealed_prompt, first.sealed_prompt
    for trace in (first, second):
        with pytest.raises(SealError):
            opened_sections(trace)


def test_a_wrapped_key_opens_only_in_its_own_row():
    tenant, other = make_tenant(), make_tenant()
    with tenant_atomic(tenant.id):
        row, _ = keys.active_key(KeyPurpose.TENANT)
    with tenant_atomic(other.id):
        stranger, _ = keys.active_key(KeyPurpose.TENANT)
    keys.cache.clear()
    stranger.wrapped = row.wrapped
    with pytest.raises(SealError):
        keys.unwrapped(stranger)


def test_bytes_that_are_no_content_are_refused_without_their_text():
    key = crypto.new_key()
    for wrong in (SENTINEL.encode(), zlib.compress(SENTINEL.encode()), zlib.compress(b'{"format":2}')):
        with pytest.raises(SealError) as failure:
            unseal_content(key, crypto.seal(key, wrong, b"place"), b"place")
        assert SENTINEL not in str(failure.value)
        assert failure.value.__cause__ is None
