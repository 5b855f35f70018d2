"""Helpers for tests of the vault: tampering as the owner, reading as a reviewer, ageing traces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg
from django.utils import timezone

from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership
from tests.factories import make_user
from tests.integration.tracing.rows import claimed_reply
from tests.unit.tracing.samples import make_record
from tracing import record
from tracing.analyses import record_analysis
from tracing.anchors import read_anchors
from tracing.findings import Verification
from tracing.models import AnalysisKind, Trace, TraceAnalysis
from tracing.read import OpenedTrace, TraceUnreadable, open_trace_and_analyses, trace_of_reply
from tracing.verify import verify_chain

REASON = "complaint 4711"
SECRET = "okapi-sentinel-2204"


def tamperer(owner_url: str, tenant: Tenant) -> Callable[..., None]:
    """Runs SQL as the owner, in the tenant's scope since row-level security holds for owners too."""

    def run(*statements: str, **values: object) -> None:
        with psycopg.connect(owner_url) as connection:
            connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
            for statement in statements:
                connection.execute(statement, values)

    return run


def opened(tenant: Tenant, trace: Trace) -> OpenedTrace | TraceUnreadable:
    """Open as a reviewer; a failed attempt is returned, so that its log commits."""
    user = make_user(tenant, Role.REVIEWER)
    with tenant_atomic(tenant.id):
        membership = Membership.objects.select_related("tenant").get(user=user)
        row = trace_of_reply(trace.reply_id)
        try:
            return open_trace_and_analyses(trace=row, user=user, membership=membership, reason=REASON)
        except TraceUnreadable as error:
            return error


def verified(tenant: Tenant) -> Verification:
    """The state of the tenant's chain."""
    anchors = read_anchors()
    with tenant_atomic(tenant.id):
        return verify_chain(anchors)


def findings(tenant: Tenant) -> list[tuple[str, str, int]]:
    """What is wrong: kind, table, sequence."""
    return [(finding.kind, finding.table, finding.sequence) for finding in verified(tenant).findings]


def aged_trace(tenant: Tenant, days: int, monkeypatch, *, visitor_id=None) -> Trace:
    """A trace that was stored that many days ago."""
    from tests.integration.tracing.rows import store_answer

    plain = record._plain_trace

    def older(reply, made):
        trace = plain(reply, made)
        trace.created_at = timezone.now() - timedelta(days=days)
        return trace

    monkeypatch.setattr(record, "_plain_trace", older)
    try:
        return store_answer(claimed_reply(tenant, visitor_id=visitor_id), make_record())
    finally:
        monkeypatch.setattr(record, "_plain_trace", plain)


def make_analysis(tenant: Tenant, trace: Trace) -> TraceAnalysis:
    """A finished attribution of the trace."""
    with tenant_atomic(tenant.id):
        return record_analysis(
            trace,
            kind=AnalysisKind.ATTRIBUTION,
            content={"weights": [[SECRET, 0.7]]},
            figures={"passages": 3, "drop": [0.1, 2.0, 1e-05], "seed": None},
            duration_ms=412.3456789,
        )
