"""Finished analyses: sealed under the customer's key, chained, opened with their trace and never without its log."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from helpdesk.crypto import SealError
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.rows import make_trace, make_traces
from tests.integration.tracing.vault import SECRET, aged_trace, make_analysis, opened, verified
from tests.unit.tracing.samples import make_content
from tracing import keys
from tracing.analyses import ContentGone, record_analysis
from tracing.erase import erase_customer
from tracing.models import AnalysisKind, TraceAccess, TraceAnalysis
from tracing.plain import Malformed
from tracing.retention import apply_retention, set_policy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return make_tenant()


def record(trace, **changes):
    given = {"kind": AnalysisKind.REPLAY, "content": {}, "figures": {}, "duration_ms": 1.0} | changes
    with tenant_atomic(trace.tenant_id):
        return record_analysis(trace, **given)


def test_opening_a_trace_opens_its_analyses_with_one_entry_in_the_log(tenant):
    trace = make_trace(tenant)
    analysis = make_analysis(tenant, trace)
    result = opened(tenant, trace)
    assert result.content == make_content()
    (found,) = result.analyses
    assert (found.kind, found.content) == ("attribution", {"weights": [[SECRET, 0.7]]})
    assert (found.figures, found.duration_ms) == ({"passages": 3, "drop": [0.1, 2.0, 1e-05], "seed": None}, 412.346)
    assert analysis.key_id == trace.key_id
    with tenant_atomic(tenant.id):
        assert TraceAccess.objects.count() == 1
        assert [row.id for row in TraceAnalysis.objects.filter(trace=trace)] == [analysis.id]
    assert verified(tenant).is_sound


def test_the_row_holds_no_content_in_clear(tenant):
    make_analysis(tenant, make_trace(tenant))
    with tenant_atomic(tenant.id), connection.cursor() as cursor:
        cursor.execute("SELECT t::text, encode(t.sealed, 'escape') FROM tracing_traceanalysis t")
        assert SECRET not in "".join(cursor.fetchone())


@pytest.mark.parametrize(
    "figures",
    [
        {"word": "text"},
        {"Name with spaces": 1},
        {"n": float("nan")},
        {"n": float("inf")},
        {"n": 1e300},
        {"n": [SECRET]},
    ],
)
def test_figures_are_numbers_with_fixed_names(tenant, figures):
    with pytest.raises(Malformed) as failure:
        record(make_trace(tenant), figures=figures)
    assert SECRET not in str(failure.value)


@pytest.mark.parametrize("content", [{"n": float("nan")}, {"o": object()}])
def test_content_that_json_cannot_carry_is_refused(tenant, content):
    with pytest.raises(Malformed):
        record(make_trace(tenant), content=content)


def test_an_analysis_moved_to_another_trace_does_not_open(tenant):
    first, second = make_traces(tenant, 2)
    row = make_analysis(tenant, first)
    row.trace = second
    from tracing.analyses import _opened

    with tenant_atomic(tenant.id), pytest.raises(SealError):
        _opened(row)


def test_nothing_is_recorded_about_an_erased_trace_or_one_whose_answer_is_gone(tenant, monkeypatch):
    erased, deleted = make_trace(tenant), aged_trace(tenant, 9, monkeypatch)
    with tenant_atomic(tenant.id):
        erase_customer(erased.conversation.visitor)
        set_policy(prompts=5, answers=5, metrics=None)
    apply_retention(tenant.id)
    for trace in (erased, deleted):
        with pytest.raises(ContentGone):
            record(trace)


def test_an_analysis_is_append_only_but_for_blanking(tenant):
    make_analysis(tenant, make_trace(tenant))
    for change in ({"figures": {}}, {"sealed": b"x"}, {"sealed": b"", "kind": "replay"}):
        with tenant_atomic(tenant.id), pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            TraceAnalysis.objects.update(**change)


def test_another_tenant_reaches_no_analysis(tenant):
    trace = make_trace(tenant)
    make_analysis(tenant, trace)
    other = make_tenant()
    with tenant_atomic(other.id):
        assert TraceAnalysis.objects.count() == 0
        with pytest.raises(ContentGone):
            record_analysis(trace, kind=AnalysisKind.REPLAY, content={}, figures={}, duration_ms=1.0)
    keys.cache.clear()
