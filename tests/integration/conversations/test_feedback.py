"""Ratings of answers: who may give them, what is kept, and what retention and erasure take."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from conversations.domain import begin_visit
from conversations.feedback import give_feedback
from conversations.identity.visitors import VisitorIdentity, issue_token
from conversations.models import Feedback, Giver, Message, Reply
from conversations.queries import describe_message, transcript
from conversations.widget.views import FeedbackThrottle
from helpdesk.errors import InvalidInput, NotFound
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.rows import make_trace
from tracing.erase import erase_customer, erase_tenant_content
from tracing.holds import place_hold
from tracing.retention import apply_retention, set_policy

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "my order 4711 never came"


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def visitor(tenant):
    return begin_visit(tenant.id)


@pytest.fixture
def answer(tenant, visitor):
    """The id of the visitor's answered message."""
    return answered(tenant, visitor)


def answered(tenant, visitor):
    trace = make_trace(tenant, visitor_id=visitor)
    with tenant_atomic(tenant.id):
        return Reply.objects.get(id=trace.reply_id).answer_id


def stored(tenant):
    with tenant_atomic(tenant.id):
        return list(Feedback.objects.values_list("given_by", "rating", "reason", "comment"))


def put(tenant, message_id, body, *, token=None, language="en"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().put(
        f"/widget/{tenant.slug}/messages/{message_id}/feedback?language={language}",
        body,
        content_type="application/json",
        headers=headers,
    )


def token_of(tenant, visitor):
    return issue_token(VisitorIdentity(tenant.id, visitor))


def test_feedback_is_kept_once_for_each_giver_and_may_be_changed(tenant, visitor, answer):
    given = {"tenant_id": tenant.id, "visitor_id": visitor, "message_id": answer}
    give_feedback(**given, rating="down", reason="wrong", comment=f"  {SECRET} ")
    assert stored(tenant) == [("customer", "down", "wrong", SECRET)]
    for _ in range(2):
        give_feedback(**given, rating="up")
    assert stored(tenant) == [("customer", "up", "", "")]
    give_feedback(tenant_id=tenant.id, message_id=answer, given_by=Giver.API, rating="down", reason="unclear")
    assert sorted(stored(tenant)) == [("api", "down", "unclear", ""), ("customer", "up", "", "")]


def test_an_answer_shows_its_customers_feedback_in_the_transcript(tenant, visitor, answer):
    give_feedback(tenant_id=tenant.id, message_id=answer, given_by=Giver.API, rating="down")
    with tenant_atomic(tenant.id):
        conversation_id = Message.objects.get(id=answer).conversation_id
        assert [describe_message(each)["feedback"] for each in transcript(conversation_id)] == [None, None]
    give_feedback(tenant_id=tenant.id, visitor_id=visitor, message_id=answer, rating="down", reason="other")
    with tenant_atomic(tenant.id):
        found = [describe_message(each)["feedback"] for each in transcript(conversation_id)]
    assert found == [None, {"rating": "down", "reason": "other", "comment": ""}]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"rating": "down", "comment": "\\ud800"}', "application/json"),
        ('{"rating": NaN}', "application/json"),
        ('{"rating": 1e999}', "application/json"),
        ('{"rating": "up"}'.encode("utf-16"), "application/json; charset=utf-16"),
        ('{"rating": "up"', "application/json; charset=rot13"),
        ("[" * 100_000, "application/json"),
        (" " * (1024 * 1024 + 1), "application/json"),
        ("x", "multipart/form-data"),
    ],
)
def test_bodies_that_make_no_sense_are_refused_and_nothing_keeps_a_copy(tenant, visitor, answer, body, content_type):
    response = Client().put(
        f"/widget/{tenant.slug}/messages/{answer}/feedback",
        body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {token_of(tenant, visitor)}"},
    )
    assert response.status_code in {400, 413, 415}
    assert response.json()["error"]["message"]
    assert response["Cache-Control"] == "no-store"
    assert stored(tenant) == []


@pytest.mark.parametrize(
    "given",
    [
        {"rating": "sideways"},
        {"rating": None},
        {"rating": ["up"]},
        {"rating": "down", "reason": "rude"},
        {"rating": "up", "reason": "rude"},
        {"rating": "down", "reason": {"a": 1}},
        {"rating": "down", "comment": "x" * 501},
        {"rating": "down", "comment": 7},
        {"rating": "down", "comment": "nul\x00"},
    ],
)
def test_feedback_that_cannot_be_kept_is_refused_and_changes_nothing(tenant, visitor, answer, given):
    with pytest.raises(InvalidInput):
        give_feedback(tenant_id=tenant.id, visitor_id=visitor, message_id=answer, **given)
    assert stored(tenant) == []


def test_only_the_answers_own_visitor_may_rate_as_a_customer(tenant, visitor, answer):
    with tenant_atomic(tenant.id):
        question = Message.objects.get(answer_to=None).id
    other_tenant = make_tenant()
    refused = [
        (tenant, begin_visit(tenant.id), answer),
        (tenant, None, answer),
        (tenant, visitor, question),
        (tenant, visitor, uuid.uuid4()),
        (other_tenant, visitor, answer),
        (other_tenant, begin_visit(other_tenant.id), answer),
    ]
    for where, who, message in refused:
        with pytest.raises(NotFound):
            give_feedback(tenant_id=where.id, visitor_id=who, message_id=message, rating="up")
    with pytest.raises(NotFound):
        give_feedback(tenant_id=other_tenant.id, message_id=answer, given_by=Giver.API, rating="up")
    assert (stored(tenant), stored(other_tenant)) == ([], [])


def test_the_endpoint_takes_the_visitors_own_answers_only(tenant, visitor, answer):
    other = make_tenant()
    body = {"rating": "down", "reason": "outdated", "comment": "again"}
    statuses = [
        put(tenant, answer, body).status_code,
        put(tenant, answer, body, token="forged").status_code,
        put(tenant, answer, body, token=token_of(other, begin_visit(other.id))).status_code,
        put(tenant, answer, body, token=token_of(tenant, begin_visit(tenant.id))).status_code,
        put(other, answer, body, token=token_of(other, visitor)).status_code,
        put(tenant, answer, {"rating": "meh"}, token=token_of(tenant, visitor)).status_code,
        put(tenant, answer, ["up"], token=token_of(tenant, visitor)).status_code,
    ]
    assert (statuses, stored(tenant)) == ([401, 401, 401, 404, 404, 400, 400], [])
    response = put(tenant, answer, body, token=token_of(tenant, visitor))
    assert (response.status_code, response.json()) == (200, body)
    assert stored(tenant) == [("customer", "down", "outdated", "again")]


def test_the_endpoint_refuses_in_the_customers_language(tenant, visitor, answer):
    refusal = put(tenant, answer, {"rating": "meh"}, token=token_of(tenant, visitor), language="zh")
    assert refusal.json()["error"] == {"code": "invalid", "message": "评价只能是“up”或“down”。"}


def test_the_endpoint_limits_one_address(tenant, visitor, answer, monkeypatch):
    cache.clear()
    monkeypatch.setattr(FeedbackThrottle, "rate", "2/min", raising=False)
    token = token_of(tenant, visitor)
    assert [put(tenant, answer, {"rating": "up"}, token=token).status_code for _ in range(3)] == [200, 200, 429]
    cache.clear()


def test_erasing_a_customer_takes_their_comments_and_no_one_elses(tenant, visitor, answer):
    other = begin_visit(tenant.id)
    for who, message in ((visitor, answer), (other, answered(tenant, other))):
        give_feedback(
            tenant_id=tenant.id, visitor_id=who, message_id=message, rating="down", reason="wrong", comment=SECRET
        )
    with tenant_atomic(tenant.id):
        erase_customer(Feedback.objects.get(reply__conversation__visitor_id=visitor).reply.conversation.visitor)
    assert sorted(comment for *_, comment in stored(tenant)) == ["", SECRET]
    with tenant_atomic(tenant.id):
        erase_tenant_content()
    assert stored(tenant) == [("customer", "down", "wrong", "")] * 2


def test_retention_takes_the_comments_of_old_answers_unless_they_are_held(tenant, visitor):
    visitors = [visitor, begin_visit(tenant.id), begin_visit(tenant.id)]
    answers = [answered(tenant, who) for who in visitors]
    for who, message in zip(visitors, answers, strict=True):
        give_feedback(tenant_id=tenant.id, visitor_id=who, message_id=message, rating="down", comment=SECRET)
    with tenant_atomic(tenant.id):
        old = Reply.objects.filter(answer_id__in=answers[:2])
        old.update(finished_at=timezone.now() - timedelta(days=40))
        place_hold(Message.objects.get(id=answers[1]).conversation, user=None, reason="a law suit")
        set_policy(prompts=30, answers=None, metrics=None)
    apply_retention(tenant.id)
    with tenant_atomic(tenant.id):
        comments = dict(Feedback.objects.values_list("reply__answer_id", "comment"))
    assert [comments[each] for each in answers] == ["", SECRET, SECRET]
