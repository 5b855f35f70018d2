"""Legal holds from the shell."""

from __future__ import annotations

import uuid

import pytest
from django.core.management import CommandError, call_command

from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.rows import make_trace
from tracing.holds import active_holds

pytestmark = pytest.mark.django_db


def held(tenant):
    with tenant_atomic(tenant.id):
        return active_holds().count()


def test_a_hold_is_placed_listed_and_released(capsys):
    tenant = make_tenant()
    conversation = make_trace(tenant).conversation_id

    call_command("legal_hold", tenant.slug, str(conversation), reason="court order 12")
    call_command("legal_hold", tenant.slug)
    assert held(tenant) == 1
    call_command("legal_hold", tenant.slug, str(conversation), release=True)
    call_command("legal_hold", tenant.slug)

    assert held(tenant) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{conversation} is on hold."
    assert "court order 12" in lines[1]
    assert lines[2:] == [f"The hold on {conversation} has ended.", "No conversations are on hold."]


def test_what_cannot_be_done_is_said():
    tenant, other = make_tenant(), make_tenant()
    conversation = make_trace(other).conversation_id

    with pytest.raises(CommandError, match="no conversation"):
        call_command("legal_hold", tenant.slug, str(conversation), reason="court order 12")
    with pytest.raises(CommandError, match="5 characters"):
        call_command("legal_hold", other.slug, str(conversation), reason="x")
    with pytest.raises(CommandError, match="no hold"):
        call_command("legal_hold", other.slug, str(conversation), release=True)
    with pytest.raises(CommandError):
        call_command("legal_hold", f"nobody-{uuid.uuid4().hex[:6]}")
    assert held(other) == 0
