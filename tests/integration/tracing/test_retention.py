"""Retention: what is due goes, with a receipt; the chain accepts exactly that, and one row more is found."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from helpdesk.permissions import Role
from helpdesk.queue.celery import app
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import make_trace, trace_now
from tests.integration.tracing.vault import aged_trace, findings, make_analysis, opened, tamperer, verified
from tests.unit.tracing.samples import ANSWER, SENTINEL, make_content
from tracing.holds import place_hold
from tracing.models import DeletionReceipt, RetentionPolicy, Trace, TraceAccess, TraceAnalysis
from tracing.retention import PolicyMalformed, apply_retention, due_counts, set_policy
from tracing.tasks import apply_retention_everywhere

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def tamper(owner_url, tenant):
    return tamperer(owner_url, tenant)


def keep(tenant, prompts, answers=None, metrics=None):
    with tenant_atomic(tenant.id):
        set_policy(prompts=prompts, answers=answers, metrics=metrics)


def applied(tenant, **options):
    return {kind.value: count for kind, count in apply_retention(tenant.id, **options).items()}


def receipts_of(tenant):
    with tenant_atomic(tenant.id):
        return list(DeletionReceipt.objects.order_by("sequence"))


def test_prompts_go_first_and_the_answer_stays_readable(tenant, monkeypatch):
    old, young = aged_trace(tenant, 40, monkeypatch), make_trace(tenant)
    keep(tenant, 30)
    assert applied(tenant) == {"prompts": 1, "answers": 0, "metrics": 0}
    content = opened(tenant, old).content
    (deleted,) = content.deleted
    assert (deleted.kind, deleted.at) == ("prompts", receipts_of(tenant)[0].at)
    assert (content.question, content.prompt, content.history, content.dropped) == ("", None, (), ())
    assert (content.answer, content.tokens) == (ANSWER, make_content().tokens)
    assert [candidate.scores for candidate in content.candidates] == [each.scores for each in make_content().candidates]
    assert not any(candidate.text or candidate.quoted for candidate in content.candidates)
    assert opened(tenant, young).content == make_content()
    assert verified(tenant).is_sound
    assert applied(tenant) == {"prompts": 0, "answers": 0, "metrics": 0}
    assert len(receipts_of(tenant)) == 1


def test_answers_go_with_their_analyses_and_the_shape_stays(tenant, monkeypatch):
    trace = aged_trace(tenant, 100, monkeypatch)
    make_analysis(tenant, trace)
    keep(tenant, 30, 90)
    assert applied(tenant) == {"prompts": 1, "answers": 2, "metrics": 0}
    result = opened(tenant, trace)
    assert {section.kind for section in result.content.deleted} == {"prompts", "answers"}
    assert (result.content.answer, result.content.tokens, result.content.candidates) == ("", (), ())
    assert (result.content.confidence.band, len(result.content.steps)) == ("high", 4)
    assert (result.analyses[0].content, result.analyses[0].figures["passages"]) == (None, 3)
    assert trace_now(trace.id, tenant).answer_tokens == 8
    assert verified(tenant).is_sound


def test_metrics_go_as_rows_the_log_stays_and_the_chain_bridges_them(tenant, monkeypatch):
    first = make_trace(tenant)
    gone = [aged_trace(tenant, 400, monkeypatch) for _ in range(3)]
    opened(tenant, gone[2])
    make_analysis(tenant, gone[2])
    last = make_trace(tenant)
    keep(tenant, 30, 90, 365)
    assert applied(tenant) == {"prompts": 0, "answers": 0, "metrics": 4}
    (receipt,) = receipts_of(tenant)
    assert [run[:2] for run in receipt.runs] == [[2, 4], [6, 6]]
    assert (receipt.count, receipt.first_sequence, receipt.last_sequence) == (4, 2, 6)
    assert receipt.policy == {"prompts": 30, "answers": 90, "metrics": 365}
    with tenant_atomic(tenant.id):
        assert set(Trace.objects.values_list("id", flat=True)) == {first.id, last.id}
        assert (TraceAnalysis.objects.count(), TraceAccess.objects.count()) == (0, 1)
    result = verified(tenant)
    assert (result.is_sound, result.deleted, result.traces) == (True, 4, 2)


def test_a_receipt_names_the_removed_ids_by_their_digest(tenant, monkeypatch):
    gone = [aged_trace(tenant, 9, monkeypatch) for _ in range(2)]
    keep(tenant, 5, 5, 5)
    applied(tenant)
    expected = sha256(b"".join(trace.id.bytes for trace in gone)).hexdigest()
    assert receipts_of(tenant)[0].ids_digest == expected


def test_batches_commit_one_by_one_each_with_its_receipt(tenant, monkeypatch):
    for _ in range(5):
        aged_trace(tenant, 9, monkeypatch)
    make_trace(tenant)
    keep(tenant, 5, 5, 7)
    assert applied(tenant, batch=2) == {"prompts": 0, "answers": 0, "metrics": 5}
    assert [receipt.count for receipt in receipts_of(tenant)] == [2, 2, 1]
    assert verified(tenant).is_sound


def test_the_blanked_section_holds_nothing_in_the_database(tenant, monkeypatch):
    aged_trace(tenant, 9, monkeypatch)
    keep(tenant, 5)
    applied(tenant)
    with tenant_atomic(tenant.id):
        (row,) = Trace.objects.values_list("sealed_prompt", "sealed_prompt_digest")
    assert (bytes(row[0]), len(bytes(row[1]))) == (b"", 32)


def test_format_1_goes_whole_with_the_earlier_class(tenant, monkeypatch):
    trace = make_format1_trace(tenant)
    keep(tenant, 1, 300)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=2))
    assert applied(tenant)["prompts"] == 1
    monkeypatch.undo()
    content = opened(tenant, trace).content
    assert {section.kind for section in content.deleted} == {"prompts", "answers"}
    assert verified(tenant).is_sound


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM tracing_trace WHERE sequence = 4", [("removed", "", 4)]),
        ("UPDATE tracing_trace SET sealed = '' WHERE sequence = 4", [("content_altered", "trace", 4)]),
        ("UPDATE tracing_trace SET sealed_prompt = '' WHERE sequence = 4", [("content_altered", "trace", 4)]),
        ("UPDATE tracing_trace SET sealed = '' WHERE sequence = 3", [("content_altered", "trace", 3)]),
        ("UPDATE tracing_trace SET total_ms = 1 WHERE sequence = 5", [("altered", "trace", 5)]),
    ],
)
def test_one_row_more_than_the_receipts_cover_is_found(tenant, tamper, monkeypatch, statement, expected):
    make_trace(tenant)
    aged_trace(tenant, 400, monkeypatch)
    aged_trace(tenant, 40, monkeypatch)
    for _ in range(2):
        make_trace(tenant)
    keep(tenant, 30, 90, 365)
    assert applied(tenant) == {"prompts": 1, "answers": 0, "metrics": 1}
    assert verified(tenant).is_sound
    tamper(statement)
    assert findings(tenant) == expected


@pytest.mark.parametrize(
    "change", ["runs = '[[1, 3, \"00\"]]'", "count = 7", "runs = '7'", "policy = '{}'", "ids_digest = ''"]
)
def test_an_altered_receipt_is_found_and_covers_nothing(tenant, tamper, monkeypatch, change):
    aged_trace(tenant, 400, monkeypatch)
    for _ in range(3):
        make_trace(tenant)
    keep(tenant, 30, 90, 365)
    applied(tenant)
    tamper(
        "ALTER TABLE tracing_deletionreceipt DISABLE TRIGGER append_only",
        f"UPDATE tracing_deletionreceipt SET {change}",
        "ALTER TABLE tracing_deletionreceipt ENABLE TRIGGER append_only",
    )
    found = findings(tenant)
    assert ("altered", "deletionreceipt", 6) in found
    assert ("removed", "", 1) in found


def test_a_forged_receipt_behind_a_gap_covers_nothing(tenant, tamper, monkeypatch):
    """Removing the row before it must not make a receipt believed."""
    for _ in range(3):
        aged_trace(tenant, 40, monkeypatch)
    make_trace(tenant)
    keep(tenant, 30)
    applied(tenant)
    tamper(
        "DELETE FROM tracing_trace WHERE sequence = 4",
        "ALTER TABLE tracing_deletionreceipt DISABLE TRIGGER append_only",
        "UPDATE tracing_deletionreceipt SET runs = '[[1, 4, \"\"]]'",
        "ALTER TABLE tracing_deletionreceipt ENABLE TRIGGER append_only",
    )
    found = findings(tenant)
    assert ("removed", "", 4) in found
    assert [each for each in found if each[0] == "content_altered"] == [
        ("content_altered", "trace", number) for number in (1, 2, 3)
    ]


def test_a_row_that_comes_back_after_its_deletion_is_found(tenant, tamper, monkeypatch):
    for _ in range(3):
        aged_trace(tenant, 400, monkeypatch)
    tamper("CREATE TABLE kept AS SELECT * FROM tracing_trace WHERE sequence = 2")
    try:
        keep(tenant, 30, 90, 365)
        applied(tenant)
        tamper("INSERT INTO tracing_trace SELECT * FROM kept")
        assert findings(tenant) == [("restored", "trace", 2)]
    finally:
        tamper("DROP TABLE kept")


def test_a_held_conversation_keeps_everything(tenant, monkeypatch):
    held, free = aged_trace(tenant, 400, monkeypatch), aged_trace(tenant, 400, monkeypatch)
    with tenant_atomic(tenant.id):
        place_hold(held.conversation, user=None, reason="court case 12/26")
    keep(tenant, 30, 90, 365)
    assert applied(tenant) == {"prompts": 0, "answers": 0, "metrics": 1}
    assert opened(tenant, held).content == make_content()
    with tenant_atomic(tenant.id):
        assert not Trace.objects.filter(id=free.id).exists()


@pytest.mark.parametrize("days", [(None, 5, 5), (9, 5, None), (5, 9, 7), (0, 1, 1), (-1, None, None), (None, None, 3)])
def test_a_class_may_not_outlive_the_next_one(tenant, days):
    with pytest.raises(PolicyMalformed):
        keep(tenant, *days)
    fields = dict(zip(("prompts_days", "answers_days", "metrics_days"), days, strict=True))
    if min(day or 1 for day in days) > 0 and 0 not in days:
        with tenant_atomic(tenant.id), pytest.raises(IntegrityError), transaction.atomic():
            RetentionPolicy.objects.create(**fields)


def test_policies_and_receipts_of_another_tenant_are_out_of_reach(tenant, monkeypatch):
    other = make_tenant()
    own = aged_trace(tenant, 9, monkeypatch)
    aged_trace(other, 9, monkeypatch)
    keep(other, 5)
    assert apply_retention_everywhere() == 1
    assert opened(tenant, own).content == make_content()
    with tenant_atomic(tenant.id):
        assert (RetentionPolicy.objects.count(), DeletionReceipt.objects.count()) == (0, 0)
    assert len(receipts_of(other)) == 1


def test_receipts_and_key_events_are_append_only(tenant, monkeypatch):
    aged_trace(tenant, 9, monkeypatch)
    keep(tenant, 5)
    applied(tenant)
    for change in (lambda rows: rows.update(count=9), lambda rows: rows.delete()):
        with tenant_atomic(tenant.id), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change(DeletionReceipt.objects.all())


def test_the_beat_runs_retention_by_name_on_the_default_queue():
    entry = app.conf.beat_schedule["apply-retention"]
    assert (entry["task"], entry["schedule"]) == ("tracing.apply_retention", 3600.0)
    assert "queue" not in entry["options"]
    assert entry["task"] in app.tasks


def test_the_commands_set_count_and_apply(tenant, monkeypatch):
    aged_trace(tenant, 40, monkeypatch)
    call_command("set_retention", tenant.slug, "--prompts", "30", "--answers", "90", "--metrics", "keep")
    out = StringIO()
    call_command("apply_retention", tenant.slug, "--dry-run", stdout=out)
    assert "due: 1 prompts, 0 answers, 0 metrics" in out.getvalue()
    with tenant_atomic(tenant.id):
        assert sum(due_counts().values()) == 1
    call_command("apply_retention", stdout=StringIO())
    with tenant_atomic(tenant.id):
        assert sum(due_counts().values()) == 0
    with pytest.raises(CommandError, match="be kept longer than"):
        call_command("set_retention", tenant.slug, "--prompts", "keep", "--answers", "90", "--metrics", "keep")
    assert SENTINEL not in out.getvalue()


@pytest.mark.parametrize(
    ("days", "gone"),
    [((5, None), ["The question, prompt"]), ((5, 5), ["The question, prompt", "The answer, its tokens"])],
)
def test_the_opened_page_says_what_was_deleted(client, tenant, monkeypatch, days, gone):
    trace = aged_trace(tenant, 9, monkeypatch)
    keep(tenant, *days)
    applied(tenant)
    client.force_login(make_user(tenant, Role.REVIEWER), backend="allauth.account.auth_backends.AuthenticationBackend")
    response = client.post(reverse("tracing:open", args=[tenant.slug, trace.reply_id]), {"reason": "complaint 4711"})
    page = response.content.decode()
    assert response.status_code == 200
    for part in ("The question, prompt", "The answer, its tokens"):
        assert (f"{part} and " in page) == (part in gone)
    assert "under the retention policy" in page
    assert "No prompt was sent" not in page
    assert "Nothing was generated" not in page
    assert "The search found no passage" not in page
