"""Feeding: bounded, fair, and the same after every interruption."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from batches import feeding
from batches.feeding import feed
from batches.models import BatchItem, BatchState
from batches.queueing import FEED
from conversations import replies
from conversations.failures import FailureCode
from conversations.models import Assistant, Channel, Conversation, Outcome, PriorityClass, Reply
from conversations.parameters import RequestParameters
from conversations.queueing import ANSWER_REPLY
from conversations.recovery import recover_replies
from helpdesk.pending.marks import tenants_with
from helpdesk.pending.models import Kind
from helpdesk.queue.celery import DEFAULT_QUEUE, app
from helpdesk.queue.lengths import list_key
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant
from tests.integration.batches.jobs import QUESTION, current, items, progress, states, submit

pytestmark = pytest.mark.django_db(transaction=True)


def answer(tenant: Tenant, reply_id: object, body: str = "One day.", outcome: Outcome = Outcome.ANSWERED) -> None:
    """What an inference worker does, without its trace."""
    claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply_id, worker="w")  # type: ignore[arg-type]
    assert claimed is not None
    with tenant_atomic(tenant.id):
        replies.finish_reply(claimed.reply, replies.Answer(body=body, language="en", outcome=outcome))


def test_an_item_in_work_is_an_ordinary_reply_of_a_batch_conversation() -> None:
    tenant = make_tenant()
    history = [
        {"role": "user", "content": "Do you deliver?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "How fast?"},
    ]
    batch = submit(tenant, {"messages": history, "parameters": {"seed": 5}}, defaults={"seed": 1, "max_tokens": 40})
    assert feed() == 1
    (item,) = items(batch)
    assert (item.state, item.messages, item.parameters) == ("running", [], {})
    with tenant_atomic(tenant.id):
        reply = Reply.objects.select_related("conversation", "question").get(batch_item=item)
        bodies = list(reply.conversation.messages.values_list("author", "body"))
    assert (reply.priority_class, reply.conversation.channel) == (PriorityClass.BATCH, Channel.BATCH)
    assert RequestParameters.from_json(reply.parameters) == RequestParameters(seed=5, max_tokens=40)
    assert bodies == [("customer", "Do you deliver?"), ("ai", "Yes."), ("customer", "How fast?")]
    assert reply.question.body == "How fast?"
    # From its beginning, not from its submission.
    assert reply.deadline_at > timezone.now() + timedelta(seconds=settings.BATCH_DEADLINE_SECONDS - 60)


@override_settings(BATCH_IN_FLIGHT=3)
def test_no_more_than_the_limit_is_in_work_over_all_tenants() -> None:
    one, other = make_tenant(), make_tenant()
    first, second = submit(one, count=5), submit(other, count=5)
    assert feed() == 3
    assert feed() == 0
    assert sorted((progress(first).running, progress(second).running)) == [1, 2]
    busier = first if progress(first).running == 2 else second
    tenant = one if busier is first else other
    answer(tenant, items(busier)[0].reply_id)
    assert feed() == 1
    # The slot goes to the tenant that has fewer, or waited longer.
    assert (progress(first).running + progress(second).running, progress(busier).done) == (3, 1)


@override_settings(BATCH_IN_FLIGHT=2)
def test_a_tenant_that_comes_later_is_served_with_the_next_free_slot() -> None:
    early, late = make_tenant(), make_tenant()
    big = submit(early, count=20)
    feed()
    small = submit(late, count=1)
    answer(early, items(big)[0].reply_id)
    feed()
    assert states(small) == ["running"]


def test_results_are_numbered_in_the_order_of_their_ends_and_the_batch_ends_with_the_last() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=3)
    feed()
    order = [3, 1, 2]
    for position in order:
        assert current(batch).state == BatchState.RUNNING
        answer(tenant, items(batch)[position - 1].reply_id)
        feed()
    ended = sorted(items(batch), key=lambda item: item.finish_number)
    assert [item.position for item in ended] == order
    assert current(batch).state == BatchState.DONE
    assert current(batch).finished_at is not None
    assert tenants_with(Kind.BATCHES) == []


def test_items_rank_behind_customers_and_behind_their_own_tenants_earlier_ones() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=30)
    with override_settings(BATCH_IN_FLIGHT=2):
        feed()
    with override_settings(BATCH_IN_FLIGHT=25):
        feed()
    priorities = [item.reply.priority for item in items(batch) if item.reply]
    assert priorities == [50 + min(number, 19) for number in range(25)]


def test_a_reply_that_fails_fails_its_item_with_the_reason() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=1)
    feed()
    replies.fail_reply(
        tenant_id=tenant.id, reply_id=items(batch)[0].reply_id, attempt=None, code=FailureCode.WORKER_LOST
    )
    feed()
    (item,) = items(batch)
    assert (item.state, item.error_code, current(batch).state) == ("failed", "worker_lost", BatchState.DONE)


def test_a_conversation_deleted_in_work_ends_its_item() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=1)
    feed()
    with tenant_atomic(tenant.id):
        Conversation.objects.all().delete()
    feed()
    (item,) = items(batch)
    assert (item.state, item.error_code, current(batch).state) == ("failed", "deleted", BatchState.DONE)


def test_a_feeder_that_dies_before_its_commit_leaves_the_items_waiting() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=3)

    with pytest.raises(SystemExit), tenant_atomic(tenant.id):
        assert feeding.begin_items(batch.id, 2) == 2
        raise SystemExit
    assert states(batch) == ["waiting"] * 3
    with tenant_atomic(tenant.id):
        assert Reply.objects.count() == 0
    assert feed() == 3
    assert [item.reply.question.body for item in items(batch)] == [QUESTION] * 3


def test_a_task_lost_after_the_commit_is_sent_again_and_the_item_is_not_made_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=1)
    with monkeypatch.context() as patch:
        patch.setattr("conversations.replies.sending.enqueue_reply", lambda *_, **__: None)
        feed()
    (item,) = items(batch)
    feed()
    with tenant_atomic(tenant.id):
        assert (Reply.objects.count(), BatchItem.objects.get().reply_id) == (1, item.reply_id)
        Reply.objects.update(queued_at=timezone.now() - timedelta(seconds=60))
    sent = []
    monkeypatch.setattr(
        "conversations.replies.sending.enqueue_reply", lambda _tenant, reply_id, **__: sent.append(reply_id)
    )
    recover_replies(tenant.id)
    assert sent == [item.reply_id]


def test_a_worker_killed_in_mid_answer_gives_the_item_to_the_next_one() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=1)
    feed()
    reply_id = items(batch)[0].reply_id
    assert replies.claim_reply(tenant_id=tenant.id, reply_id=reply_id, worker="dead") is not None
    with tenant_atomic(tenant.id):
        Reply.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    recover_replies(tenant.id)
    assert (feed(), states(batch)) == (0, ["running"])
    answer(tenant, reply_id)
    feed()
    assert states(batch) == ["done"]


def test_many_feeders_at_once_make_no_item_twice_and_keep_the_limit() -> None:
    tenants = [make_tenant() for _ in range(3)]
    batches = [submit(tenant, count=10) for tenant in tenants]
    begin = threading.Barrier(8)
    failures: list[Exception] = []

    def race() -> None:
        try:
            begin.wait(10)
            for _ in range(5):
                feed()
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert sum(progress(batch).running for batch in batches) == settings.BATCH_IN_FLIGHT
    for tenant in tenants:
        with tenant_atomic(tenant.id):
            fed = BatchItem.objects.filter(state="running")
            assert Reply.objects.count() == fed.count() == fed.values("reply").distinct().count()


def test_a_flushed_redis_forgets_no_batch() -> None:
    batch = submit(make_tenant(), count=1)
    client().flushdb()
    assert feed() == 1
    assert states(batch) == ["running"]


def test_a_tenant_in_trouble_stops_no_other() -> None:
    broken, sound = make_tenant(), make_tenant()
    first, second = submit(broken, count=1), submit(sound, count=1)
    with tenant_atomic(broken.id):
        Assistant.objects.update(is_default=False)
    feed()
    assert (states(first), states(second)) == (["waiting"], ["running"])


def test_tasks_carry_ids_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    monkeypatch.setattr(app, "send_task", lambda name, **options: sent.append((name, options.get("kwargs"))))
    tenant = make_tenant()
    batch = submit(tenant, {"question": "Where is my parcel?"}, name="May")
    feed()
    reply_id = items(batch)[0].reply_id
    assert sent == [(FEED, None), (ANSWER_REPLY, {"tenant_id": str(tenant.id), "reply_id": str(reply_id)})]


def test_the_end_of_a_reply_asks_for_the_next_item_whoever_ends_it_and_only_of_a_batch() -> None:
    tenant = make_tenant()
    batch = submit(tenant, count=2)
    feed()
    _, _, customers = make_question(tenant)
    first, second = (item.reply for item in items(batch))
    key = list_key(0, DEFAULT_QUEUE)
    client().delete(key)
    replies.fail_reply(tenant_id=tenant.id, reply_id=customers.id, attempt=None, code=FailureCode.ENGINE)
    assert client().llen(key) == 0
    replies.fail_reply(tenant_id=tenant.id, reply_id=first.id, attempt=None, code=FailureCode.WORKER_LOST)
    assert client().llen(key) == 1
    answer(tenant, second.id)
    assert client().llen(key) == 2
    client().delete(key)
