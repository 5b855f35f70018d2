"""Traces for tests of exports: with analyses, erased, and read through a shell."""

from __future__ import annotations

from uuid import UUID

from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.unit.tracing.analyses import ALTERNATIVES, ATTRIBUTION, REPLAY
from tracing.analyses import record_analysis
from tracing.erase import erase_customer
from tracing.export.readers import ShellReader
from tracing.export.rows import ExportedTrace, exported_traces
from tracing.models import AnalysisKind, Trace, TraceAccess
from tracing.plain import to_plain
from tracing.queries import TraceFilter

REASON = "complaint 4711"
RESULTS = {
    AnalysisKind.ATTRIBUTION: ATTRIBUTION,
    AnalysisKind.REPLAY: REPLAY,
    AnalysisKind.ALTERNATIVES: ALTERNATIVES,
}


def analyse(trace: Trace) -> None:
    """One finished analysis of each kind."""
    for kind, result in RESULTS.items():
        with tenant_atomic(trace.tenant_id):
            record_analysis(trace, kind=kind, content=to_plain(result), figures={"passes": 2}, duration_ms=120.0)


def erase(trace: Trace) -> None:
    """Erase the customer whose conversation it was."""
    with tenant_atomic(trace.tenant_id):
        erase_customer(trace.conversation.visitor)


def exported(
    tenant: Tenant, *, reason: str | None = REASON, reply_id: UUID | None = None, **filters: object
) -> list[ExportedTrace]:
    """The tenant's traces through a shell."""
    wanted = TraceFilter(**filters)  # type: ignore[arg-type]
    return list(exported_traces(tenant.id, wanted, reader=ShellReader(reason), reply_id=reply_id))


def log_of(tenant: Tenant) -> list[tuple[object, str, bool]]:
    """Which traces were opened, why, and whether they did open."""
    with tenant_atomic(tenant.id):
        rows = TraceAccess.objects.order_by("sequence")
        return list(rows.values_list("trace_id", "reason", "opened"))
