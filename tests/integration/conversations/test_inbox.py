"""The inbox: queues, filters, search, pages, what is done with many at once, labels and saved views; and who may."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations import domain, intake
from conversations.channels import IN_INBOX, rules_of
from conversations.inbox import labels, triage
from conversations.inbox.notes import add_note
from conversations.inbox.queues import QUEUES, ROWS_PER_PAGE, in_queue
from conversations.models import Channel, Conversation, ConversationText, Label, Labelling, Parked, Priority, SavedView
from helpdesk.facts.kinds import SYSTEM
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


@pytest.fixture
def agent(tenant: Tenant, client: Client) -> User:
    person = make_user(tenant)
    client.force_login(person)
    return person


def ask(tenant: Tenant, body: str = "How long does delivery take?", **fields: Any) -> Conversation:
    return make_question(tenant, body, **fields)[0]


def shown(client: Client, tenant: Tenant, **query: Any) -> list[uuid.UUID]:
    response = client.get(reverse("desk:inbox", args=[tenant.slug]), query)
    assert response.status_code == 200
    return [row.id for row in response.context["rows"]]


def act(client: Client, tenant: Tenant, order: str, *ids: uuid.UUID, **fields: Any) -> Any:
    data = {"do": order, "conversation": [str(each) for each in ids], **fields}
    return client.post(reverse("desk:act", args=[tenant.slug]), data)


def said(response: Any) -> Any:
    return json.loads(response.headers["HX-Trigger"])


def row(tenant: Tenant, conversation: Conversation) -> Conversation:
    with tenant_atomic(tenant.id):
        found: Conversation = Conversation.objects.get(id=conversation.id)
        return found


def make_label(tenant: Tenant, name: str = "Refund") -> Label:
    with tenant_atomic(tenant.id):
        return labels.create_label(name=name, colour="red", actor=SYSTEM)


def test_each_queue_shows_and_counts_its_own(client: Client, tenant: Tenant, agent: User) -> None:
    other = make_user(tenant)
    with_ai, mine, theirs, free, waiting, pending, snoozed, closed = (ask(tenant) for _ in range(8))
    for conversation, person in ((mine, agent), (theirs, other), (free, other)):
        domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=person, body="Hello")
    intake.ask_for_person(tenant_id=tenant.id, visitor_id=waiting.visitor_id, language="en")
    domain.close_conversation(tenant_id=tenant.id, conversation_id=closed.id)
    for conversation in (with_ai, closed):
        add_note(tenant_id=tenant.id, conversation_id=conversation.id, user=other, body=f"@{agent} please look")
    with tenant_atomic(tenant.id):
        triage.assign([free.id], assignee_id=None, actor=SYSTEM)
        triage.park([pending.id], parked=Parked.PENDING, actor=SYSTEM)
        until = timezone.now() + timedelta(days=1)
        triage.park([snoozed.id], parked=Parked.SNOOZED, until=until, actor=SYSTEM)
    expected = {
        "mine": {mine.id},
        "mentions": {with_ai.id, closed.id},
        "unassigned": {free.id, waiting.id},
        "waiting": {waiting.id},
        "ai": {with_ai.id},
        "open": {with_ai.id, mine.id, theirs.id, free.id, waiting.id},
        "pending": {pending.id},
        "snoozed": {snoozed.id},
        "closed": {closed.id},
    }
    assert set(expected) == set(QUEUES)
    for name, ids in expected.items():
        assert set(shown(client, tenant, filter=name)) == ids
    context = client.get(reverse("desk:inbox", args=[tenant.slug])).context
    counted = {name: "" if name == "closed" else str(len(ids)) for name, ids in expected.items()}
    assert {queue.name: queue.count for queue in context["queues"]} == counted
    assert context["attention"] == 1 + 2


def test_who_waits_longest_comes_first(client: Client, tenant: Tenant, agent: User) -> None:
    first, second = ask(tenant), ask(tenant)
    for conversation in (first, second):
        intake.ask_for_person(tenant_id=tenant.id, visitor_id=conversation.visitor_id, language="en")
    make_question(tenant, "Hello?", visitor_id=first.visitor_id)
    assert shown(client, tenant, filter="waiting") == [first.id, second.id]
    assert shown(client, tenant, filter="open") == [first.id, second.id]


def test_filters_narrow_a_queue(client: Client, tenant: Tenant, agent: User) -> None:
    plain, chinese, labelled, urgent, assigned = (ask(tenant) for _ in range(5))
    label = make_label(tenant)
    with tenant_atomic(tenant.id):
        Conversation.objects.filter(id=chinese.id).update(language="zh")
        triage.add_label([labelled.id], label_id=label.id, actor=SYSTEM)
        triage.set_priority([urgent.id], priority=Priority.URGENT, actor=SYSTEM)
        triage.assign([assigned.id], assignee_id=agent.id, actor=SYSTEM)
    assert shown(client, tenant, language="zh") == [chinese.id]
    assert shown(client, tenant, label=label.id) == [labelled.id]
    assert shown(client, tenant, priority="urgent") == [urgent.id]
    assert shown(client, tenant, assignee=agent.id) == [assigned.id]
    assert assigned.id not in shown(client, tenant, assignee="none")
    assert shown(client, tenant, label=label.id, priority="urgent") == []
    odd = {"language": "xx", "label": "no", "priority": "!", "assignee": "²", "behind": "x~y", "q": "\x00"}
    assert len(shown(client, tenant, **odd)) == 5
    assert plain.id in shown(client, tenant, behind="9999-99-99~" + str(plain.id))


@pytest.mark.parametrize(
    ("body", "found", "missed"),
    [
        (
            "My parcel was damaged, I want a refund!",
            ["refund", "REF", "damaged parcel", "parcel!"],
            ["funds", "broken"],
        ),
        ("我想退款，订单还没有到", ["退款", "退", "订单 退款", "想退款"], ["付款", "款退"]),
        ("訂單在哪裡", ["订单"], ["退款"]),
        ("Order MG12345678 is late", ["mg12345678", "MG123"], ["MG999"]),
        ("50% off & 'quotes' | (brackets)", ["50% 'quotes'", "off & quotes", "brackets)"], ["off:*x"]),
    ],
)
def test_messages_are_found_by_their_words(
    client: Client, tenant: Tenant, agent: User, body: str, found: list[str], missed: list[str]
) -> None:
    wanted = ask(tenant, body)
    ask(tenant, "Something else entirely / 别的事情")
    for text in found:
        assert shown(client, tenant, q=text) == [wanted.id], text
    for text in missed:
        assert shown(client, tenant, q=text) == [], text


def test_search_finds_what_people_wrote_what_is_closed_labels_and_visitors(
    client: Client, tenant: Tenant, agent: User
) -> None:
    conversation, other = ask(tenant), ask(tenant)
    domain.post_person_message(
        tenant_id=tenant.id, conversation_id=conversation.id, user=agent, body="The courier lost it"
    )
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    label = make_label(tenant, "VIP customer")
    with tenant_atomic(tenant.id):
        triage.add_label([other.id], label_id=label.id, actor=SYSTEM)
    assert shown(client, tenant, q="courier") == [conversation.id]
    assert shown(client, tenant, q="vip") == [other.id]
    code = other.visitor_id.hex[:4].upper()
    assert other.id in shown(client, tenant, q=f"Visitor {code}")
    assert other.id in shown(client, tenant, q=code)


def test_another_companys_words_are_not_found(client: Client, tenant: Tenant, agent: User) -> None:
    theirs = make_tenant()
    ask(theirs, "A secret refund")
    assert shown(client, tenant, q="refund") == []
    client.force_login(make_user(theirs))
    assert len(shown(client, theirs, q="refund")) == 1


def test_a_deleted_conversation_is_found_by_nothing(client: Client, tenant: Tenant, agent: User) -> None:
    conversation = ask(tenant, "A refund please")
    label = make_label(tenant)
    with tenant_atomic(tenant.id):
        triage.add_label([conversation.id], label_id=label.id, actor=SYSTEM)
        until = timezone.now() + timedelta(days=1)
        triage.park([conversation.id], parked=Parked.SNOOZED, until=until, actor=SYSTEM)
        forget_conversation(conversation.id)
        assert not ConversationText.objects.exists()
        assert not Labelling.objects.exists()
        assert Conversation.objects.get().wakes_at is None
    assert shown(client, tenant, q="refund") == []


def test_pages_follow_keys(client: Client, tenant: Tenant, agent: User) -> None:
    first = ask(tenant)
    with tenant_atomic(tenant.id):
        at = timezone.now()
        made = [
            Conversation(
                visitor_id=first.visitor_id, assistant_id=first.assistant_id, message_count=1,
                last_message_at=at - timedelta(minutes=number // 2),
            )
            for number in range(2 * ROWS_PER_PAGE)
        ]  # fmt: skip
        Conversation.objects.bulk_create(made)
    url = reverse("desk:inbox", args=[tenant.slug])
    seen: list[uuid.UUID] = []
    query = "filter=open"
    while query:
        context = client.get(f"{url}?{query}").context
        seen += [each.id for each in context["rows"]]
        query = context["older"]
        if query and len(seen) == ROWS_PER_PAGE:
            # What arrives meanwhile shifts nothing.
            ask(tenant)
    assert len(seen) == len(set(seen)) == 2 * ROWS_PER_PAGE + 1
    assert set(seen) == {each.id for each in (*made, first)}


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_a_fixed_number_of_queries(
    client: Client, tenant: Tenant, agent: User, count: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    one, two = make_label(tenant, "One"), make_label(tenant, "Two")
    for _ in range(count):
        conversation = ask(tenant)
        domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=agent, body="Hello")
        with tenant_atomic(tenant.id):
            for label in (one, two):
                triage.add_label([conversation.id], label_id=label.id, actor=SYSTEM)
    rows = reverse("desk:inbox_rows", args=[tenant.slug])
    client.get(rows)
    for query, number in (({}, 16), ({"q": "delivery"}, 18), ({"filter": "mine", "label": one.id}, 16)):
        with django_assert_num_queries(number):
            response = client.get(rows, query)
        assert len(response.context["rows"]) == count


@pytest.mark.parametrize(
    ("queue", "index"),
    [
        ("mine", "inbox_of_person"),
        ("unassigned", "inbox_unassigned"),
        ("waiting", "inbox_waiting"),
        ("ai", "inbox_open"),
        ("open", "inbox_open"),
        ("pending", "inbox_parked"),
        ("snoozed", "inbox_parked"),
        ("closed", "inbox_resolved"),
    ],
)
def test_each_queue_is_read_from_its_index(tenant: Tenant, queue: str, index: str) -> None:
    with tenant_atomic(tenant.id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        order = ["waiting_since", "id"] if queue == "waiting" else ["-last_message_at", "-id"]
        plan = Conversation.objects.filter(in_queue(queue, 7)).order_by(*order)[:51].explain()
    assert f"using {index} " in plan


def test_the_rows_of_the_desk_are_those_of_the_channels() -> None:
    """The condition of the indexes names what `conversations.channels` says."""
    assert IN_INBOX == (Channel.WIDGET,)
    assert not any(rules_of(each).is_in_inbox for each in Channel if each != Channel.WIDGET)


def test_orders_are_carried_out_for_all_that_are_marked(client: Client, tenant: Tenant, agent: User) -> None:
    one, two = ask(tenant), ask(tenant)
    label = make_label(tenant)
    other = make_user(tenant)
    for order in (f"assign:{other.pk}", "priority:high", f"label:{label.id}", "pending", "snooze:tomorrow"):
        response = act(client, tenant, order, one.id, two.id, next=f"/desk/{tenant.slug}/inbox/?filter=ai")
        assert (response.status_code, response.url) == (302, f"/desk/{tenant.slug}/inbox/?filter=ai")
    for conversation in (one, two):
        found = row(tenant, conversation)
        assert (found.assignee_id, found.priority, found.stage) == (other.pk, "high", "snoozed")
        assert found.wakes_at is not None
        assert timezone.localtime(found.wakes_at).hour == 9
    assert act(client, tenant, "take", one.id, headers={"HX-Request": "true"}).status_code == 302
    assert row(tenant, one).assignee_id == other.pk
    for order in ("assign:", "open", f"unlabel:{label.id}", "resolve"):
        act(client, tenant, order, one.id, two.id)
    assert [row(tenant, each).status for each in (one, two)] == ["closed", "closed"]


def test_a_script_hears_what_was_done(client: Client, tenant: Tenant, agent: User) -> None:
    conversation = ask(tenant)
    url = reverse("desk:act", args=[tenant.slug])
    data = {"do": "take", "conversation": [str(conversation.id)]}
    response = client.post(url, data, headers={"HX-Request": "true"})
    assert (response.status_code, said(response)) == (204, {"acted": {"text": "1 conversation updated."}})
    response = client.post(url, data, headers={"HX-Request": "true"})
    assert "has an assignee" in said(response)["acted"]["text"]
    response = client.post(url, data | {"do": "snooze:until", "until": "soon"}, headers={"HX-Request": "true"})
    assert (response.status_code, list(said(response))) == (422, ["refused"])


@pytest.mark.parametrize(
    "order",
    [
        "",
        "explode",
        "assign:x",
        "assign:99999999999999999999",
        "priority:none",
        "label:x",
        "snooze:",
        "snooze:yesterday",
    ],
)
def test_odd_orders_change_nothing(client: Client, tenant: Tenant, agent: User, order: str) -> None:
    conversation = ask(tenant)
    before = row(tenant, conversation).__dict__ | {"_state": None}
    assert act(client, tenant, order, conversation.id).status_code == 302
    assert row(tenant, conversation).__dict__ | {"_state": None} == before


def test_where_it_goes_back_to_is_on_this_desk(client: Client, tenant: Tenant, agent: User) -> None:
    for wanted in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert act(client, tenant, "take", next=wanted).url == f"/desk/{tenant.slug}/inbox/"
    assert act(client, tenant, "label:" + str(uuid.uuid4()), uuid.uuid4()).status_code == 404
    response = client.post(reverse("desk:act", args=[tenant.slug]), {"do": "take", "conversation": "x"})
    assert response.status_code == 404


def test_labels_and_views_are_of_those_who_may(client: Client, tenant: Tenant) -> None:
    label = make_label(tenant)
    page = reverse("desk:labels", args=[tenant.slug])
    change = reverse("desk:change_label", args=[tenant.slug, label.id])
    delete = reverse("desk:delete_label", args=[tenant.slug, label.id])
    new = {"name": "Fault", "colour": "blue"}
    for role in (Role.AGENT, Role.EDITOR, Role.REVIEWER, Role.VIEWER):
        client.force_login(make_user(tenant, role))
        assert client.get(page).status_code == 200
        assert [client.post(url, new).status_code for url in (page, change, delete)] == [403, 403, 403]
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert [client.post(url, new).status_code for url in (page, change, delete)] == [404, 404, 404]
    client.logout()
    assert all("/login" in client.post(url, new).url for url in (page, change, delete))
    client.force_login(make_user(tenant, Role.ADMIN))
    assert client.post(page, new).status_code == 302
    assert client.post(page, new).status_code == 409
    assert client.post(page, {"name": "", "colour": "blue"}).status_code == 400
    assert client.post(change, {"name": "Money back", "colour": "green"}).status_code == 302
    with tenant_atomic(tenant.id):
        assert [(each.name, each.colour) for each in labels.labels_by_name()] == [
            ("Fault", "blue"),
            ("Money back", "green"),
        ]
    assert client.post(delete).status_code == 302
    assert client.post(delete).status_code == 404


def test_onlookers_get_no_orders(client: Client, tenant: Tenant) -> None:
    conversation = ask(tenant)
    for role in (Role.VIEWER, Role.EDITOR):
        client.force_login(make_user(tenant, role))
        assert act(client, tenant, "resolve", conversation.id).status_code == 403
        page = client.get(reverse("desk:inbox", args=[tenant.slug])).content.decode()
        assert 'class="row-check"' not in page
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert act(client, tenant, "resolve", conversation.id).status_code == 404
    client.logout()
    assert "/login" in act(client, tenant, "resolve", conversation.id).url
    assert row(tenant, conversation).status == "ai"


def test_views_are_kept_for_the_person_alone(client: Client, tenant: Tenant, agent: User) -> None:
    save = reverse("desk:save_view", args=[tenant.slug])
    response = client.post(save, {"name": " Urgent  ones ", "filter": "waiting", "priority": "urgent", "q": ""})
    assert response.url == f"/desk/{tenant.slug}/inbox/?filter=waiting&priority=urgent"
    client.post(save, {"name": "Urgent ones", "filter": "mine"})
    with tenant_atomic(tenant.id):
        [view] = SavedView.objects.all()
    assert (view.name, view.query, view.user_id) == ("Urgent ones", "filter=mine", agent.pk)
    for name in ("", "x" * 41, "bell\x07"):
        assert client.post(save, {"name": name, "filter": "mine"}).status_code == 302
    assert client.post(save, {"name": "Odd", "filter": "x"}).status_code == 404
    delete = reverse("desk:delete_view", args=[tenant.slug, view.id])
    client.force_login(make_user(tenant))
    assert "Urgent ones" not in client.get(reverse("desk:inbox", args=[tenant.slug])).content.decode()
    assert client.post(delete).status_code == 404
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert client.post(delete).status_code == 404
    client.force_login(agent)
    assert client.post(delete).status_code == 302
    with tenant_atomic(tenant.id):
        assert not SavedView.objects.exists()


def test_what_people_typed_comes_out_as_text(client: Client, tenant: Tenant, agent: User) -> None:
    attack = '"><img src=x onerror=alert(1)>'
    conversation = ask(tenant, attack)
    with tenant_atomic(tenant.id):
        label = labels.create_label(name=attack, colour="red", actor=SYSTEM)
        triage.add_label([conversation.id], label_id=label.id, actor=SYSTEM)
    client.post(reverse("desk:save_view", args=[tenant.slug]), {"name": attack, "filter": "open"})
    for url in (reverse("desk:inbox", args=[tenant.slug]), reverse("desk:labels", args=[tenant.slug])):
        assert attack not in client.get(url, {"q": attack}).content.decode()
