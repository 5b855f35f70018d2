"""The conversation by mail, and the mail's link: who gets them, whom the link lets in, and when it ends."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail, signing
from django.core.cache import cache
from django.test import Client

from conversations import domain
from conversations.identity import links
from conversations.identity.links import link_for, resume_visit
from conversations.identity.visitors import VisitorIdentity, issue_token, read_token
from conversations.mails import mail_answer, mail_transcript
from conversations.models import Conversation, Visitor
from conversations.queries import conversation_by_id, describe_conversation, describe_message
from conversations.transcript_mail import request_transcript
from conversations.widget.views import TranscriptAddressThrottle, TranscriptVisitorThrottle
from helpdesk.cache import ForgivingRedisCache
from helpdesk.errors import GlassdeskError, InvalidInput, NotFound
from helpdesk.facts.models import Fact
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import User
from tests.factories import make_question, make_tenant, make_ticket, make_user
from tests.integration.tracing.rows import make_trace
from tracing.erase import erase_customer

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "lin@example.org"


@pytest.fixture(autouse=True)
def no_counts() -> None:
    cache.clear()


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant()


@pytest.fixture
def visitor(tenant: Tenant) -> uuid.UUID:
    return domain.begin_visit(tenant.id)


@pytest.fixture
def conversation(tenant: Tenant, visitor: uuid.UUID) -> Conversation:
    trace = make_trace(tenant, visitor_id=visitor)
    with tenant_atomic(tenant.id):
        found: Conversation = Conversation.objects.get(id=trace.conversation_id)
    return found


def ask(tenant: Tenant, visitor: uuid.UUID, conversation: Conversation, address: str = ADDRESS) -> None:
    request_transcript(tenant_id=tenant.id, visitor_id=visitor, conversation_id=conversation.id, address=address)


def post(tenant: Tenant, conversation: Conversation, body: Any, visitor: uuid.UUID | None, query: str = "") -> Any:
    headers = {"Authorization": f"Bearer {issue_token(VisitorIdentity(tenant.id, visitor))}"} if visitor else {}
    path = f"/widget/{tenant.slug}/conversations/{conversation.id}/transcript{query}"
    return Client().post(path, body, content_type="application/json", headers=headers)


def session(tenant: Tenant, resume: Any) -> Any:
    headers = {"Glassdesk-Ticket": make_ticket(tenant)}
    return Client().post(
        f"/widget/{tenant.slug}/session", {"resume": resume}, content_type="application/json", headers=headers
    )


def facts(tenant: Tenant) -> list[Fact]:
    with tenant_atomic(tenant.id):
        return list(Fact.objects.filter(kind="transcript.requested"))


def token_in(text: str) -> str:
    found = re.search(r"#resume=([\w~.-]+)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


def link(tenant: Tenant, visitor: uuid.UUID) -> str:
    with tenant_atomic(tenant.id):
        Visitor.objects.filter(id=visitor).update(answer_email=ADDRESS)
        return link_for(tenant, Visitor.objects.get(id=visitor))


def test_the_mail_has_what_was_said_and_a_link_that_goes_on(tenant, visitor, conversation):
    ask(tenant, visitor, conversation)
    [fact] = facts(tenant)
    assert (fact.data, ADDRESS in str(fact.__dict__)) == ({}, False)
    mail.outbox.clear()
    with tenant_atomic(tenant.id):
        mail_transcript(fact)
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == ([ADDRESS], f"Your conversation with {tenant.name}")
    for words in ("You · ", "Moss (AI) · ", "Times are those of UTC.", f"/widget/{tenant.slug}/frame#resume="):
        assert words in sent.body
    assert resume_visit(tenant.id, token_in(sent.body)) == VisitorIdentity(tenant.id, visitor)


def test_it_is_sent_to_nobody_once_the_address_is_erased(tenant, visitor, conversation):
    ask(tenant, visitor, conversation)
    with tenant_atomic(tenant.id):
        erase_customer(Visitor.objects.get(id=visitor))
        mail.outbox.clear()
        mail_transcript(facts(tenant)[0])
    assert mail.outbox == []


def test_only_the_visitor_of_an_answered_conversation_can_ask(tenant, visitor, conversation):
    other = make_tenant()
    unanswered, _, _ = make_question(tenant, visitor_id=(lonely := domain.begin_visit(tenant.id)))
    for where, who, which in [
        (tenant, domain.begin_visit(tenant.id), conversation),
        (other, visitor, conversation),
        (tenant, lonely, unanswered),
    ]:
        with pytest.raises(NotFound):
            ask(where, who, which)
    for address in ("", "lin", "lin@例子.cn", "a@b.example\nBcc: all@example.org"):
        with pytest.raises(InvalidInput):
            ask(tenant, visitor, conversation, address)
    assert facts(tenant) == []


def test_the_endpoint_takes_the_visitors_own_conversations_only(tenant, visitor, conversation):
    stranger = domain.begin_visit(tenant.id)
    assert [
        post(tenant, conversation, {"address": ADDRESS}, None).status_code,
        post(tenant, conversation, {"address": ADDRESS}, stranger).status_code,
        post(tenant, conversation, {"address": "lin"}, visitor).status_code,
        post(tenant, conversation, {"address": 7}, visitor).status_code,
    ] == [401, 404, 400, 400]
    assert facts(tenant) == []
    assert post(tenant, conversation, {"address": ADDRESS}, visitor).status_code == 202
    assert len(facts(tenant)) == 1


def test_the_endpoint_is_limited_for_each_address_and_each_visitor(tenant, visitor, conversation, monkeypatch):
    for throttle in (TranscriptAddressThrottle, TranscriptVisitorThrottle):
        monkeypatch.setattr(throttle, "rate", "2/hour", raising=False)
    statuses = [post(tenant, conversation, {"address": ADDRESS}, visitor).status_code for _ in range(3)]
    assert (statuses, len(facts(tenant))) == ([202, 202, 429], 2)


def test_nothing_is_sent_to_an_unproven_address_while_nothing_is_counted(tenant, visitor, conversation, monkeypatch):
    monkeypatch.setattr(ForgivingRedisCache, "is_there", lambda cache: False)
    assert post(tenant, conversation, {"address": ADDRESS}, visitor).status_code == 503
    assert facts(tenant) == []


def test_refusals_are_in_the_chats_language(tenant, visitor, conversation, monkeypatch):
    monkeypatch.setattr(TranscriptVisitorThrottle, "rate", "1/hour", raising=False)
    wrong, fast = (post(tenant, conversation, {"address": "lin"}, visitor, "?language=zh") for _ in range(2))
    assert (wrong.status_code, fast.status_code) == (400, 429)
    for response in (wrong, fast):
        assert re.search("[\u4e00-\u9fff]", response.json()["error"]["message"])


def test_customers_are_told_no_address_of_a_person_without_a_name(tenant, visitor, conversation):
    link(tenant, visitor)
    user = make_user(tenant)
    User.objects.filter(pk=user.pk).update(name="")
    user.refresh_from_db()
    said = domain.post_person_message(
        tenant_id=tenant.id, conversation_id=conversation.id, user=user, body="It ships on Monday."
    )
    ask(tenant, visitor, conversation)
    mail.outbox.clear()
    with tenant_atomic(tenant.id):
        mail_answer(Fact.objects.filter(kind="message.posted", data__author="person").get())
        mail_transcript(facts(tenant)[0])
        shown = [describe_message(said), describe_conversation(conversation_by_id(conversation.id))]
    for text in (*(sent.body for sent in mail.outbox), str(shown)):
        assert user.email not in text
    assert (len(mail.outbox), "A person · " in mail.outbox[1].body) == (2, True)


def test_a_link_brings_its_own_visitor_into_any_browser(tenant, visitor, conversation):
    response = session(tenant, token_in(link(tenant, visitor)))
    assert response.status_code == 200
    assert read_token(response.json()["token"], tenant_id=tenant.id).visitor_id == visitor


def test_links_that_do_not_count_bring_nobody_in(tenant, visitor, conversation, monkeypatch):
    token, other = token_in(link(tenant, visitor)), make_tenant()
    visit = issue_token(VisitorIdentity(tenant.id, visitor))
    for where, given in [(other, token), (tenant, token[:-2] + "xx"), (tenant, visit), (tenant, ""), (tenant, 7),
                         (tenant, ["x"]), (tenant, "x" * 5000), (tenant, signing.dumps({"v": str(visitor)}))]:  # fmt: skip
        response = session(where, given)
        assert (response.status_code, response.json()["error"]["code"]) == (422, "link_expired")
    # Nor is a link a visitor's token.
    with pytest.raises(GlassdeskError):
        read_token(token, tenant_id=tenant.id)
    monkeypatch.setattr(links, "LASTS", timedelta(seconds=-1))
    assert session(tenant, token).status_code == 422


def test_a_link_ends_with_the_address_that_it_was_sent_to(tenant, visitor, conversation):
    token = token_in(link(tenant, visitor))
    domain.leave_email(
        tenant_id=tenant.id, conversation_id=conversation.id, visitor_id=visitor, address="other@example.org"
    )
    assert session(tenant, token).status_code == 422
    token = token_in(link(tenant, visitor))
    with tenant_atomic(tenant.id):
        erase_customer(Visitor.objects.get(id=visitor))
    assert session(tenant, token).status_code == 422


def test_whom_the_company_signs_in_gets_no_link(tenant, visitor, conversation):
    token = token_in(link(tenant, visitor))
    with tenant_atomic(tenant.id):
        Visitor.objects.filter(id=visitor).update(subject="customer-7")
    assert (link(tenant, visitor), session(tenant, token).status_code) == ("", 422)


def test_a_persons_answer_by_mail_has_the_link_too(tenant, visitor, conversation):
    link(tenant, visitor)
    domain.post_person_message(
        tenant_id=tenant.id, conversation_id=conversation.id, user=make_user(tenant), body="It ships on Monday."
    )
    mail.outbox.clear()
    with tenant_atomic(tenant.id):
        mail_answer(Fact.objects.filter(kind="message.posted", data__author="person").get())
    [sent] = mail.outbox
    assert "It ships on Monday." in sent.body
    assert resume_visit(tenant.id, token_in(sent.body)).visitor_id == visitor
