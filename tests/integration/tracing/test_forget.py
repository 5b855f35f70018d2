"""Deleting a conversation: its words and its traces' content go, the chain verifies, holds win, others are untouched."""

from __future__ import annotations

import uuid

import pytest

from conversations.domain import begin_visit
from conversations.models import Conversation, Feedback, Message, Reply, Visitor
from helpdesk.crypto import SealError
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import api_call
from tests.factories import make_api_key, make_tenant, make_user
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import make_trace, trace_now
from tests.integration.tracing.vault import make_analysis, opened, verified
from tracing.forget import forget_conversation
from tracing.holds import HeldByLaw, place_hold
from tracing.models import DataKey, DeletionReceipt, Trace, TraceAnalysis
from tracing.opening import content_of
from tracing.read import OpenedTrace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


def forget(tenant, trace):
    with tenant_atomic(tenant.id):
        forget_conversation(trace.conversation_id)


def is_empty(found) -> bool:
    """Whether what opens of a trace says nothing any more."""
    content = found.content
    return not (content.question or content.answer or content.prompt or content.candidates or content.tokens)


def test_words_and_traces_of_one_conversation_go_and_the_customers_others_stay(tenant):
    visitor = begin_visit(tenant.id)
    gone = make_trace(tenant, visitor_id=visitor)
    make_analysis(tenant, gone)
    with tenant_atomic(tenant.id):
        Conversation.objects.filter(id=gone.conversation_id).update(status="closed")
        Feedback.objects.create(reply_id=gone.reply_id, given_by="customer", rating="down", comment="A secret.")
    kept = make_trace(tenant, visitor_id=visitor)
    assert kept.conversation_id != gone.conversation_id
    forget(tenant, gone)
    assert is_empty(opened(tenant, gone))
    assert isinstance(opened(tenant, kept), OpenedTrace)
    assert verified(tenant).is_sound
    with tenant_atomic(tenant.id):
        assert set(Message.objects.filter(conversation_id=gone.conversation_id).values_list("body", flat=True)) == {""}
        assert "" not in Message.objects.filter(conversation_id=kept.conversation_id).values_list("body", flat=True)
        assert Feedback.objects.get(reply_id=gone.reply_id).comment == ""
        row = Trace.objects.get(id=gone.id)
        assert (bytes(row.sealed), bytes(row.sealed_prompt)) == (b"", b"")
        assert bytes(TraceAnalysis.objects.get(trace=gone).sealed) == b""
        assert {receipt.kind for receipt in DeletionReceipt.objects.filter(subject=gone.conversation_id)} == {
            "prompts", "answers",
        }  # fmt: skip
        assert not DataKey.objects.filter(visitor_id=visitor, wrapped=b"").exists()


def test_the_last_conversation_of_a_customer_takes_their_keys_along(tenant):
    trace = make_trace(tenant)
    with tenant_atomic(tenant.id):
        visitor = Conversation.objects.get(id=trace.conversation_id).visitor_id
        Visitor.objects.filter(id=visitor).update(reference="c-17")
    before = trace_now(trace.id, tenant)
    sealed = bytes(before.sealed), bytes(before.sealed_prompt)
    forget(tenant, trace)
    assert verified(tenant).is_sound
    with tenant_atomic(tenant.id):
        assert Visitor.objects.get(id=visitor).reference == ""
        copy = Trace.objects.select_related("key").get(id=trace.id)
        # A copy of the sealed bytes from before opens nowhere.
        copy.sealed, copy.sealed_prompt = sealed
        with pytest.raises(SealError):
            content_of(copy)


def test_a_trace_of_format_1_is_emptied_too(tenant):
    trace = make_format1_trace(tenant)
    forget(tenant, trace)
    assert is_empty(opened(tenant, trace))
    assert verified(tenant).is_sound


def test_a_legal_hold_wins(tenant):
    trace = make_trace(tenant)
    with tenant_atomic(tenant.id):
        place_hold(trace.conversation, user=None, reason="court case 12/26")
    with pytest.raises(HeldByLaw):
        forget(tenant, trace)
    response = api_call("DELETE", f"/api/v1/conversations/{trace.conversation_id}", make_api_key(tenant))
    assert (response.status_code, response.json()["error"]["code"]) == (409, "legal_hold")
    assert isinstance(opened(tenant, trace), OpenedTrace)
    with tenant_atomic(tenant.id):
        assert "" not in Message.objects.filter(conversation_id=trace.conversation_id).values_list("body", flat=True)


def test_a_deleted_conversation_is_gone_for_api_clients_and_for_the_desk(tenant, client):
    key = make_api_key(tenant)
    made = api_call("POST", "/api/v1/conversations", key, {"customer": "c-1"}, Idempotency_Key="b1").json()["id"]
    path = f"/api/v1/conversations/{made}"
    asked = api_call("POST", f"{path}/messages", key, {"body": "A secret?"}, Idempotency_Key="q1").json()
    assert api_call("DELETE", path, key).status_code == 204
    reply = f"{path}/replies/{asked['reply']['id']}"
    for method, address in (
        ("GET", path), ("DELETE", path), ("GET", f"{path}/messages"), ("GET", reply), ("GET", f"{reply}/stream"),
        ("POST", f"{reply}/stop"),
    ):  # fmt: skip
        assert api_call(method, address, key).status_code == 404, (method, address)
    assert api_call("POST", f"{path}/messages", key, {"body": "Again?"}).status_code == 404
    again = api_call("POST", f"{path}/messages", key, {"body": "A secret?"}, Idempotency_Key="q1")
    assert again.json()["error"]["code"] == "idempotency_not_repeatable"
    assert api_call("GET", "/api/v1/conversations", key).json()["data"] == []
    with tenant_atomic(tenant.id):
        assert Reply.objects.get(id=asked["reply"]["id"]).error_code == "deleted"
    client.force_login(make_user(tenant, Role.OWNER), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(f"/desk/{tenant.slug}/inbox/{made}/").status_code == 404


def test_another_tenants_conversation_is_not_deleted(tenant):
    trace = make_trace(tenant)
    stranger = make_api_key(make_tenant())
    assert api_call("DELETE", f"/api/v1/conversations/{trace.conversation_id}", stranger).status_code == 404
    assert api_call("DELETE", f"/api/v1/conversations/{uuid.uuid4()}", stranger).status_code == 404
    assert isinstance(opened(tenant, trace), OpenedTrace)
