"""The inbox and the conversation page: who may, what they show, what a person's actions change."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from conversations import domain, intake, replies
from conversations.models import Conversation, Message, Outcome, Reply
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership, User
from tests.factories import make_question, make_tenant, make_user

pytestmark = pytest.mark.django_db

EVERY_ROLE = list(Role)
OF_THE_COMPANY = {"inbox", "inbox_rows", "labels", "act", "save_view"}
REPLIERS = [Role.OWNER, Role.ADMIN, Role.REVIEWER, Role.AGENT]
ONLOOKERS = [Role.EDITOR, Role.VIEWER]


@dataclass(frozen=True)
class Endpoint:
    """A page or action; `status` is what somebody with the right gets."""

    name: str
    method: str
    status: int
    allowed: list[Role]
    refused: list[Role]
    data: dict[str, str]

    def call(self, client: Client, tenant: Tenant, conversation: Conversation) -> Any:
        kwargs: dict[str, Any] = {"tenant_slug": tenant.slug}
        if self.name not in OF_THE_COMPANY:
            kwargs["conversation_id"] = conversation.id
        return getattr(client, self.method)(reverse(f"desk:{self.name}", kwargs=kwargs), self.data)


ENDPOINTS = [
    Endpoint("inbox", "get", 200, EVERY_ROLE, [], {}),
    Endpoint("inbox_rows", "get", 200, EVERY_ROLE, [], {"filter": "mine"}),
    Endpoint("labels", "get", 200, EVERY_ROLE, [], {}),
    Endpoint("act", "post", 302, REPLIERS, ONLOOKERS, {"do": "take"}),
    Endpoint("save_view", "post", 302, EVERY_ROLE, [], {"name": "Mine", "filter": "mine"}),
    Endpoint("conversation", "get", 200, EVERY_ROLE, [], {}),
    Endpoint("updates", "get", 200, EVERY_ROLE, [], {"after": "0"}),
    Endpoint("reply", "post", 302, REPLIERS, ONLOOKERS, {"body": "Hello, how can I help?"}),
    Endpoint("hand_back", "post", 302, REPLIERS, ONLOOKERS, {}),
    Endpoint("close", "post", 302, REPLIERS, ONLOOKERS, {}),
]
by_name = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def waiting(tenant: Tenant) -> Conversation:
    """A conversation that every action would change."""
    conversation, _message, _reply = make_question(tenant)
    with tenant_atomic(tenant.id):
        visitor_id = Conversation.objects.get(id=conversation.id).visitor_id
    return intake.ask_for_person(tenant_id=tenant.id, visitor_id=visitor_id, language="en")


def rows_of(tenant: Tenant) -> list[Any]:
    """Everything that an action of the desk could change."""
    with tenant_atomic(tenant.id):
        return [list(model.objects.order_by("id").values()) for model in (Conversation, Message, Reply)]


def set_role(tenant: Tenant, user: User, role: Role) -> None:
    with tenant_atomic(tenant.id):
        assert Membership.objects.filter(user=user).update(role=role) == 1


def answer(tenant: Tenant, reply: Reply | None, body: str, **fields: Any) -> Message:
    assert reply is not None
    with tenant_atomic(tenant.id):
        claimed = replies.claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="test")
        assert claimed is not None
        return replies.finish_reply(
            claimed.reply,
            replies.Answer(body, "en", Outcome.ANSWERED, **{"confidence_band": "high", "seconds": 1.4} | fields),
        )


def url_of(name: str, tenant: Tenant, conversation: Conversation) -> str:
    return reverse(f"desk:{name}", kwargs={"tenant_slug": tenant.slug, "conversation_id": conversation.id})


@by_name
def test_anonymous_is_sent_to_sign_in(
    client: Client, tenant: Tenant, waiting: Conversation, endpoint: Endpoint
) -> None:
    before = rows_of(tenant)
    response = endpoint.call(client, tenant, waiting)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login") + "?next=/desk/")
    assert rows_of(tenant) == before


@by_name
def test_person_of_another_tenant_gets_404(
    client: Client, tenant: Tenant, waiting: Conversation, endpoint: Endpoint
) -> None:
    before = rows_of(tenant)
    client.force_login(make_user(make_tenant(), Role.OWNER))
    assert endpoint.call(client, tenant, waiting).status_code == 404
    assert rows_of(tenant) == before


@pytest.mark.parametrize(
    "endpoint", [e for e in ENDPOINTS if e.name not in OF_THE_COMPANY], ids=lambda endpoint: endpoint.name
)
def test_conversation_of_another_tenant_is_not_found(
    client: Client, tenant: Tenant, waiting: Conversation, endpoint: Endpoint
) -> None:
    before = rows_of(tenant)
    own = make_tenant()
    client.force_login(make_user(own, Role.OWNER))
    assert endpoint.call(client, own, waiting).status_code == 404
    assert rows_of(tenant) == before


@by_name
def test_wrong_role_gets_403_and_changes_nothing(
    client: Client, tenant: Tenant, waiting: Conversation, endpoint: Endpoint
) -> None:
    before = rows_of(tenant)
    client.force_login(user := make_user(tenant))
    for role in endpoint.refused:
        set_role(tenant, user, role)
        assert endpoint.call(client, tenant, waiting).status_code == 403
    assert rows_of(tenant) == before


@by_name
def test_right_role_is_served(client: Client, tenant: Tenant, waiting: Conversation, endpoint: Endpoint) -> None:
    client.force_login(user := make_user(tenant))
    for role in endpoint.allowed:
        set_role(tenant, user, role)
        assert endpoint.call(client, tenant, waiting).status_code == endpoint.status


@pytest.mark.parametrize("name", ["reply", "hand_back", "close"])
def test_action_needs_post(client: Client, tenant: Tenant, waiting: Conversation, name: str) -> None:
    client.force_login(make_user(tenant))
    assert client.get(url_of(name, tenant, waiting)).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_inbox_takes_a_fixed_number_of_queries(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    user = make_user(tenant)
    for _ in range(count):
        conversation, _message, _reply = make_question(tenant)
        domain.post_person_message(tenant_id=tenant.id, conversation_id=conversation.id, user=user, body="Hello")
    client.force_login(user)
    url = reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug})
    client.get(url)
    with django_assert_num_queries(21):
        response = client.get(url)
    assert len(response.context["rows"]) == count


@pytest.mark.parametrize("count", [1, 3])
def test_conversation_takes_a_fixed_number_of_queries(
    client: Client, tenant: Tenant, count: int, django_assert_num_queries: Callable[[int], Any]
) -> None:
    visitor_id = domain.begin_visit(tenant.id)
    for number in range(count):
        conversation, _message, reply = make_question(tenant, f"How long to zone {number}?", visitor_id=visitor_id)
        answer(tenant, reply, "Two days.")
    client.force_login(make_user(tenant))
    client.get(url_of("conversation", tenant, conversation))
    with django_assert_num_queries(32):
        response = client.get(url_of("conversation", tenant, conversation))
    assert len(response.context["entries"]) == 2 * count


def test_filters_count_and_show_the_same_conversations(client: Client, tenant: Tenant) -> None:
    me, other = make_user(tenant), make_user(tenant)
    with_ai, mine, theirs, closed, queueing = (make_question(tenant)[0] for _ in range(5))
    domain.post_person_message(tenant_id=tenant.id, conversation_id=mine.id, user=me, body="Hello")
    domain.post_person_message(tenant_id=tenant.id, conversation_id=theirs.id, user=other, body="Hello")
    domain.close_conversation(tenant_id=tenant.id, conversation_id=closed.id)
    intake.ask_for_person(tenant_id=tenant.id, visitor_id=queueing.visitor_id, language="en")
    client.force_login(me)
    expected = {
        "open": {with_ai.id, mine.id, theirs.id, queueing.id},
        "ai": {with_ai.id},
        "waiting": {queueing.id},
        "mine": {mine.id},
        "closed": {closed.id},
    }
    for name, ids in expected.items():
        response = client.get(reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug}), {"filter": name})
        assert {row.id for row in response.context["rows"]} == ids
        counted = {queue.name: queue.count for queue in response.context["queues"]}
        assert {key: counted[key] for key in expected if key != "closed"} == {
            key: str(len(ids)) for key, ids in expected.items() if key != "closed"
        }


def test_unknown_filter_is_not_found(client: Client, tenant: Tenant) -> None:
    client.force_login(make_user(tenant))
    assert client.get(reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug}), {"filter": "x"}).status_code == 404


@pytest.mark.parametrize("page", ["-1", "zero", "²", "99999999999999999999"])
def test_odd_page_numbers_are_harmless(client: Client, tenant: Tenant, page: str) -> None:
    client.force_login(make_user(tenant))
    url = reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug})
    assert client.get(url, {"page": page, "selected": "x"}).status_code == 200


def test_reply_takes_ownership_and_stops_the_assistant(client: Client, tenant: Tenant) -> None:
    conversation, _message, reply = make_question(tenant)
    assert reply is not None
    user = make_user(tenant)
    client.force_login(user)
    response = client.post(url_of("reply", tenant, conversation), {"body": "  It takes two days.\r\n"})
    assert response.url == url_of("conversation", tenant, conversation)
    with tenant_atomic(tenant.id):
        conversation.refresh_from_db()
        reply.refresh_from_db()
        last = Message.objects.filter(conversation=conversation).last()
    assert (conversation.status, conversation.assignee_id) == ("person", user.pk)
    assert (last.author, last.user_id, last.body) == ("person", user.pk, "It takes two days.")
    assert reply.stop_requested


def test_reply_by_htmx_answers_with_an_event(client: Client, tenant: Tenant, waiting: Conversation) -> None:
    client.force_login(make_user(tenant))
    response = client.post(url_of("reply", tenant, waiting), {"body": "Hello"}, headers={"HX-Request": "true"})
    assert (response.status_code, response.headers["HX-Trigger"]) == (204, "replied")


@pytest.mark.parametrize("body", ["", "   \n", "x" * 4001, "bell \x07"], ids=["empty", "blank", "long", "control"])
def test_unusable_reply_comes_back_with_its_text(
    client: Client, tenant: Tenant, waiting: Conversation, body: str
) -> None:
    before = rows_of(tenant)
    client.force_login(make_user(tenant))
    response = client.post(url_of("reply", tenant, waiting), {"body": body})
    assert response.status_code == 400
    assert response.context["form"]["body"].value() == body
    assert response.context["form"].errors["body"]
    part = client.post(url_of("reply", tenant, waiting), {"body": body}, headers={"HX-Request": "true"})
    assert part.status_code == 422
    assert "<html" not in part.content.decode()
    assert rows_of(tenant) == before


def test_reply_to_a_closed_conversation_keeps_the_text(client: Client, tenant: Tenant) -> None:
    conversation, _message, _reply = make_question(tenant)
    domain.close_conversation(tenant_id=tenant.id, conversation_id=conversation.id)
    before = rows_of(tenant)
    client.force_login(make_user(tenant))
    response = client.post(url_of("reply", tenant, conversation), {"body": "Too late"})
    assert response.status_code == 409
    assert "Too late" in response.content.decode()
    assert rows_of(tenant) == before


def test_hand_back_and_close_change_who_has_to_act(client: Client, tenant: Tenant, waiting: Conversation) -> None:
    client.force_login(make_user(tenant))
    client.post(url_of("hand_back", tenant, waiting))
    with tenant_atomic(tenant.id):
        waiting.refresh_from_db()
    assert (waiting.status, waiting.assignee_id, waiting.waiting_since) == ("ai", None, None)
    client.post(url_of("close", tenant, waiting))
    with tenant_atomic(tenant.id):
        waiting.refresh_from_db()
    assert waiting.status == "closed"


def test_onlooker_reads_why_there_is_no_reply_box(client: Client, tenant: Tenant, waiting: Conversation) -> None:
    client.force_login(make_user(tenant, Role.VIEWER))
    page = client.get(url_of("conversation", tenant, waiting)).content.decode()
    assert "<textarea" not in page
    assert "Your role can read conversations but not reply." in page
    assert url_of("close", tenant, waiting) not in page


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><b>"])
def test_what_people_and_models_write_comes_out_as_text(client: Client, tenant: Tenant, attack: str) -> None:
    conversation, _message, reply = make_question(tenant, attack)
    source = {"number": 1, "article": str(uuid.uuid4()), "title": attack, "heading": attack, "language": "en"}
    answer(tenant, reply, attack, sources=[source | {"quote": attack}])
    client.force_login(make_user(tenant))
    for url in (url_of("conversation", tenant, conversation), url_of("updates", tenant, conversation)):
        page = client.get(url).content.decode()
        assert attack not in page
        assert page.count(escape(attack)) >= 5


def test_answer_shows_sources_band_and_seconds(client: Client, tenant: Tenant) -> None:
    conversation, _message, reply = make_question(tenant)
    source = {
        "number": 1,
        "article": str(uuid.uuid4()),
        "title": "Delivery",
        "heading": "",
        "language": "zh",
        "quote": "两天。",
    }
    answer(tenant, reply, "Two days.", sources=[source])
    client.force_login(make_user(tenant))
    page = client.get(url_of("conversation", tenant, conversation)).content.decode()
    for text in ("1 source", "high confidence", "1.4 s", "Delivery", "两天。"):
        assert text in page


@pytest.mark.parametrize(
    ("kind", "english", "chinese"),
    [
        ("refusal", "Declined", "未作答"),
        ("clarifying", "Asks to clarify", "反问澄清"),
        ("hand_off", "Handed to a person", "转交人工"),
    ],
)
def test_what_is_no_answer_says_what_it_is_instead_of_how_sure(
    client: Client, tenant: Tenant, kind: str, english: str, chinese: str
) -> None:
    conversation, _message, reply = make_question(tenant)
    answer(tenant, reply, "Words.", kind=kind, confidence_band="low")
    client.force_login(make_user(tenant))
    for language, words in (("en", english), ("zh-hans", chinese)):
        headers = {"accept-language": language}
        page = client.get(url_of("conversation", tenant, conversation), headers=headers).content.decode()
        assert words in page
        assert "band-low" not in page


def test_updates_hold_only_what_is_new(client: Client, tenant: Tenant) -> None:
    conversation, message, reply = make_question(tenant, "The question itself")
    answer(tenant, reply, "The answer to it")
    client.force_login(make_user(tenant))
    page = client.get(url_of("updates", tenant, conversation), {"after": message.position}).content.decode()
    assert "The answer to it" in page
    assert "The question itself" not in page


def test_system_entries_are_sentences_not_codes(client: Client, tenant: Tenant, waiting: Conversation) -> None:
    client.force_login(make_user(tenant))
    page = client.get(url_of("conversation", tenant, waiting)).content.decode()
    assert "The customer asked for a person." in page
    assert "person_requested" not in page


def test_home_leads_to_the_only_tenant_and_lists_several(client: Client, tenant: Tenant) -> None:
    user = make_user(tenant)
    client.force_login(user)
    assert client.get(reverse("desk:home")).url == reverse("desk:inbox", kwargs={"tenant_slug": tenant.slug})
    other = make_tenant()
    with tenant_atomic(other.id):
        Membership.objects.create(user=user, role=Role.VIEWER)
    assert {company.slug for company, _ in client.get(reverse("desk:home")).context["memberships"]} == {
        tenant.slug,
        other.slug,
    }
    client.get(reverse("desk:inbox", kwargs={"tenant_slug": other.slug}))
    assert client.get(reverse("desk:home")).url == reverse("desk:inbox", kwargs={"tenant_slug": other.slug})
    assert client.get(reverse("desk:home"), {"choose": "1"}).status_code == 200


def test_home_without_membership_says_what_to_do(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    assert user.email in client.get(reverse("desk:home")).content.decode()


def test_pages_need_no_inline_code(client: Client, tenant: Tenant, waiting: Conversation) -> None:
    client.force_login(make_user(tenant))
    response = client.get(url_of("conversation", tenant, waiting))
    page = response.content.decode()
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert "<script>" not in page


def test_a_companys_own_address_leads_to_its_inbox(client: Client, tenant: Tenant) -> None:
    assert client.get(f"/desk/{tenant.slug}/").url == reverse("desk:inbox", args=[tenant.slug])  # type: ignore[attr-defined]
