"""Finished answers with their traces, stored by the functions that the worker calls."""

from __future__ import annotations

import uuid

from conversations.models import Outcome, Reply
from conversations.replies import Answer, claim_reply, finish_reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_question
from tests.unit.tracing.samples import make_record
from tracing.models import Trace
from tracing.record import TraceRecord, record_trace


def claimed_reply(tenant: Tenant, *, visitor_id: uuid.UUID | None = None) -> Reply:
    """A reply that a worker has just claimed, to a new visitor unless one is given."""
    # Who asks the same twice waits for a person.
    asked = {} if visitor_id is None else {"body": f"What does plan {uuid.uuid4().hex} cost?"}
    _, _, reply = make_question(tenant, visitor_id=visitor_id, **asked)
    assert reply is not None
    claimed = claim_reply(tenant_id=tenant.id, reply_id=reply.id, worker="test")
    assert claimed is not None
    return claimed.reply


def store_answer(reply: Reply, record: TraceRecord) -> Trace:
    """Finish the reply and record its trace in one transaction, like the worker."""
    with tenant_atomic(reply.tenant_id):
        finish_reply(
            reply, Answer(body=record.content.answer, language=record.content.language, outcome=Outcome(record.outcome))
        )
        return record_trace(reply, record)


def make_trace(tenant: Tenant, record: TraceRecord | None = None, *, visitor_id: uuid.UUID | None = None) -> Trace:
    """A trace of a new answer."""
    return store_answer(claimed_reply(tenant, visitor_id=visitor_id), record or make_record())


def make_traces(tenant: Tenant, count: int) -> list[Trace]:
    """That many traces in order."""
    return [make_trace(tenant) for _ in range(count)]


def trace_now(trace_id: uuid.UUID, tenant: Tenant) -> Trace:
    """The row as the database has it."""
    with tenant_atomic(tenant.id):
        row: Trace = Trace.objects.select_related("key").get(id=trace_id)
        return row
