"""Who may join the queue, where, and what those read who may not."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import override_settings

from conversations import domain, intake
from conversations.inbound import from_visitor
from conversations.intake import receive
from conversations.models import Message, Reply, ReplyStatus
from conversations.recovery import recover_replies
from conversations.replies import claim_reply
from helpdesk.errors import Busy
from helpdesk.queue import lengths, workers
from helpdesk.streams.writer import client
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question, make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_queue() -> Iterator[None]:
    """No worker fetches anything in these tests, and nothing of theirs stays in the queue."""
    keys = [lengths.list_key(step) for step in lengths._STEPS]
    client().delete(*keys, workers.KEY)
    yield
    client().delete(*keys, workers.KEY)


def priorities(tenant: Tenant) -> list[int]:
    with tenant_atomic(tenant.id):
        return list(Reply.objects.order_by("queued_at").values_list("priority", flat=True))


def ask(tenant: Tenant, times: int = 1) -> None:
    for _ in range(times):
        make_question(tenant)


def end(tenant: Tenant, count: int) -> None:
    """The oldest replies are claimed and fail."""
    with tenant_atomic(tenant.id):
        oldest = Reply.objects.filter(status=ReplyStatus.QUEUED).order_by("queued_at")[:count]
        Reply.objects.filter(id__in=[reply.id for reply in oldest]).update(status=ReplyStatus.FAILED)


def report(**status: object) -> None:
    workers.report_heartbeat("w", {"ready": True, "model": "m", "writing": 8, "capacity": 8} | status)


def test_each_further_question_of_a_tenant_goes_behind_the_first_ones_of_others() -> None:
    flooding, other = make_tenant(), make_tenant()
    ask(flooding, 6)
    ask(other)
    assert (priorities(flooding), priorities(other)) == ([0, 1, 2, 3, 4, 5], [0])
    assert lengths.read_queue().lengths == {0: 2, 1: 3, 2: 2, 3: 0, 6: 0}


def test_the_rank_stays_within_its_class() -> None:
    tenant = make_tenant()
    ask(tenant, 23)
    assert priorities(tenant)[-4:] == [19, 19, 19, 19]


def test_a_new_question_never_overtakes_an_older_one_of_its_tenant_that_still_waits() -> None:
    tenant = make_tenant()
    ask(tenant, 6)
    end(tenant, 4)
    ask(tenant)
    assert priorities(tenant)[-2:] == [5, 5]


def test_the_line_of_a_tenant_is_bounded_and_a_refused_question_leaves_nothing() -> None:
    tenant, other = make_tenant(), make_tenant()
    with override_settings(TENANT_QUEUE=3):
        ask(tenant, 3)
        with pytest.raises(Busy) as refused:
            ask(tenant)
        ask(other)
        end(tenant, 1)
        ask(tenant)
    assert (refused.value.status, refused.value.retry_after, refused.value.details["wait_seconds"]) == (429, 15, None)
    assert "talk to a person" in str(refused.value.message)
    with tenant_atomic(tenant.id):
        assert Message.objects.count() == 4


def test_a_tenants_bound_holds_when_many_post_at_once() -> None:
    tenant = make_tenant()
    visitors = [domain.begin_visit(tenant.id) for _ in range(12)]
    refusals: list[Busy] = []
    together = threading.Barrier(len(visitors))

    def post(visitor_id: uuid.UUID) -> None:
        together.wait()
        try:
            make_question(tenant, visitor_id=visitor_id)
        except Busy as error:
            refusals.append(error)
        finally:
            connections.close_all()

    with override_settings(TENANT_QUEUE=5):
        threads = [threading.Thread(target=post, args=(visitor,)) for visitor in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (sorted(priorities(tenant)), len(refusals)) == ([0, 1, 2, 3, 4], 7)


def test_the_line_over_all_tenants_is_bounded() -> None:
    with override_settings(QUEUE_LIMIT=2):
        ask(make_tenant())
        ask(make_tenant())
        with pytest.raises(Busy):
            ask(make_tenant())


def test_a_repeated_question_is_found_again_also_when_the_queue_is_full() -> None:
    tenant = make_tenant()
    visitor_id, client_id = domain.begin_visit(tenant.id), uuid.uuid4()
    with override_settings(TENANT_QUEUE=1):
        first, second = (
            receive(
                from_visitor(
                    tenant_id=tenant.id, visitor_id=visitor_id, client_id=client_id, body="Hello there", language="en"
                )
            )
            for _ in range(2)
        )
    assert first.message.id == second.message.id


def test_whoever_waits_for_a_person_writes_on_when_the_queue_is_full() -> None:
    tenant = make_tenant()
    visitor_id = domain.begin_visit(tenant.id)
    intake.ask_for_person(tenant_id=tenant.id, visitor_id=visitor_id, language="en")
    with override_settings(TENANT_QUEUE=1):
        ask(tenant)
        _, message, reply = make_question(tenant, visitor_id=visitor_id)
    assert (message.position, reply) == (2, None)


@pytest.mark.parametrize(
    ("status", "priority", "ahead", "seconds"),
    [
        ({"seconds_per_reply": 0.5}, 0, 7, 4.0),
        ({"seconds_per_reply": 0.5}, 0, 0, 0.5),
        ({"seconds_per_reply": 4.0, "writing": 7}, 0, 0, 0.0),
        ({"seconds_per_reply": None}, 0, 7, None),
        ({"seconds_per_reply": 4.0, "ready": False}, 0, 7, None),
        # Of eight slots over-share replies get five.
        ({"seconds_per_reply": 1.0, "reserved": 3}, 4, 4, 5.0),
        ({"seconds_per_reply": 1.0, "reserved": 3, "writing": 4}, 4, 0, 0.0),
        ({"seconds_per_reply": 1.0, "reserved": 3, "writing": 5}, 4, 0, 1.0),
        ({"seconds_per_reply": 1.0, "reserved": 3, "writing": 5}, 3, 0, 0.0),
    ],
)
def test_the_wait_follows_from_what_workers_report(
    status: dict[str, object], priority: int, ahead: int, seconds: float | None
) -> None:
    report(**status)
    queue = lengths.QueueSnapshot({lengths.step_of_priority(priority): ahead}, workers.read_heartbeats())
    assert queue.seconds_until_fetched(priority) == seconds


def test_the_customer_is_shown_the_wait_when_it_is_worth_showing() -> None:
    tenant = make_tenant()
    report(seconds_per_reply=2.0)
    _, _, first = make_question(tenant)
    _, _, second = make_question(tenant)
    assert first is not None and second is not None
    streams = [key for key in client().scan_iter(f"glassdesk:stream:{tenant.id}:*") if not key.endswith(b"inbox")]
    entries = [str(entry[b"e"]) for key in streams for _, entry in client().xrange(key)]
    shown = {reply.id: next(e for e in entries if '"reply"' in e and str(reply.id) in e) for reply in (first, second)}
    assert '"wait_seconds":2' in shown[first.id]
    assert '"wait_seconds":4' in shown[second.id]


def test_the_refusal_names_the_wait() -> None:
    tenant = make_tenant()
    report(seconds_per_reply=10.0)
    with override_settings(TENANT_QUEUE=2):
        ask(tenant, 2)
        with pytest.raises(Busy) as refused:
            ask(tenant)
    assert (refused.value.retry_after, refused.value.details["wait_seconds"]) == (30, 30)
    assert "about 30 seconds" in str(refused.value.message)


def test_the_sweep_sends_only_what_is_not_queued_any_more() -> None:
    tenant = make_tenant()
    ask(tenant, 3)
    with tenant_atomic(tenant.id):
        Reply.objects.update(queued_at="2020-01-01T00:00:00Z")
        lost = Reply.objects.get(priority=0)
    client().delete(lengths.list_key(0))
    assert str(lost.id) not in lengths.queued_reply_ids()
    recover_replies(tenant.id)
    assert lengths.read_queue().lengths == {0: 1, 1: 2, 2: 0, 3: 0, 6: 0}
    assert str(lost.id) in lengths.queued_reply_ids()
    assert claim_reply(tenant_id=tenant.id, reply_id=lost.id, worker="w") is not None
