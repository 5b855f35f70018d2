"""What is new to each person: unread messages, and notes that call them by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from conversations import domain, intake
from conversations.inbox.notes import add_note
from conversations.inbox.seeing import mentioned_in, see, unread_counts
from conversations.models import Conversation, Draft, Mention, Seen
from conversations.queries import conversation_by_id
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from tests.factories import make_question, make_tenant, make_user
from tracing.forget import forget_conversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


def waiting(tenant: Tenant) -> Conversation:
    conversation = make_question(tenant)[0]
    return intake.ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")


def unread(tenant: Tenant, person: User, *conversations: Conversation) -> list[int]:
    with tenant_atomic(tenant.id):
        found = [conversation_by_id(each.id) for each in conversations]
        counts = unread_counts(found, person.pk)
    return [counts.get(each.id, 0) for each in conversations]


def look(client: Client, tenant: Tenant, conversation: Conversation, page: str = "conversation", **query: str) -> int:
    return client.get(reverse(f"desk:{page}", args=[tenant.slug, conversation.id]), query).status_code


def listed(client: Client, tenant: Tenant, queue: str) -> Any:
    return client.get(reverse("desk:inbox", args=[tenant.slug]), {"filter": queue}).context


def named(name: str) -> User:
    return User(email=f"{name.replace(' ', '.')}@example.org", name=name, pk=len(name))


def test_each_person_has_unread_messages_of_their_own(client: Client, tenant: Tenant) -> None:
    one, two = make_user(tenant), make_user(tenant)
    conversation, other = waiting(tenant), waiting(tenant)
    make_question(tenant, "Hello?", visitor_id=conversation.visitor_id)
    assert unread(tenant, one, conversation, other) == [2, 1]
    client.force_login(one)
    assert look(client, tenant, conversation) == 200
    assert (unread(tenant, one, conversation, other), unread(tenant, two, conversation, other)) == ([0, 1], [2, 1])
    make_question(tenant, "Anybody?", visitor_id=conversation.visitor_id)
    assert unread(tenant, one, conversation) == [1]
    assert look(client, tenant, conversation, "updates", after="0") == 200
    assert unread(tenant, one, conversation) == [1]
    assert look(client, tenant, conversation, "updates", after="0", seen="1") == 200
    assert unread(tenant, one, conversation) == [0]


def test_what_the_ai_answers_and_what_people_write_is_not_unread(tenant: Tenant) -> None:
    agent, colleague = make_user(tenant), make_user(tenant)
    with_ai, with_person = make_question(tenant)[0], waiting(tenant)
    with tenant_atomic(tenant.id):
        see(conversation_by_id(with_person.id), user_id=agent.pk)
    domain.post_person_message(
        tenant_id=tenant.id, conversation_id=with_person.id, user=colleague, body="We are looking into it."
    )
    assert unread(tenant, agent, with_ai, with_person) == [0, 0]


def test_an_older_look_takes_nothing_back(tenant: Tenant) -> None:
    agent, conversation = make_user(tenant), waiting(tenant)
    with tenant_atomic(tenant.id):
        before = conversation_by_id(conversation.id)
    make_question(tenant, "Hello?", visitor_id=conversation.visitor_id)
    with tenant_atomic(tenant.id):
        see(conversation_by_id(conversation.id), user_id=agent.pk)
        see(before, user_id=agent.pk)
        assert Seen.objects.get().position > before.message_count
    assert unread(tenant, agent, conversation) == [0]


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("@Ada Lovelace please", ["Ada Lovelace"]),
        ("@ada please, and @王小明看一下", ["Ada Lovelace", "王小明"]),
        ("(@Ada) @ada", ["Ada Lovelace"]),
        ("@Bob?", ["Bob"]),
        ("@Bobby", ["Bobby"]),
        ("@Chris knows", []),
        ("@Chris Po knows", ["Chris Po"]),
        ("ada@example.org, me@Bob", []),
        ("@", []),
        ("@@Bob", ["Bob"]),
    ],
)
def test_whom_a_note_calls(text: str, called: list[str]) -> None:
    people = [named(name) for name in ("Ada Lovelace", "Bob", "Bobby", "Chris Po", "Chris Mo", "王小明")]
    assert [str(each) for each in mentioned_in(text, people)] == called


def test_a_mention_is_counted_until_the_person_looks(client: Client, tenant: Tenant) -> None:
    writer, called = make_user(tenant), make_user(tenant, Role.VIEWER)
    conversation = make_question(tenant)[0]
    note = {"tenant_id": tenant.id, "conversation_id": conversation.id, "user": writer}
    add_note(**note, body=f"@{called} and @{writer}: see this.")
    add_note(**note, body=f"@{called} again")
    with tenant_atomic(tenant.id):
        assert [each.user_id for each in Mention.objects.all()] == [called.pk, called.pk]
    client.force_login(called)
    context = listed(client, tenant, "mentions")
    assert [each.id for each in context["rows"]] == [conversation.id]
    assert (context["attention"], {each.name: each.count for each in context["queues"]}["mentions"]) == (1, "1")
    look(client, tenant, conversation)
    context = listed(client, tenant, "mentions")
    assert (len(context["rows"]), context["attention"]) == (1, 0)
    client.force_login(writer)
    assert not listed(client, tenant, "mentions")["rows"]


def test_nobody_of_another_company_is_called_or_offered(client: Client, tenant: Tenant) -> None:
    theirs = make_tenant()
    stranger, writer, colleague = make_user(theirs), make_user(tenant), make_user(tenant)
    conversation = make_question(tenant)[0]
    add_note(tenant_id=tenant.id, conversation_id=conversation.id, user=writer, body=f"@{stranger} hello")
    with tenant_atomic(tenant.id):
        assert not Mention.objects.exists()
    client.force_login(writer)
    url = reverse("desk:people_to_mention", args=[tenant.slug])
    number = str(colleague).split()[1]
    assert client.get(url, {"q": "Person"}).json()["offers"] == [{"name": f"@{colleague}", "text": colleague.email}]
    assert client.get(url, {"q": number}).json()["offers"] == [{"name": f"@{colleague}", "text": colleague.email}]
    assert client.get(url, {"q": str(stranger)}).json() == {"offers": []}
    client.force_login(make_user(tenant, Role.VIEWER))
    assert client.get(url).status_code == 403
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    assert look(client, tenant, conversation) == 404
    with tenant_atomic(tenant.id):
        assert not Seen.objects.filter(user=stranger).exists()


def test_a_draft_is_kept_for_its_writer_until_it_is_sent(client: Client, tenant: Tenant) -> None:
    agent, conversation = make_user(tenant), waiting(tenant)
    client.force_login(agent)
    at, reply, page = (
        reverse(f"desk:{name}", args=[tenant.slug, conversation.id]) for name in ("draft", "reply", "conversation")
    )
    seen = client.get(page).context["conversation"].message_count
    for body in ("Dear", "Dear customer, "):
        assert client.post(at, {"body": body, "seen": seen}).status_code == 204
    response = client.get(page)
    assert response.context["form"].initial == {"body": "Dear customer, "}
    assert [row.has_draft for row in response.context["rows"]] == [True]
    client.force_login(make_user(tenant))
    response = client.get(page)
    assert (response.context["form"].initial, response.context["rows"][0].has_draft) == ({"body": ""}, False)
    client.force_login(agent)
    client.post(reply, {"body": "Dear customer, hello.", "seen": seen})
    # What the browser said before it sent comes late.
    assert client.post(at, {"body": "Dear customer, hel", "seen": seen}).status_code == 204
    with tenant_atomic(tenant.id):
        assert not Draft.objects.exists()


def test_drafts_of_others_and_odd_ones(client: Client, tenant: Tenant) -> None:
    conversation = waiting(tenant)
    at = reverse("desk:draft", args=[tenant.slug, conversation.id])
    for person, status in ((make_user(tenant, Role.VIEWER), 403), (make_user(make_tenant()), 404)):
        client.force_login(person)
        assert client.post(at, {"body": "x"}).status_code == status
    agent = make_user(tenant)
    client.force_login(agent)
    assert client.post(at, {"body": "x" * 16_001}).status_code == 413
    for odd in ({"body": "x", "seen": "-1"}, {"body": "a\x00b"}):
        assert client.post(at, odd).status_code == 400
    assert client.post(reverse("desk:draft", args=[tenant.slug, uuid.uuid4()]), {"body": "x"}).status_code == 404
    client.post(at, {"body": "x"})
    client.post(at, {"body": "  "})
    with tenant_atomic(tenant.id):
        assert not Draft.objects.exists()


def test_a_deleted_conversation_forgets_who_saw_it_and_whom_it_called(client: Client, tenant: Tenant) -> None:
    writer, called = make_user(tenant), make_user(tenant)
    conversation = make_question(tenant)[0]
    add_note(tenant_id=tenant.id, conversation_id=conversation.id, user=writer, body=f"@{called}")
    client.force_login(called)
    look(client, tenant, conversation)
    client.post(reverse("desk:draft", args=[tenant.slug, conversation.id]), {"body": "Dear"})
    with tenant_atomic(tenant.id):
        forget_conversation(conversation.id)
        assert (Seen.objects.count(), Mention.objects.count(), Draft.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_unread_takes_one_query_for_all(
    tenant: Tenant, count: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    agent, conversations = make_user(tenant), [waiting(tenant) for _ in range(count)]
    with tenant_atomic(tenant.id):
        found = [conversation_by_id(each.id) for each in conversations]
        with django_assert_num_queries(1):
            assert unread_counts(found, agent.pk) == {each.id: 1 for each in conversations}
