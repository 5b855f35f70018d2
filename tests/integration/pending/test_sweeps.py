"""Each sweep serves the tenants that have work, and costs the same however many have none."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone
from structlog.testing import capture_logs

from batches.tasks import feed_batches
from conversations.inbox.triage import park
from conversations.intake import ask_for_person
from conversations.models import Conversation, HandOff, Parked, Reply, ReplyStatus
from conversations.tasks import raise_hand_off_alarms, sweep_replies
from helpdesk.api.models import IdempotentRequest
from helpdesk.api.tasks import forget_idempotent_requests
from helpdesk.facts.kinds import SYSTEM, FactKind
from helpdesk.facts.models import Fact
from helpdesk.facts.recording import record
from helpdesk.facts.tasks import forget_delivered_facts, relay_facts
from helpdesk.operations.open_work import HAS_OPEN, SHARES, UNNOTED, check_share
from helpdesk.operations.tasks import check_open_work
from helpdesk.pending.marks import note, tenants_with
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge import tasks as knowledge_tasks
from knowledge.domain import archive_article, restore_article
from knowledge.models import Chunk
from knowledge.tasks import RULES_NOTED, rewrite_passages, sweep_embeddings
from reviews.rules import change_rules
from reviews.tasks import sample_answers
from tests.api_access import api_call
from tests.factories import make_api_key, make_question, make_tenant
from tests.integration.batches.jobs import states, submit
from tests.integration.knowledge.articles import publish
from tests.integration.tracing.rows import make_trace
from tracing.jobs import request_analysis
from tracing.models import AnalysisKind
from tracing.retention import set_policy
from tracing.tasks import anchor_chains_everywhere, apply_retention_everywhere, sweep_analyses

pytestmark = pytest.mark.django_db(transaction=True)

Sweep = Callable[[], object]
# With the statements of one tenant whose mark is still there after its work has ended, transactions and scope included.
SWEEPS: dict[Kind, tuple[Sweep, int]] = {
    Kind.REPLIES: (sweep_replies, 19),
    Kind.BATCHES: (feed_batches, 16),
    Kind.EMBEDDINGS: (sweep_embeddings, 12),
    Kind.REWRITING: (rewrite_passages, 13),
    Kind.ANALYSES: (sweep_analyses, 14),
    Kind.RETENTION: (apply_retention_everywhere, 30),
    Kind.IDEMPOTENCY: (forget_idempotent_requests, 12),
    Kind.OLD_FACTS: (forget_delivered_facts, 12),
    Kind.HAND_OFFS: (raise_hand_off_alarms, 12),
    Kind.REVIEWS: (sample_answers, 12),
}
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def known_rules() -> None:
    """The rules of the passages are those of the last run."""
    cache.set(RULES_NOTED, True)


def make_tenants(count: int) -> list[Tenant]:
    return [make_tenant() for _ in range(count)]


def statements_of(sweep: Sweep) -> int:
    with CaptureQueriesContext(connection) as queries:
        sweep()
    return len(queries)


def noted(tenant: Tenant) -> set[str]:
    """The kinds that the tenant has marks of."""
    return set(OpenWork.objects.filter(tenant=tenant).values_list("kind", flat=True))


def make_all_work(tenant: Tenant) -> None:
    """Open work of every kind, each made by the product's own function. Somebody listens to facts."""
    make_question(tenant)
    waiting, _, _ = make_question(tenant)
    ask_for_person(tenant_id=tenant.id, visitor_id=waiting.visitor_id, language="en")
    snoozed, _, _ = make_question(tenant)
    submit(tenant, count=1)
    publish(tenant, "Delivery", "Delivery takes two days.", embed=False)
    trace = make_trace(tenant)
    with tenant_atomic(tenant.id):
        park([snoozed.id], parked=Parked.SNOOZED, actor=SYSTEM, until=timezone.now() + DAY)
        request_analysis(trace, kind=AnalysisKind.ATTRIBUTION)
        set_policy(prompts=5, answers=5, metrics=5)
        change_rules(values={"is_on": True})
        record(FactKind.STATUS_CHANGED, conversation_id=trace.conversation_id)
    api_call("POST", "/api/v1/conversations", make_api_key(tenant), {}, Idempotency_Key="k1")
    with tenant_atomic(tenant.id):
        IdempotentRequest.objects.update(expires_at=timezone.now() - DAY)
        Conversation.objects.filter(id=snoozed.id).update(wakes_at=timezone.now() - DAY)
        HandOff.objects.update(alarm_at=timezone.now() - DAY)
        Fact.objects.filter(kind=FactKind.STATUS_CHANGED).update(at=timezone.now() - 31 * DAY)


@pytest.mark.parametrize("idle", [1, 50])
@pytest.mark.parametrize("sweep", [*(sweep for sweep, _ in SWEEPS.values()), anchor_chains_everywhere, relay_facts])
def test_a_sweep_without_work_is_one_statement(sweep: Sweep, idle: int) -> None:
    make_tenants(idle)
    assert statements_of(sweep) == 1


@pytest.mark.parametrize("idle", [1, 50])
@pytest.mark.parametrize("kind", SWEEPS)
def test_a_sweep_costs_what_the_tenants_with_marks_cost(kind: Kind, idle: int) -> None:
    sweep, statements = SWEEPS[kind]
    tenant, *_ = make_tenants(1 + idle)
    with tenant_atomic(tenant.id):
        note(kind)
    if kind == Kind.RETENTION:
        # Its first run begins the tenant's chain.
        sweep()
        with tenant_atomic(tenant.id):
            note(kind)
    assert statements_of(sweep) == statements
    assert str(kind) not in noted(tenant)


def test_a_reply_past_its_deadline_is_found_among_many_idle_tenants() -> None:
    tenant, *_ = make_tenants(30)
    make_question(tenant)
    with tenant_atomic(tenant.id):
        Reply.objects.update(deadline_at=timezone.now() - DAY)
    sweep_replies()
    with tenant_atomic(tenant.id):
        assert Reply.objects.get().status == ReplyStatus.FAILED
    assert str(Kind.REPLIES) not in noted(tenant)


def test_a_tenant_is_swept_until_its_last_reply_has_ended() -> None:
    tenant = make_tenant()
    make_question(tenant)
    sweep_replies()
    assert str(Kind.REPLIES) in noted(tenant)
    with tenant_atomic(tenant.id):
        Reply.objects.update(status=ReplyStatus.DONE)
    sweep_replies()
    assert str(Kind.REPLIES) not in noted(tenant)


def test_a_batch_is_fed_among_many_idle_tenants() -> None:
    tenant, *_ = make_tenants(30)
    batch = submit(tenant, count=1)
    feed_batches()
    assert states(batch) == ["running"]
    # An item in work is a reply that a sweep looks after.
    assert {Kind.REPLIES, Kind.BATCHES} <= noted(tenant)


def test_passages_without_vectors_are_asked_for_until_they_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge_tasks, "SWEEP_AFTER", timedelta(0))
    tenant, *_ = make_tenants(30)
    publish(tenant, "Delivery", "Delivery takes two days.", embed=False)
    assert (sweep_embeddings(), sweep_embeddings()) == (1, 1)
    with tenant_atomic(tenant.id):
        Chunk.objects.all().delete()
    assert sweep_embeddings() == 0
    assert str(Kind.EMBEDDINGS) not in noted(tenant)


def test_an_article_that_comes_back_without_vectors_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge_tasks, "SWEEP_AFTER", timedelta(0))
    tenant = make_tenant()
    article = publish(tenant, "Delivery", "Delivery takes two days.", embed=False)
    archive_article(tenant_id=tenant.id, article_id=article.id)
    assert sweep_embeddings() == 0
    restore_article(tenant_id=tenant.id, article_id=article.id)
    assert sweep_embeddings() == 1


def test_new_rules_have_every_tenant_looked_at_once() -> None:
    tenants = make_tenants(3)
    cache.delete(RULES_NOTED)
    with CaptureQueriesContext(connection) as first:
        rewrite_passages()
    with CaptureQueriesContext(connection) as second:
        rewrite_passages()
    assert (len(second), len(first) > len(tenants)) == (1, True)


def test_chains_are_anchored_once_and_then_cost_one_statement() -> None:
    tenant = make_tenant()
    make_trace(tenant)
    assert anchor_chains_everywhere() == 1
    assert anchor_chains_everywhere() == 0
    assert statements_of(anchor_chains_everywhere) == 1


def test_marks_do_not_pile_up_while_anchors_are_switched_off(settings: pytest.MonkeyPatch) -> None:
    settings.ANCHORS = ""  # type: ignore[attr-defined]
    tenant = make_tenant()
    for _ in range(3):
        make_trace(tenant)
    anchor_chains_everywhere()
    assert OpenWork.objects.filter(kind=Kind.ANCHORS).count() == 1


@override_settings(FACT_SUBSCRIBERS="tests.integration.facts.listeners.LISTENERS")
def test_whoever_makes_work_notes_it() -> None:
    tenant = make_tenant()
    make_all_work(tenant)
    assert noted(tenant) >= {*HAS_OPEN} - UNNOTED
    with capture_logs() as logs:
        assert sum(check_share(share) for share in range(SHARES)) == 0
    assert logs == []


@override_settings(FACT_SUBSCRIBERS="tests.integration.facts.listeners.LISTENERS")
def test_the_check_notes_and_reports_work_that_nobody_noted() -> None:
    tenant, *_ = make_tenants(5)
    make_all_work(tenant)
    anchor_chains_everywhere()
    OpenWork.objects.all().delete()
    with capture_logs() as logs:
        found = sum(check_share(share) for share in range(SHARES))
    reported = {(line["log_level"], line["tenant_id"], line["kind"]) for line in logs}
    expected = {kind for kind in HAS_OPEN if kind not in UNNOTED}
    assert reported == {("error", str(tenant.id), str(kind)) for kind in expected}
    assert found == len(expected)
    assert noted(tenant) == expected


def test_the_check_looks_at_each_tenant_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    tenants = {tenant.id for tenant in make_tenants(20)}
    looked_at: list[uuid.UUID] = []
    monkeypatch.setattr("helpdesk.operations.open_work.note_missed", lambda _, tenant: looked_at.append(tenant) or [])
    hour = timezone.now()
    for minute in range(60):
        monkeypatch.setattr(timezone, "now", lambda minute=minute: hour.replace(minute=minute))
        check_open_work()
    assert (set(looked_at), len(looked_at)) == (tenants, 20)


def test_every_kind_is_checked() -> None:
    assert {*HAS_OPEN} == {*Kind}


def test_every_kind_is_noted_for_the_tenants_that_were_there_before_the_marks() -> None:
    folder = Path(__file__).parents[3] / "helpdesk/pending/migrations"
    # Hand-offs and reviews came with their marks: there were none before.
    first = [kind for kind in Kind if kind not in {Kind.OLD_FACTS, Kind.HAND_OFFS, Kind.SNOOZES, Kind.REVIEWS}]
    assert f"'{{{','.join(first)}}}'" in (folder / "0001_initial.py").read_text()
    assert f'"{Kind.OLD_FACTS}"' in (folder / "0002_old_facts.py").read_text()


def test_a_mark_that_is_not_due_wakes_no_sweep() -> None:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        note(Kind.IDEMPOTENCY, due_at=timezone.now() + DAY)
    assert (tenants_with(Kind.IDEMPOTENCY), statements_of(forget_idempotent_requests)) == ([], 1)
