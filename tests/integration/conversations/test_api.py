"""Conversations for API clients: who may, what is stored, what is shown, what is refused. Answers: see inference_worker."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from conversations import domain, replies
from conversations.failures import FailureCode
from conversations.feedback import give_feedback
from conversations.inbox.labels import create_label
from conversations.inbox.queues import Listed, page_of
from conversations.models import Channel, Conversation, ConversationStatus, Message, Outcome, Reply, Visitor
from helpdesk.api_keys.scopes import Scope
from helpdesk.facts.kinds import SYSTEM
from helpdesk.facts.models import Fact
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import ApiEndpoint, api_call, check_access
from tests.factories import make_api_key, make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/conversations"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def key(tenant: Tenant) -> str:
    return make_api_key(tenant)


def rows_of(tenant: Tenant) -> list[Any]:
    with tenant_atomic(tenant.id):
        return [list(model.objects.order_by("id").values()) for model in (Visitor, Conversation, Message, Reply)]


def begin(key: str, **body: Any) -> str:
    response = api_call("POST", PATH, key, body)
    assert response.status_code == 201, response.content
    return str(response.json()["id"])


def ask(key: str, conversation: str, body: Any = "How long does delivery take?", **fields: Any) -> Any:
    return api_call("POST", f"{PATH}/{conversation}/messages", key, {"body": body, **fields})


def error_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def finish(tenant: Tenant, reply_id: str, body: str = "Two days.", outcome: Outcome = Outcome.ANSWERED) -> None:
    with tenant_atomic(tenant.id):
        claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=uuid.UUID(reply_id), worker="test")
        assert claimed is not None
        replies.finish_reply(claimed.reply, replies.Answer(body, "en", outcome, seconds=2.0))


def test_the_matrix_of_callers(tenant: Tenant, key: str) -> None:
    conversation = begin(key)
    reply = ask(key, conversation).json()["reply"]["id"]
    one, its_reply = f"{PATH}/{conversation}", f"{PATH}/{conversation}/replies/{reply}"
    question = {"body": "And abroad?"}
    for endpoint in (
        ApiEndpoint("GET", one, Scope.CONVERSATIONS_READ),
        ApiEndpoint("GET", f"{one}/messages", Scope.CONVERSATIONS_READ),
        ApiEndpoint("GET", its_reply, Scope.CONVERSATIONS_READ),
        ApiEndpoint("GET", f"{its_reply}/stream", Scope.CONVERSATIONS_READ),
        ApiEndpoint("POST", f"{one}/messages", Scope.ANSWERS_WRITE, 202, question),
        ApiEndpoint("POST", f"{its_reply}/stop", Scope.ANSWERS_WRITE, 202),
        ApiEndpoint("PATCH", one, Scope.CONVERSATIONS_WRITE, 200, {"priority": "high"}),
        ApiEndpoint("DELETE", one, Scope.CONVERSATIONS_WRITE, 204),
    ):
        check_access(endpoint, tenant, rows=lambda: rows_of(tenant))
    for endpoint in (
        ApiEndpoint("GET", PATH, Scope.CONVERSATIONS_READ),
        ApiEndpoint("POST", PATH, Scope.CONVERSATIONS_WRITE, 201, {}),
        ApiEndpoint("GET", "/api/v1/stats", Scope.STATS_READ),
    ):
        check_access(endpoint, tenant, rows=lambda: rows_of(tenant), is_about_one=False)


def test_a_conversation_is_begun_for_a_customer_and_found_again(tenant: Tenant, key: str) -> None:
    first = api_call("POST", PATH, key, {"customer": "c-17", "language": "zh"})
    assert first["Location"] == f"{PATH}/{first.json()['id']}"
    assert api_call("GET", first["Location"], key).json() == first.json()
    second, other = begin(key, customer="c-17"), begin(key, customer="c-18")
    begin(make_api_key(make_tenant()), customer="c-17")
    found = api_call("GET", f"{PATH}?customer=c-17", key).json()["data"]
    assert [row["id"] for row in found] == [second, first.json()["id"]]
    assert {row["customer"] for row in found} == {"c-17"}
    assert (first.json()["language"], first.json()["channel"], first.json()["status"]) == ("zh", "api", "ai")
    with tenant_atomic(tenant.id):
        assert Visitor.objects.count() == 2
        assert Conversation.objects.get(id=other).visitor.reference == "c-18"


def test_lists_filter_by_status_and_channel(tenant: Tenant, key: str) -> None:
    mine = begin(key)
    website, _message, _reply = make_question(tenant)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=website.id)

    def found(query: str) -> list[str]:
        return [row["id"] for row in api_call("GET", f"{PATH}?{query}", key).json()["data"]]

    assert found("") == [str(website.id), mine]
    assert found("channel=api") == [mine]
    assert found("status=closed") == [str(website.id)]
    assert found("status=closed&channel=api") == []
    refused = api_call("GET", f"{PATH}?status=open", key)
    assert (error_of(refused), refused.json()["error"]["parameter"]) == ((400, "invalid"), "status")


def test_a_question_is_queued_with_its_parameters(tenant: Tenant, key: str) -> None:
    conversation = begin(key)
    parameters = {"temperature": 0.5, "seed": 7, "stop": ["\n"], "use_cache": False}
    response = ask(key, conversation, parameters=parameters)
    assert response.status_code == 202
    asked = response.json()
    assert response["Location"] == f"{PATH}/{conversation}/replies/{asked['reply']['id']}"
    assert (asked["message"]["author"], asked["message"]["body"]) == ("customer", "How long does delivery take?")
    assert (asked["reply"]["status"], asked["reply"]["answer"], asked["reply"]["error"]) == ("queued", None, None)
    with tenant_atomic(tenant.id):
        reply = Reply.objects.select_related("conversation").get()
        assert (reply.parameters, reply.conversation.channel) == (parameters, Channel.API)


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({}, 400, "body"),
        ({"body": ""}, 400, "body"),
        ({"body": 7, "wait": "soon"}, 400, "wait"),
        ({"body": "Hi", "wait": 61}, 400, "wait"),
        ({"body": "Hi", "streaming": True}, 400, "streaming"),
        ({"body": "Hi", "parameters": {"temperature": 3}}, 400, "parameters"),
        ({"body": "Hi", "parameters": {"seed": True}}, 400, "parameters"),
        ({"body": "Hi", "parameters": {"stop": ["a"] * 5}}, 400, "parameters"),
        ({"body": "Hi", "parameters": {"heat": 1}}, 400, "parameters"),
        ({"body": "a" * 4001}, 413, None),
        ({"body": "a\u0007"}, 400, None),
        (["Hi"], 400, "non_field_errors"),
        ("Hi", 400, "non_field_errors"),
    ],
)
def test_a_question_that_cannot_be_is_refused_by_name(
    tenant: Tenant, key: str, body: Any, status: int, named: str | None
) -> None:
    conversation = begin(key)
    before = rows_of(tenant)
    response = api_call("POST", f"{PATH}/{conversation}/messages", key, body)
    assert response.status_code == status, response.content
    if named:
        assert named in response.json()["error"]["fields"]
    assert rows_of(tenant) == before


@pytest.mark.parametrize("body", [{"customer": "a\u0000b"}, {"customer": "a" * 129}, {"language": "fr"}, {"name": "x"}])
def test_a_conversation_that_cannot_be_is_not_begun(tenant: Tenant, key: str, body: Any) -> None:
    assert error_of(api_call("POST", PATH, key, body)) == (400, "invalid")
    assert rows_of(tenant) == [[], [], [], []]


def test_nobody_speaks_for_a_customer_of_the_website(tenant: Tenant, key: str) -> None:
    conversation, _message, reply = make_question(tenant)
    assert reply is not None
    before = rows_of(tenant)
    assert error_of(ask(key, str(conversation.id))) == (409, "not_an_api_conversation")
    stopped = api_call("POST", f"{PATH}/{conversation.id}/replies/{reply.id}/stop", key)
    assert stopped.status_code == 404
    assert rows_of(tenant) == before


def test_a_closed_conversation_takes_no_question_and_a_persons_gets_no_reply(tenant: Tenant, key: str) -> None:
    closed, with_person = begin(key), begin(key)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=uuid.UUID(closed))
    assert error_of(ask(key, closed)) == (409, "conversation_closed")
    user = make_user(tenant, Role.AGENT)
    domain.post_person_message(
        tenant_id=tenant.id, conversation_id=uuid.UUID(with_person), user=user, body="I take over."
    )
    response = ask(key, with_person, wait=30)
    assert (response.status_code, response.json()["reply"]) == (200, None)
    read = api_call("GET", f"{PATH}/{with_person}", key).json()
    assert (read["status"], read["assignee"]) == ("person", str(user))


def test_history_and_reply_show_the_answer(tenant: Tenant, key: str) -> None:
    conversation = begin(key)
    asked = ask(key, conversation).json()
    finish(tenant, asked["reply"]["id"])
    page = api_call("GET", f"{PATH}/{conversation}/messages?limit=1", key).json()
    rest = api_call("GET", page["next"], key).json()
    assert [message["body"] for message in page["data"] + rest["data"]] == ["How long does delivery take?", "Two days."]
    assert rest["next"] is None
    reply = api_call("GET", f"{PATH}/{conversation}/replies/{asked['reply']['id']}", key).json()
    assert (reply["status"], reply["answer"]) == ("done", rest["data"][0])
    assert api_call("GET", f"{PATH}/{begin(key)}/replies/{reply['id']}", key).status_code == 404


def test_a_failed_reply_says_why(tenant: Tenant, key: str) -> None:
    conversation = begin(key)
    reply = ask(key, conversation).json()["reply"]["id"]
    replies.fail_reply(tenant_id=tenant.id, reply_id=uuid.UUID(reply), attempt=None, code=FailureCode.DEADLINE)
    read = api_call("GET", f"{PATH}/{conversation}/replies/{reply}", key).json()
    assert (read["status"], read["error"]["code"], read["answer"]) == ("failed", "deadline", None)
    assert "too long" in read["error"]["message"]


def test_waiting_ends_with_the_time_and_the_reply_goes_on(key: str) -> None:
    conversation = begin(key)
    response = api_call(
        "POST", f"{PATH}/{conversation}/messages", key, {"body": "Hello?"}, Prefer="respond-async, wait=1"
    )
    assert (response.status_code, response["Preference-Applied"]) == (202, "wait=1")
    assert response.json()["reply"]["status"] == "queued"


def test_a_repeated_question_is_stored_once_also_after_a_crash(tenant: Tenant, key: str) -> None:
    from helpdesk.api.models import IdempotentRequest

    path, conversation = f"{PATH}/{{}}/messages", begin(key)
    first = api_call("POST", path.format(conversation), key, {"body": "Hello?"}, Idempotency_Key="m1")
    again = api_call("POST", path.format(conversation), key, {"body": "Hello?"}, Idempotency_Key="m1")
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    with tenant_atomic(tenant.id):
        # As if the process had died between storing the message and keeping the answer.
        IdempotentRequest.objects.all().delete()
    third = api_call("POST", path.format(conversation), key, {"body": "Hello?"}, Idempotency_Key="m1")
    assert third.json()["message"]["id"] == first.json()["message"]["id"]
    with tenant_atomic(tenant.id):
        assert (Message.objects.count(), Reply.objects.count()) == (1, 1)


def test_the_inbox_shows_an_api_clients_conversation_when_it_needs_a_person(tenant: Tenant, key: str) -> None:
    conversation = begin(key)
    ask(key, conversation)
    user = make_user(tenant)

    def shown() -> list[str]:
        with tenant_atomic(tenant.id):
            return [str(row.id) for row in page_of(Listed(), user.pk)[0]]

    assert shown() == []
    with tenant_atomic(tenant.id):
        Conversation.objects.filter(id=conversation).update(status=ConversationStatus.WAITING)
    assert shown() == [conversation]


def test_statistics_count_the_tenants_own_rows(tenant: Tenant, key: str) -> None:
    conversation = begin(key)
    for outcome in (Outcome.ANSWERED, Outcome.ANSWERED, Outcome.REFUSED):
        finish(tenant, ask(key, conversation).json()["reply"]["id"], outcome=outcome)
    failed = ask(key, conversation).json()["reply"]["id"]
    replies.fail_reply(tenant_id=tenant.id, reply_id=uuid.UUID(failed), attempt=None, code=FailureCode.DEADLINE)
    ask(key, conversation)
    make_question(make_tenant())
    stats = api_call("GET", "/api/v1/stats?days=1", key).json()
    assert stats["conversations"] == {"ai": 1}
    assert stats["replies"] == {
        "by_outcome": {"answered": 2, "refused": 1, "stopped": 0},
        "failed": {"deadline": 1},
        "in_flight": 1,
        "seconds": {"p50": 2.0, "p95": 2.0},
    }
    assert (stats["refusals"], stats["refusal_rate"]) == (1, 0.333)
    empty = api_call("GET", "/api/v1/stats", make_api_key(make_tenant())).json()
    assert (empty["refusal_rate"], empty["replies"]["seconds"]["p50"]) == (None, None)
    assert error_of(api_call("GET", "/api/v1/stats?days=91", key)) == (400, "invalid")


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_a_fixed_number_of_queries(
    tenant: Tenant, key: str, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        begin(key)
    with django_assert_num_queries(11):
        assert len(api_call("GET", PATH, key).json()["data"]) == count


@pytest.mark.parametrize("count", [1, 3])
def test_a_transcript_takes_a_fixed_number_of_queries_however_many_answers_have_feedback(
    tenant: Tenant, key: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = begin(key)
    with tenant_atomic(tenant.id):
        visitor_id = Conversation.objects.get().visitor_id
    for _ in range(count):
        finish(tenant, ask(key, conversation).json()["reply"]["id"])
    with tenant_atomic(tenant.id):
        answers = list(Message.objects.filter(author="ai").values_list("id", flat=True))
    for answer in answers:
        give_feedback(tenant_id=tenant.id, visitor_id=visitor_id, message_id=answer, rating="up")
    # The view runs in a thread of its own, with a connection of its own.
    statements: list[str] = []
    execute = CursorWrapper.execute
    monkeypatch.setattr(CursorWrapper, "execute", lambda *given: statements.append(given[1]) or execute(*given))
    found = api_call("GET", f"{PATH}/{conversation}/messages", key).json()["data"]
    assert [message["feedback"]["rating"] for message in found if message["author"] == "ai"] == ["up"] * count
    assert len(statements) == 8


def test_stage_priority_and_labels_are_changed_by_a_patch(tenant: Tenant, key: str) -> None:
    conversation = begin(key)
    with tenant_atomic(tenant.id):
        for name in ("Refund", "退款"):
            create_label(name=name, colour="red", actor=SYSTEM)
    path = f"{PATH}/{conversation}"
    until = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"stage": "snoozed", "wakes_at": until, "priority": "high", "labels": ["refund", "退款"]}
    for _twice in range(2):
        changed = api_call("PATCH", path, key, body).json()
        assert (changed["stage"], changed["priority"], changed["labels"]) == ("snoozed", "high", ["Refund", "退款"])
    assert changed["wakes_at"] == until
    for query in ("stage=snoozed", "priority=high", "label=REFUND"):
        assert [each["id"] for each in api_call("GET", f"{PATH}?{query}", key).json()["data"]] == [conversation]
    for query in ("stage=open", "priority=low", "label=Other"):
        assert api_call("GET", f"{PATH}?{query}", key).json()["data"] == []
    changed = api_call("PATCH", path, key, {"labels": ["退款"], "stage": "open"}).json()
    assert (changed["stage"], changed["wakes_at"], changed["labels"]) == ("open", None, ["退款"])
    changed = api_call("PATCH", path, key, {"stage": "resolved"}).json()
    assert (changed["stage"], changed["status"]) == ("resolved", "closed")
    with tenant_atomic(tenant.id):
        actors = set(Fact.objects.filter(kind__startswith="conversation.").values_list("actor", flat=True))
    assert actors == {"api_key"}


@pytest.mark.parametrize(
    "body",
    [
        {"stage": "done"}, {"stage": "snoozed"}, {"wakes_at": "2030-01-01T00:00:00Z"}, {"priority": "top"}, {"labels": ["No"]},
        {"stage": "snoozed", "wakes_at": "2000-01-01T00:00:00Z"}, {"labels": "Refund"}, {"assignee": 1}, {"stage": None},
    ],
)  # fmt: skip
def test_a_patch_that_cannot_be_changes_nothing(tenant: Tenant, key: str, body: dict[str, Any]) -> None:
    conversation = begin(key)
    before = rows_of(tenant)
    assert error_of(api_call("PATCH", f"{PATH}/{conversation}", key, {"priority": "high"} | body))[0] == 400
    assert rows_of(tenant) == before
