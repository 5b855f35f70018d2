"""Erasing a customer or a tenant's content: no key opens from anywhere, the chain verifies, the shape stays."""

from __future__ import annotations

import uuid
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from conversations.domain import begin_visit
from conversations.models import Visitor
from helpdesk.crypto import SealError
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant, make_user
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import make_trace, trace_now
from tests.integration.tracing.vault import make_analysis, opened, verified
from tracing import keys
from tracing.erase import erase_customer, erase_tenant_content
from tracing.holds import HeldByLaw, place_hold, release_hold
from tracing.models import DataKey, DeletionReceipt
from tracing.opening import content_of
from tracing.read import OpenedTrace, TraceErased
from tracing.rotate import rotate_keys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


def erase(tenant, visitor):
    with tenant_atomic(tenant.id):
        return erase_customer(Visitor.objects.get(id=visitor))


def test_all_keys_of_the_customer_are_destroyed_retired_ones_too_and_no_one_elses(tenant):
    visitor = begin_visit(tenant.id)
    gone = [make_trace(tenant, visitor_id=visitor)]
    rotate_keys(tenant.id)
    gone.append(make_trace(tenant, visitor_id=visitor))
    make_analysis(tenant, gone[1])
    kept = make_trace(tenant)
    erasure = erase(tenant, visitor)
    assert (erasure.keys, erasure.traces, erasure.opens, erasure.tried) == (2, 2, 0, 2)
    assert all(isinstance(opened(tenant, trace), TraceErased) for trace in gone)
    assert isinstance(opened(tenant, kept), OpenedTrace)
    assert verified(tenant).is_sound
    with tenant_atomic(tenant.id):
        receipt = DeletionReceipt.objects.get()
        assert (receipt.kind, receipt.subject, receipt.count) == ("customer", visitor, 2)
        assert not DataKey.objects.filter(visitor_id=visitor).exclude(wrapped=b"").exists()


def test_a_destroyed_key_does_not_open_from_the_cache_of_a_process_that_had_it(tenant, monkeypatch):
    visitor = begin_visit(tenant.id)
    trace = make_trace(tenant, visitor_id=visitor)
    held = dict(keys.cache._keys)
    erase(tenant, visitor)
    # What another process still holds in memory.
    keys.cache._keys.update(held)
    with tenant_atomic(tenant.id), pytest.raises(SealError, match="destroyed"):
        content_of(trace_now(trace.id, tenant))
    stale = trace_now(trace.id, tenant)
    stale.key.destroyed_at, stale.key.wrapped = None, b"stale"
    with tenant_atomic(tenant.id), pytest.raises(SealError, match="destroyed"):
        content_of(stale)


def test_a_customer_who_comes_back_gets_a_new_key(tenant):
    visitor = begin_visit(tenant.id)
    old = make_trace(tenant, visitor_id=visitor)
    erase(tenant, visitor)
    new = make_trace(tenant, visitor_id=visitor)
    assert isinstance(opened(tenant, new), OpenedTrace)
    assert isinstance(opened(tenant, old), TraceErased)
    assert erase(tenant, visitor).keys == 1


def test_the_whole_tenants_content_goes_and_the_desk_keeps_answering(tenant):
    traces = [make_format1_trace(tenant), make_trace(tenant), make_trace(tenant)]
    stranger_tenant = make_tenant()
    stranger = make_trace(stranger_tenant)
    with tenant_atomic(tenant.id):
        erasure = erase_tenant_content()
    # The tenant's key, the one of format 1, and two customers'.
    assert (erasure.keys, erasure.traces, erasure.opens, erasure.tried) == (4, 3, 0, 3)
    assert all(isinstance(opened(tenant, trace), TraceErased) for trace in traces)
    assert isinstance(opened(stranger_tenant, stranger), OpenedTrace)
    new = make_trace(tenant)
    assert isinstance(opened(tenant, new), OpenedTrace)
    rotate_keys(tenant.id)
    assert isinstance(opened(tenant, new), OpenedTrace)
    assert verified(tenant).is_sound


def test_a_rotation_that_was_cut_off_before_an_erasure_does_not_come_back_to_the_destroyed_key(tenant, monkeypatch):
    from tracing import rotate

    make_trace(tenant)
    with monkeypatch.context() as patch:
        patch.setattr(rotate, "_rewrap", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            rotate_keys(tenant.id)
    with tenant_atomic(tenant.id):
        erase_tenant_content()
    new = make_trace(tenant)
    rotate_keys(tenant.id)
    assert isinstance(opened(tenant, new), OpenedTrace)


def test_a_legal_hold_keeps_customer_and_tenant_from_erasure(tenant):
    visitor = begin_visit(tenant.id)
    trace = make_trace(tenant, visitor_id=visitor)
    with tenant_atomic(tenant.id):
        hold = place_hold(trace.conversation, user=None, reason="court case 12/26")
        assert place_hold(trace.conversation, user=None, reason="once more") == hold
    for attempt in (lambda: erase(tenant, visitor), lambda: in_scope(tenant, erase_tenant_content)):
        with pytest.raises(HeldByLaw):
            attempt()
    assert isinstance(opened(tenant, trace), OpenedTrace)
    with tenant_atomic(tenant.id):
        release_hold(hold, user=None)
    assert erase(tenant, visitor).keys == 1


def in_scope(tenant, function):
    with tenant_atomic(tenant.id):
        return function()


def test_the_locked_page_says_that_the_content_was_erased_and_keeps_the_shape(client, tenant):
    visitor = begin_visit(tenant.id)
    trace = make_trace(tenant, visitor_id=visitor)
    erase(tenant, visitor)
    client.force_login(make_user(tenant, Role.REVIEWER), backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get(reverse("tracing:report", args=[tenant.slug, trace.reply_id])).content.decode()
    assert "The content was erased on" in page
    assert str(datetime.now().year) in page  # noqa: DTZ005
    assert "Open the report" not in page
    assert "5 tokens" in page
    response = client.post(reverse("tracing:open", args=[tenant.slug, trace.reply_id]), {"reason": "complaint 4711"})
    assert response.status_code == 410
    assert "nobody can open it" in response.content.decode()


def test_the_commands_prove_the_erasure(tenant):
    visitor = begin_visit(tenant.id)
    make_trace(tenant, visitor_id=visitor)
    out = StringIO()
    call_command("erase_customer", tenant.slug, str(visitor), stdout=out)
    assert "1 keys destroyed, 1 traces unreadable; opens: 0 of 1; receipt #2" in out.getvalue()
    with pytest.raises(CommandError, match="no visitor"):
        call_command("erase_customer", tenant.slug, str(uuid.uuid4()))
    with pytest.raises(CommandError, match="no visitor"):
        call_command("erase_customer", make_tenant().slug, str(visitor))
    with pytest.raises(CommandError, match="--yes"):
        call_command("erase_tenant_content", tenant.slug)
    make_trace(tenant)
    out = StringIO()
    call_command("erase_tenant_content", tenant.slug, "--yes", stdout=out)
    assert "opens: 0 of 1" in out.getvalue()


def test_the_command_says_which_older_traces_an_erasure_of_the_customer_misses(tenant):
    trace = make_format1_trace(tenant)
    with tenant_atomic(tenant.id):
        visitor = trace.conversation.visitor_id
    out = StringIO()
    call_command("erase_customer", tenant.slug, str(visitor), stdout=out)
    assert "1 older traces were sealed under a key of the whole tenant" in out.getvalue()
    assert isinstance(opened(tenant, trace), OpenedTrace)
