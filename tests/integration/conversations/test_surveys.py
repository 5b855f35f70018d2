"""How a conversation went: who is asked, who may say so and for how long, who sees it, and what erasure takes."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.test import Client
from django.utils import timezone

from conversations import domain
from conversations.models import AnsweredBy, Conversation, Message, Survey
from conversations.queries import conversation_by_id, describe_conversation
from conversations.surveys import asked_conversation, decline_survey, rate_conversation
from helpdesk.errors import Conflict, InvalidInput, NotFound
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_api_key, make_question, make_tenant, make_ticket, make_user
from tests.integration.conversations.test_sockets import OURS, off_loop, opened, token_of
from tests.integration.tracing.rows import make_trace
from tracing.erase import erase_customer
from tracing.forget import forget_conversation
from tracing.retention import apply_retention, set_policy

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "my order 4711 never came"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def visitor(tenant: Tenant) -> uuid.UUID:
    return domain.begin_visit(tenant.id)


@pytest.fixture
def conversation(tenant: Tenant, visitor: uuid.UUID) -> Conversation:
    """One that the AI has answered in."""
    trace = make_trace(tenant, visitor_id=visitor)
    with tenant_atomic(tenant.id):
        found: Conversation = Conversation.objects.get(id=trace.conversation_id)
    return found


def close(tenant: Tenant, conversation: Conversation) -> None:
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)


def rate(tenant: Tenant, visitor: uuid.UUID, conversation: Conversation, score: Any = 4, comment: Any = "") -> Survey:
    return rate_conversation(
        tenant_id=tenant.id, visitor_id=visitor, conversation_id=conversation.id, score=score, comment=comment
    )


def stored(tenant: Tenant) -> list[tuple[str, int | None, str]]:
    with tenant_atomic(tenant.id):
        return list(Survey.objects.order_by("asked_at").values_list("answered_by", "score", "comment"))


def events(tenant: Tenant) -> list[str]:
    with tenant_atomic(tenant.id):
        return list(Message.objects.filter(author="system").order_by("position").values_list("body", flat=True))


def put(tenant: Tenant, conversation: Conversation, body: Any, *, token: str = "", language: str = "en") -> Any:
    return Client().put(
        f"/widget/{tenant.slug}/conversations/{conversation.id}/rating?language={language}",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


def test_a_customer_is_asked_once_when_a_conversation_is_resolved(tenant, visitor, conversation):
    assert stored(tenant) == []
    close(tenant, conversation)
    close(tenant, conversation)
    assert stored(tenant) == [("ai", None, "")]
    domain.reopen_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant))
    close(tenant, conversation)
    assert stored(tenant) == [("ai", None, "")]


def test_who_answered_is_kept_with_the_rating(tenant, visitor, conversation):
    user = make_user(tenant)
    domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=user, body="I can help.")
    close(tenant, conversation)
    rate(tenant, visitor, conversation)
    other = domain.begin_visit(tenant.id)
    waiting, _, _ = make_question(tenant, "I want to speak to a human", visitor_id=other)
    make_question(tenant, "a human please", visitor_id=other)
    domain.post_person_message(tenant_id=tenant.id, conversation_id=waiting.id, user=user, body="Here I am.")
    close(tenant, waiting)
    assert stored(tenant) == [(AnsweredBy.MIXED, 4, ""), (AnsweredBy.PERSON, None, "")]


def test_nobody_is_asked_where_nobody_answered_or_they_went_on_to_another(tenant, visitor, conversation):
    unanswered, _, _ = make_question(tenant)
    close(tenant, unanswered)
    domain.leave_conversation(tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=visitor)
    assert stored(tenant) == []
    with tenant_atomic(tenant.id):
        assert asked_conversation(visitor) is None


def test_the_customer_says_that_it_is_solved_and_nobody_else(tenant, visitor, conversation):
    for where, who in [(tenant, domain.begin_visit(tenant.id)), (make_tenant(), visitor)]:
        with pytest.raises(NotFound):
            domain.say_solved(tenant_id=where.id, conversation_id=conversation.id, visitor_id=who)
    assert events(tenant) == []
    for _ in range(2):
        domain.say_solved(tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=visitor)
    assert events(tenant) == ["solved"]
    with tenant_atomic(tenant.id):
        assert asked_conversation(visitor) == conversation
        assert describe_conversation(conversation_by_id(conversation.id))["survey"] == {
            "score": None, "comment": "", "is_open": True,
        }  # fmt: skip


def test_a_rating_is_a_fact_and_an_event_and_the_same_again_is_neither(tenant, visitor, conversation):
    close(tenant, conversation)
    for score, comment in [(2, f" {SECRET} "), (2, SECRET), (2, ""), (5, "")]:
        rate(tenant, visitor, conversation, score, comment)
    assert stored(tenant) == [("ai", 5, "")]
    assert events(tenant) == ["closed", "rated_2", "rated_5"]
    with tenant_atomic(tenant.id):
        facts = list(Fact.objects.filter(kind="conversation.rated").order_by("number").values_list("actor", "data"))
    assert facts == [("customer", {"score": score, "answered_by": "ai"}) for score in (2, 2, 5)]


@pytest.mark.parametrize("score", [0, 6, "5", 4.0, True, None, [5], -1])
def test_only_a_number_from_one_to_five_is_a_rating(tenant, visitor, conversation, score):
    close(tenant, conversation)
    with pytest.raises(InvalidInput):
        rate(tenant, visitor, conversation, score)
    assert stored(tenant) == [("ai", None, "")]


@pytest.mark.parametrize("comment", ["x" * 501, 7, "nul\x00", ["a"]])
def test_a_comment_that_cannot_be_kept_is_refused(tenant, visitor, conversation, comment):
    close(tenant, conversation)
    with pytest.raises(InvalidInput):
        rate(tenant, visitor, conversation, 3, comment)
    assert stored(tenant) == [("ai", None, "")]


def test_a_rating_can_be_changed_for_a_day_and_given_for_two_weeks(tenant, visitor, conversation):
    close(tenant, conversation)
    with tenant_atomic(tenant.id):
        Survey.objects.update(asked_at=timezone.now() - timedelta(days=15))
        assert asked_conversation(visitor) is None
    with pytest.raises(Conflict):
        rate(tenant, visitor, conversation)
    with tenant_atomic(tenant.id):
        Survey.objects.update(asked_at=timezone.now() - timedelta(days=13))
    rate(tenant, visitor, conversation, 1)
    rate(tenant, visitor, conversation, 2)
    with tenant_atomic(tenant.id):
        Survey.objects.update(rated_at=timezone.now() - timedelta(hours=25))
    with pytest.raises(Conflict):
        rate(tenant, visitor, conversation, 5)
    assert stored(tenant) == [("ai", 2, "")]


def test_who_would_rather_not_say_is_not_asked_again(tenant, visitor, conversation):
    close(tenant, conversation)
    for _ in range(2):
        decline_survey(tenant_id=tenant.id, visitor_id=visitor, conversation_id=conversation.id)
    with tenant_atomic(tenant.id):
        assert asked_conversation(visitor) is None
    with pytest.raises(Conflict):
        rate(tenant, visitor, conversation)


def test_an_open_conversation_is_not_rated(tenant, visitor, conversation):
    close(tenant, conversation)
    domain.reopen_conversation(tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant))
    with pytest.raises(NotFound):
        rate(tenant, visitor, conversation)


def test_twice_at_once_is_one_rating_and_one_event(tenant, visitor, conversation):
    close(tenant, conversation)

    def run() -> None:
        try:
            rate(tenant, visitor, conversation, 4, "fine")
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (stored(tenant), events(tenant)) == ([("ai", 4, "fine")], ["closed", "rated_4"])


def test_the_endpoint_takes_the_visitors_own_conversations_only(tenant, visitor, conversation):
    close(tenant, conversation)
    other = make_tenant()
    body = {"score": 3, "comment": "so so"}
    token = token_of(tenant, visitor)
    refused = [
        put(tenant, conversation, body),
        put(tenant, conversation, body, token="forged"),
        put(tenant, conversation, body, token=token_of(other)),
        put(tenant, conversation, body, token=token_of(tenant)),
        put(tenant, conversation, {"score": None}, token=token_of(tenant)),
        put(other, conversation, body, token=token_of(other, visitor)),
        put(tenant, conversation, {"score": 9}, token=token),
        put(tenant, conversation, {"comment": "x"}, token=token),
        put(tenant, conversation, [3], token=token),
    ]
    assert [each.status_code for each in refused] == [401, 401, 401, 404, 404, 404, 400, 400, 400]
    assert stored(tenant) == [("ai", None, "")]
    response = put(tenant, conversation, body, token=token)
    assert (response.status_code, response.json()) == (200, {"score": 3, "comment": "so so", "is_open": True})
    assert response["Cache-Control"] == "no-store"
    refusal = put(tenant, conversation, {"score": 9}, token=token, language="zh").json()["error"]
    assert refusal == {"code": "invalid", "message": "评分为 1 到 5 的整数。"}


def test_not_now_is_taken_by_the_endpoint(tenant, visitor, conversation):
    close(tenant, conversation)
    response = put(tenant, conversation, {"score": None}, token=token_of(tenant, visitor))
    assert (response.status_code, response.content) == (204, b"")
    late = put(tenant, conversation, {"score": 3}, token=token_of(tenant, visitor))
    assert (late.status_code, late.json()["error"]["code"]) == (409, "survey_over")


def test_people_see_the_rating_beside_and_in_the_thread(tenant, visitor, conversation):
    client = Client()
    client.force_login(make_user(tenant, Role.AGENT))
    address = f"/desk/{tenant.slug}/inbox/{conversation.id}/"
    assert "Customer&#x27;s rating" not in client.get(address).content.decode()
    close(tenant, conversation)
    assert "Asked, no rating yet." in client.get(address).content.decode()
    rate(tenant, visitor, conversation, 2, "<b>slow</b>")
    page = client.get(address).content.decode()
    for words in ("2 out of 5", "&lt;b&gt;slow&lt;/b&gt;", "The customer rated this conversation 2 out of 5."):
        assert words in page


def test_api_clients_read_the_rating_of_their_company_only(tenant, visitor, conversation):
    close(tenant, conversation)
    key, others = make_api_key(tenant), make_api_key(make_tenant())
    address = f"/api/v1/conversations/{conversation.id}"

    def read(text: str, where: str = address) -> Any:
        return Client().get(where, headers={"Authorization": f"Bearer {text}"})

    assert read(key).json()["rating"] is None
    survey = rate(tenant, visitor, conversation, 5, "quick")
    given = {"score": 5, "comment": "quick", "answered_by": "ai", "rated_at": survey.rated_at.isoformat()}
    assert read(key).json()["rating"] == given
    assert [each["rating"] for each in read(key, "/api/v1/conversations").json()["data"]] == [given]
    assert read(others).status_code == 404


def test_erasure_deletion_and_retention_take_the_comment_and_leave_the_score(tenant, visitor, conversation):
    others = []
    for _ in range(3):
        who = domain.begin_visit(tenant.id)
        trace = make_trace(tenant, visitor_id=who)
        with tenant_atomic(tenant.id):
            others.append((who, Conversation.objects.get(id=trace.conversation_id)))
    everyone = [(visitor, conversation), *others]
    for who, each in everyone:
        close(tenant, each)
        rate(tenant, who, each, 1, SECRET)
    with tenant_atomic(tenant.id):
        erase_customer(Conversation.objects.get(id=everyone[0][1].id).visitor)
        forget_conversation(everyone[1][1].id)
        Survey.objects.filter(conversation=everyone[2][1]).update(rated_at=timezone.now() - timedelta(days=40))
        set_policy(prompts=30, answers=None, metrics=None)
    apply_retention(tenant.id)
    with tenant_atomic(tenant.id):
        found = dict(Survey.objects.values_list("conversation_id", "comment"))
    assert [found[each.id] for _, each in everyone] == ["", "", "", SECRET]
    assert {score for _, score, _ in stored(tenant)} == {1}


async def test_a_conversation_that_has_ended_is_shown_until_its_customer_has_said_how_it_went() -> None:
    tenant = await off_loop(make_tenant)()
    visitor = await off_loop(domain.begin_visit)(tenant.id)
    await off_loop(make_trace)(tenant, visitor_id=visitor)
    token = await off_loop(token_of)(tenant, visitor)

    async def connect() -> tuple[WebsocketCommunicator, Any]:
        socket, _ = await opened(
            f"/ws/widget/{tenant.slug}/", [OURS, f"visitor.{token}", f"origin.{make_ticket(tenant)}"]
        )
        return socket, json.loads(await socket.receive_from(timeout=10))

    socket, first = await connect()
    assert first["conversation"]["survey"] is None
    await socket.send_to(text_data='{"type": "solved"}')
    while (frame := json.loads(await socket.receive_from(timeout=10)))["type"] != "status":
        pass
    assert (frame["conversation"]["status"], frame["conversation"]["survey"]["is_open"]) == ("closed", True)
    await socket.disconnect(timeout=10)
    socket, again = await connect()
    assert again["conversation"]["id"] == first["conversation"]["id"]
    await socket.send_to(text_data='{"type": "new"}')
    assert json.loads(await socket.receive_from(timeout=10))["conversation"] is None
    await socket.disconnect(timeout=10)
    socket, none = await connect()
    assert none["conversation"] is None
    await socket.send_to(text_data='{"type": "solved"}')
    assert json.loads(await socket.receive_from(timeout=10))["error"]["code"] == "not_found"
    await socket.disconnect(timeout=10)
