"""What a correction becomes: which examples leave the desk, in which layout, without whom, and for whom."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from conversations.models import Conversation, Message, Visitor
from evaluation.help_centres import read_help_centre
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge.models import Article
from reviews.domain import Judgement
from reviews.models import ReviewItem
from tests.factories import make_tenant, make_user
from tests.integration.knowledge.articles import publish
from tests.integration.reviews.rows import GOOD, judge, make_item, reviewer
from tracing.erase import erase_customer
from tracing.forget import forget_conversation
from tracing.labels import read_labels
from tracing.models import TraceAccess

pytestmark = pytest.mark.django_db
QUOTE = "Delivery takes two days."


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def settle(tenant: Tenant, judgement: Judgement, *, question: str = "When is order MG12345678 here?") -> ReviewItem:
    """A reviewed answer of a known customer that cites a passage."""
    item = make_item(tenant)
    with tenant_atomic(tenant.id):
        article = Article.objects.first()
        conversation = Conversation.objects.get(replies=item.reply_id)
        source = {
            "number": 1, "article": str(article.id if article else uuid.uuid4()), "version": 1, "chunk": str(uuid.uuid4()),
            "title": "Delivery", "heading": "", "language": "en", "quote": QUOTE,
            "passage": f"{QUOTE} Write to help@shop.example.", "updated_at": "2026-01-01",
        }  # fmt: skip
        Message.objects.filter(conversation=conversation, author="customer").update(body=question)
        Message.objects.filter(conversation=conversation, author="ai").update(body="Three days.", sources=[source])
        Visitor.objects.filter(id=conversation.visitor_id).update(name="Ann Lee", email="ann@home.example")
    judge(tenant, reviewer(tenant), judgement)
    return item


def wrong(cause: str = "misread", correction: str = "Two days, Ann Lee. Or write to help@shop.example.") -> Judgement:
    return Judgement(verdict="wrong", cause=cause, correction=correction, note="Never leaves.")


def export(client: Client, tenant: Tenant, layout: str) -> Any:
    return client.post(reverse("reviews:export", args=[tenant.slug]), {"layout": layout})


@pytest.fixture
def owner(client: Client, tenant: Tenant) -> Client:
    client.force_login(make_user(tenant, Role.OWNER))
    return client


def rows(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    return [json.loads(line) for line in response.content.decode().splitlines()]


def test_a_correction_is_a_preference_pair_without_personal_data(owner: Client, tenant: Tenant) -> None:
    item = settle(tenant, wrong())
    (row,) = rows(export(owner, tenant, "preference"))
    assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
    assert row["prompt"][1]["content"] == "When is order [CODE] here?"
    assert QUOTE in row["prompt"][0]["content"]
    assert row["chosen"] == [{"role": "assistant", "content": "Two days, [CUSTOMER]. Or write to help@shop.example."}]
    assert row["rejected"] == [{"role": "assistant", "content": "Three days."}]
    assert (row["id"], row["cause"], row["reviewers"]) == (str(item.id), "misread", 1)
    with tenant_atomic(tenant.id):
        assert Fact.objects.get(kind="reviews.exported").data == {"layout": "preference", "count": 1}
        assert not TraceAccess.objects.exists()


def test_what_the_customer_told_before_the_chat_stays_in_the_desk(owner: Client, tenant: Tenant) -> None:
    settle(tenant, wrong(correction="Two days, Mei Chan of Hall 9."), question="Mei Chan here: when will it come?")
    with tenant_atomic(tenant.id):
        Visitor.objects.update(name="", told={"name": "Mei Chan", "own": "Hall 9", "at": "2026-11-30T12:00:00+00:00"})
    (row,) = rows(export(owner, tenant, "preference"))
    assert row["prompt"][1]["content"] == "[CUSTOMER] here: when will it come?"
    assert row["chosen"] == [{"role": "assistant", "content": "Two days, [CUSTOMER] of [CUSTOMER]."}]


def test_good_answers_and_corrections_are_examples_and_what_the_passages_do_not_say_is_none(
    owner: Client, tenant: Tenant
) -> None:
    for judgement in (GOOD, wrong("tone"), wrong("retrieval_missed"), wrong("outdated_article"), wrong(correction="")):
        settle(tenant, judgement)
    found = [row["completion"][0]["content"] for row in rows(export(owner, tenant, "supervised"))]
    assert found == ["Three days.", "Two days, [CUSTOMER]. Or write to help@shop.example."]
    assert len(rows(export(owner, tenant, "preference"))) == 1


def test_verdicts_are_questions_that_the_measuring_command_reads(owner: Client, tenant: Tenant, tmp_path: Path) -> None:
    publish(tenant, "Delivery", QUOTE, embed=False)
    settle(tenant, GOOD, question="When will it be here?")
    settle(tenant, GOOD, question="When will it be here?")
    settle(tenant, wrong("should_refuse"), question="Do you sell boats?")
    settle(tenant, wrong("misread"), question="How much is it?")
    content = export(owner, tenant, "questions").content.decode()
    found = json.loads(content)
    (answerable,) = found["answerable"]
    assert (answerable["question"], answerable["answer"]) == ("When will it be here?", QUOTE)
    assert found["unanswerable"] == [{"language": "en", "question": "Do you sell boats?"}]
    (tmp_path / "questions.json").write_text(content, encoding="utf-8")
    article = tmp_path / f"{answerable['article']}.md"
    article.parent.mkdir(parents=True, exist_ok=True)
    article.write_text(f"# Delivery\n\n{QUOTE}\n", encoding="utf-8")
    assert len(read_help_centre(tmp_path).questions) == 2


def test_deleted_conversations_and_erased_customers_leave_no_example(owner: Client, tenant: Tenant) -> None:
    deleted, erased, kept = (settle(tenant, wrong()) for _ in range(3))
    with tenant_atomic(tenant.id):
        conversations = {item.id: Conversation.objects.get(replies=item.reply_id) for item in (deleted, erased)}
        forget_conversation(conversations[deleted.id].id)
        erase_customer(conversations[erased.id].visitor)
    assert [row["id"] for row in rows(export(owner, tenant, "preference"))] == [str(kept.id)]


def test_only_those_who_may_take_it_out(client: Client, tenant: Tenant) -> None:
    settle(tenant, wrong())
    assert export(client, tenant, "preference").status_code == 302
    for other, role, status in ((tenant, Role.REVIEWER, 403), (make_tenant(), Role.OWNER, 404)):
        client.force_login(make_user(other, role))
        assert export(client, tenant, "preference").status_code == status
    client.force_login(make_user(tenant, Role.ADMIN))
    assert export(client, tenant, "everything").status_code == 400
    other = make_tenant()
    client.force_login(make_user(other, Role.OWNER))
    assert rows(export(client, other, "preference")) == []


def test_the_command_writes_the_same_and_its_file_is_private(tenant: Tenant, tmp_path: Path) -> None:
    settle(tenant, wrong())
    out = tmp_path / "pairs.jsonl"
    call_command("export_reviews", tenant.slug, "--as", "preference", "--out", str(out))
    assert json.loads(out.read_text())["cause"] == "misread"
    assert out.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError):
        call_command("export_reviews", "no-such-company")


def test_labels_open_the_traces_for_a_reason_and_calibration_reads_them(tenant: Tenant, tmp_path: Path) -> None:
    for judgement in (GOOD, wrong("tone"), wrong("misread")):
        settle(tenant, judgement)
    out = tmp_path / "labels.jsonl"
    with pytest.raises(CommandError):
        call_command("export_reviews", tenant.slug, "--as", "labels", "--out", str(out))
    call_command("export_reviews", tenant.slug, "--as", "labels", "--out", str(out), "--reason", "calibration of May")
    assert [answer.is_right for answer in read_labels([out])] == [True, True, False]
    assert {answer.question for answer in read_labels([out])} == {"When is order [CODE] here?"}
    with tenant_atomic(tenant.id):
        assert list(TraceAccess.objects.values_list("reason", flat=True)) == ["calibration of May"] * 3
