"""One tenant floods the desk: what others wait is counted in answers, never in seconds."""

from __future__ import annotations

import pytest

from conversations.models import Assistant, Reply, ReplyStatus
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from inference_worker.engine.scripted import ScriptedEngine
from inference_worker.runtime import Runtime
from tests.factories import make_question, make_tenant
from tests.integration.inference_worker.conftest import DELIVERY, GATE, publish, wait_for
from tests.integration.inference_worker.test_answering import QUESTION

FLOOD = 40
SEQUENCES = 2


@pytest.fixture
def other_shop(worker: Runtime) -> Tenant:
    tenant = make_tenant("ledgerleaf-test", name="Ledgerleaf")
    with tenant_atomic(tenant.id):
        Assistant.objects.update(refusal_gate=GATE)
    publish(tenant, "Delivery and returns", DELIVERY)
    return tenant


def done(tenant: Tenant) -> list[Reply]:
    with tenant_atomic(tenant.id):
        return list(Reply.objects.filter(status=ReplyStatus.DONE).order_by("finished_at"))


@pytest.mark.django_db(transaction=True)
def test_a_flood_of_one_tenant_hardly_delays_another(shop: Tenant, other_shop: Tenant, engine: ScriptedEngine) -> None:
    engine.max_num_seqs, engine.delay = SEQUENCES, 0.1
    for _ in range(FLOOD):
        make_question(shop, QUESTION)
    _, _, reply = make_question(other_shop, QUESTION)
    assert reply is not None
    wait_for(lambda: done(other_shop), 60)
    engine.delay = 0.0
    (answered,) = done(other_shop)
    wait_for(lambda: len(done(shop)) == FLOOD, 60)
    assert answered.finished_at is not None
    finished = [each.finished_at for each in done(shop) if each.finished_at is not None]
    before = sum(at < reply.queued_at for at in finished)
    meanwhile = sum(reply.queued_at < at < answered.finished_at for at in finished)
    assert before <= FLOOD * 3 / 4
    # A thread was kept for it, so only a sequence must come free; the rest is what finishes in the same moments.
    assert meanwhile <= 3 * SEQUENCES


@pytest.mark.django_db(transaction=True)
def test_a_flooding_tenants_own_questions_keep_their_order(shop: Tenant, engine: ScriptedEngine) -> None:
    engine.max_num_seqs, engine.delay = 1, 0.005
    asked = []
    for _ in range(10):
        _, _, reply = make_question(shop, QUESTION)
        assert reply is not None
        asked.append(reply.id)
    wait_for(lambda: len(done(shop)) == 10)
    order = [reply.id for reply in done(shop)]
    # Threads that claim in the same moment may overtake each other on their way to the engine; the queue keeps its order.
    assert order.index(asked[-1]) > order.index(asked[0])
    assert sum(abs(order.index(reply_id) - place) for place, reply_id in enumerate(asked)) <= 2 * len(asked)
