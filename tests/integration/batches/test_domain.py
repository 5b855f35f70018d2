"""Submitting and cancelling."""

from __future__ import annotations

import time
import uuid

import pytest
from django.test import override_settings

from batches.domain import cancel_batch, submit_batch
from batches.errors import BacklogFull, BatchInvalid, TooManyItems
from batches.feeding import feed
from batches.lines import read_json, read_jsonl
from batches.models import Batch, BatchItem, BatchState
from conversations.models import Conversation, Reply, ReplyStatus
from conversations.replies import claim_reply
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.batches.jobs import current, items, progress, states, submit

pytestmark = pytest.mark.django_db


def test_submit_stores_every_item_in_order_and_begins_nothing() -> None:
    tenant = make_tenant()
    user = make_user(tenant)
    lines = b'{"custom_id": "b", "question": "One?"}\n{"question": "Two?", "parameters": {"seed": 4}}\n'
    batch = submit_batch(tenant_id=tenant.id, submission=read_jsonl(lines, name="May"), created_by=user)
    assert (batch.name, batch.state, batch.item_count, batch.created_by) == ("May", BatchState.QUEUED, 2, user)
    assert [(item.position, item.custom_id, item.parameters) for item in items(batch)] == [
        (1, "b", {}),
        (2, "2", {"seed": 4}),
    ]
    with tenant_atomic(tenant.id):
        assert (Conversation.objects.count(), Reply.objects.count()) == (0, 0)


def test_one_bad_line_stores_nothing_and_every_bad_line_is_named() -> None:
    tenant = make_tenant()
    lines = b'{"question": "Fine?"}\n{"question": ""}\n{broken\n{"question": "x", "colour": 1}\n'
    with pytest.raises(BatchInvalid) as caught:
        submit_batch(tenant_id=tenant.id, submission=read_jsonl(lines))
    assert [(error["line"], error["parameter"]) for error in caught.value.details["errors"]] == [  # type: ignore[attr-defined]
        (2, ""),
        (3, ""),
        (4, "colour"),
    ]
    with tenant_atomic(tenant.id):
        assert (Batch.objects.count(), BatchItem.objects.count()) == (0, 0)


def test_the_reading_stops_at_the_hundredth_mistake_and_says_where() -> None:
    with pytest.raises(BatchInvalid) as caught:
        submit_batch(tenant_id=make_tenant().id, submission=read_jsonl(b"\n" + b"{}\n" * 250))
    details = caught.value.details
    assert (len(details["errors"]), details["error_count"], details["stopped_at"]) == (100, 100, 101)  # type: ignore[arg-type]
    assert "line 101" in str(caught.value.message)


def test_fewer_mistakes_are_all_listed_and_all_was_read() -> None:
    with pytest.raises(BatchInvalid) as caught:
        submit_batch(tenant_id=make_tenant().id, submission=read_jsonl(b"{}\n" * 99))
    assert (caught.value.details["error_count"], caught.value.details["stopped_at"]) == (99, None)


MEBIBYTE = 1024 * 1024
HOSTILE = {
    "broken lines": b"{broken\n" * 50_000,
    "tiny lines": b"1\n" * (8 * MEBIBYTE),
    "blank lines": b"\n" * (16 * MEBIBYTE),
    "blanks": b" " * (16 * MEBIBYTE),
    "one line": b'"' + b"x" * (16 * MEBIBYTE) + b'"',
    "deep arrays": b"[" * (16 * MEBIBYTE),
    "deep lines": (b"[" * MEBIBYTE + b"\n") * 15,
    "keys again and again": (b"{" + b'"a":1,' * 150_000 + b'"a":1}\n') * 15,
    "long numbers": (b"[" + b"9" * 4000 + b"]\n") * 3000,
    "many numbers": (b"[" + b"1.5," * 250_000 + b"1]\n") * 15,
    "not UTF-8": b'{"question": "\xff"}\n' * 18_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_worst_of_bodies_costs_seconds_at_most(kind: str) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        submit_batch(tenant_id=make_tenant().id, submission=read_jsonl(HOSTILE[kind]))
    assert time.process_time() - begun < 15
    assert str(caught.value.message)


@pytest.mark.parametrize("items", [b"[],", b"1,", b"{},", b"null,", b'"",'])
def test_many_values_in_one_json_body_are_refused_before_they_take_memory(items: bytes) -> None:
    body = b'{"items": [' + items * (15 * MEBIBYTE // len(items)) + b"1]}"
    begun = time.process_time()
    with pytest.raises(InvalidInput):
        read_json(body)
    assert time.process_time() - begun < 10


def test_a_custom_id_that_comes_twice_names_the_line_of_the_first() -> None:
    lines = b'{"custom_id": "a", "question": "1?"}\n\n{"custom_id": "a", "question": "2?"}\n'
    with pytest.raises(BatchInvalid) as caught:
        submit_batch(tenant_id=make_tenant().id, submission=read_jsonl(lines))
    (error,) = caught.value.details["errors"]  # type: ignore[misc]
    assert (error["line"], error["parameter"]) == (3, "custom_id")
    assert "line 1" in error["message"]


@pytest.mark.parametrize("name", [5, "x" * 121, "a\nb", "a\x00"])
def test_a_name_that_cannot_be_shown_is_refused(name: object) -> None:
    with pytest.raises(InvalidInput):
        submit_batch(tenant_id=make_tenant().id, submission=read_jsonl(b'{"question": "a"}', name=name))


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(InvalidInput):
        submit_batch(tenant_id=make_tenant().id, submission=read_jsonl(b"\n"))


def test_a_tenant_without_an_assistant_learns_it_at_once() -> None:
    tenant = Tenant.objects.create(slug="bare", name="Bare")
    with pytest.raises(NotFound):
        submit(tenant, count=1)


@override_settings(BATCH_MAX_ITEMS=3)
def test_more_items_than_the_limit_are_refused() -> None:
    with pytest.raises(TooManyItems):
        submit(make_tenant(), count=4)


@override_settings(BATCH_MAX_WAITING=5)
def test_the_backlog_of_a_tenant_is_bounded_over_its_batches() -> None:
    tenant, other = make_tenant(), make_tenant()
    submit(tenant, count=3)
    with pytest.raises(BacklogFull) as caught:
        submit(tenant, count=3)
    assert caught.value.retry_after > 0
    submit(other, count=5)


def test_ten_thousand_items_are_accepted_in_seconds() -> None:
    tenant = make_tenant()
    lines = b"\n".join(
        b'{"question": "How long does delivery of parcel %d take?"}' % number for number in range(10_000)
    )
    begun = time.monotonic()
    batch = submit_batch(tenant_id=tenant.id, submission=read_jsonl(lines))
    seconds = time.monotonic() - begun
    print(f"10,000 items submitted in {seconds:.1f} s")
    assert progress(batch).waiting == 10_000
    assert seconds < 60
    cancel_batch(tenant_id=tenant.id, batch_id=batch.id)
    assert (current(batch).state, progress(batch).cancelled) == (BatchState.CANCELLED, 10_000)


@pytest.mark.django_db(transaction=True)
def test_cancel_ends_what_waits_and_stops_what_is_in_work() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=12)
    with override_settings(BATCH_IN_FLIGHT=2):
        assert feed() == 2
    first, second = items(batch)[:2]
    assert claim_reply(tenant_id=tenant.id, reply_id=first.reply_id, worker="w") is not None
    cancelled = cancel_batch(tenant_id=tenant.id, batch_id=batch.id)
    assert cancelled.state == BatchState.CANCELLING
    assert states(batch) == ["running", "running", *["cancelled"] * 10]
    # The one that a worker writes is stopped there; the other one never begins.
    assert items(batch)[0].reply.stop_requested
    assert items(batch)[1].reply.status == ReplyStatus.FAILED
    assert claim_reply(tenant_id=tenant.id, reply_id=second.reply_id, worker="w") is None
    with tenant_atomic(tenant.id):
        Reply.objects.filter(id=first.reply_id).update(status=ReplyStatus.FAILED, error_code="stopped")
    assert feed() == 0
    assert (current(batch).state, states(batch)) == (BatchState.CANCELLED, ["cancelled"] * 12)
    numbers = [item.finish_number for item in items(batch)]
    assert len(set(numbers)) == 12
    # Whoever has read up to the twelfth position's number still sees those that ended later.
    assert min(numbers[:2]) > max(numbers[2:])


def test_cancelling_empties_the_texts_that_were_never_asked() -> None:
    tenant = make_tenant()
    batch = submit(tenant, {"question": "My secret?", "parameters": {"instructions": "Be brief."}})
    cancel_batch(tenant_id=tenant.id, batch_id=batch.id)
    (item,) = items(batch)
    assert (item.messages, item.parameters) == ([], {})


def test_cancelling_twice_and_cancelling_what_has_ended_change_nothing() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=1)
    ends = [cancel_batch(tenant_id=tenant.id, batch_id=batch.id).finished_at for _ in range(2)]
    assert ends[0] == ends[1] is not None


def test_another_tenants_batch_is_not_found() -> None:
    batch = submit(make_tenant(), count=1)
    for batch_id in (batch.id, uuid.uuid4()):
        with pytest.raises(NotFound):
            cancel_batch(tenant_id=make_tenant().id, batch_id=batch_id)
    assert current(batch).state == BatchState.QUEUED
