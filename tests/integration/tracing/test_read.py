"""Opening the content: who, with which reason, and what the log says about it."""

from __future__ import annotations

import psycopg
import pytest
from django.db import DatabaseError, transaction

from helpdesk.errors import Forbidden, NotFound
from helpdesk.permissions import Role
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.models import Membership
from tests.factories import make_tenant, make_user
from tests.integration.tracing.rows import make_trace, make_traces
from tests.unit.tracing.samples import make_content
from tracing.models import Trace, TraceAccess
from tracing.read import TraceUnreadable, open_trace, trace_of_reply, trace_shape
from tracing.reasons import ReasonMissing, ReasonNotKept, clean_reason

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)
REASON = "complaint 4711"


@pytest.fixture
def tenant():
    return make_tenant()


def opened(tenant, trace, *, role=Role.REVIEWER, reason=REASON, user=None):
    """Open as a person of that role, in a transaction that commits also when it raises."""
    user = user or make_user(tenant, role)
    with tenant_atomic(tenant.id):
        membership = Membership.objects.select_related("tenant").get(user=user)
        try:
            return open_trace(trace=trace_of_reply(trace.reply_id), user=user, membership=membership, reason=reason)
        except (Forbidden, ReasonMissing, TraceUnreadable) as error:
            return error


def log_of(tenant) -> list[tuple[str, bool]]:
    with tenant_atomic(tenant.id):
        return list(TraceAccess.objects.order_by("at").values_list("reason", "opened"))


def test_open_trace_returns_the_content_and_logs_each_read(tenant):
    trace = make_trace(tenant)
    user = make_user(tenant, Role.REVIEWER)
    assert opened(tenant, trace, user=user) == make_content()
    assert opened(tenant, trace, user=user, reason="  once\n more ") == make_content()
    assert log_of(tenant) == [(REASON, True), ("once more", True)]
    with tenant_atomic(tenant.id):
        assert set(TraceAccess.objects.values_list("user_id", "trace_id")) == {(user.id, trace.id)}


@pytest.mark.parametrize("role", [Role.AGENT, Role.VIEWER, Role.EDITOR])
def test_open_trace_refuses_roles_without_the_right_and_logs_nothing(tenant, role):
    assert isinstance(opened(tenant, make_trace(tenant), role=role), Forbidden)
    assert log_of(tenant) == []


@pytest.mark.parametrize(
    "reason", ["", "    ", "abcd", "a b c d", "\u200b\u200b\u200b\u200b\u200bab", "\u2060" * 9, "\u3164" * 9]
)
def test_open_trace_needs_a_reason_that_can_be_seen(tenant, reason):
    assert isinstance(opened(tenant, make_trace(tenant), reason=reason), ReasonMissing)
    assert log_of(tenant) == []


def test_open_trace_takes_a_chinese_reason_and_refuses_one_that_it_would_have_to_cut(tenant):
    trace = make_trace(tenant)
    opened(tenant, trace, reason="顾客投诉复核")
    with pytest.raises(ReasonNotKept):
        opened(tenant, trace, reason="x" * 301)
    assert log_of(tenant) == [("顾客投诉复核", True)]


def test_open_trace_refuses_a_membership_of_somebody_else_or_of_another_tenant(tenant):
    trace, other = make_trace(tenant), make_tenant()
    reviewer, stranger = make_user(tenant, Role.REVIEWER), make_user(other, Role.OWNER)
    with tenant_atomic(other.id):
        foreign = Membership.objects.get(user=stranger)
    with tenant_atomic(tenant.id):
        own = Membership.objects.get(user=reviewer)
        row = trace_of_reply(trace.reply_id)
        for user, membership in ((stranger, foreign), (stranger, own), (reviewer, foreign)):
            with pytest.raises(Forbidden):
                open_trace(trace=row, user=user, membership=membership, reason=REASON)
    assert log_of(tenant) == []


@committed
def test_a_failed_unseal_is_logged_and_shows_nothing(tenant, owner_url):
    trace = make_trace(tenant)
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
        connection.execute("UPDATE tracing_trace SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)")
    assert isinstance(opened(tenant, trace), TraceUnreadable)
    assert log_of(tenant) == [(REASON, False)]


@committed
def test_payloads_swapped_between_traces_do_not_open(tenant, owner_url):
    traces = make_traces(tenant, 2)
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
        connection.execute(
            "UPDATE tracing_trace t SET sealed = o.sealed FROM tracing_trace o WHERE o.sequence = 3 - t.sequence"
        )
    for trace in traces:
        assert isinstance(opened(tenant, trace), TraceUnreadable)


def test_open_trace_without_the_master_key_shows_nothing_since_it_could_not_be_logged(tenant, settings):
    trace = make_trace(tenant)
    settings.MASTER_KEY = ""
    assert isinstance(opened(tenant, trace), TraceUnreadable)
    assert log_of(tenant) == []


@committed
def test_a_read_that_rolls_back_returns_no_content_outside_its_transaction(tenant):
    trace = make_trace(tenant)
    user = make_user(tenant, Role.REVIEWER)
    with pytest.raises(DatabaseError), tenant_atomic(tenant.id):
        membership = Membership.objects.get(user=user)
        open_trace(trace=trace_of_reply(trace.reply_id), user=user, membership=membership, reason=REASON)
        raise DatabaseError
    assert log_of(tenant) == []


@committed
@pytest.mark.parametrize(
    "statement", ["UPDATE tracing_traceaccess SET reason = 'x'", "DELETE FROM tracing_traceaccess"]
)
def test_the_access_log_is_append_only_even_for_the_owner(tenant, owner_url, statement):
    opened(tenant, make_trace(tenant))
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement)


def test_the_access_log_is_append_only_for_the_product(tenant):
    opened(tenant, make_trace(tenant))
    for change in (lambda rows: rows.update(reason="x"), lambda rows: rows.delete()):
        with tenant_atomic(tenant.id), pytest.raises(DatabaseError), transaction.atomic():
            change(TraceAccess.objects.all())
    assert log_of(tenant) == [(REASON, True)]


def test_another_tenant_finds_neither_trace_nor_log(tenant):
    trace = make_trace(tenant)
    opened(tenant, trace)
    with tenant_atomic(make_tenant().id):
        assert (Trace.objects.count(), TraceAccess.objects.count()) == (0, 0)
        with pytest.raises(NotFound):
            trace_of_reply(trace.reply_id)


def test_trace_shape_has_times_and_sizes_and_no_payload(tenant, django_assert_num_queries):
    trace = make_trace(tenant)
    opened(tenant, trace)
    with tenant_atomic(tenant.id), django_assert_num_queries(2):
        shape = trace_shape(trace_of_reply(trace.reply_id))
    assert [step.name for step in shape.steps] == ["retrieve", "prompt", "first_token", "decode"]
    assert (shape.prompt_tokens, shape.answer_tokens, shape.candidate_count, shape.source_count) == (5, 8, 3, 1)
    assert (shape.sealed_bytes, shape.times_opened) == (len(trace.sealed) + len(trace.sealed_prompt), 1)


def test_few_chinese_characters_say_as_much_as_a_word():
    assert clean_reason("检查原因") == "检查原因"
    with pytest.raises(ReasonMissing):
        clean_reason("检查")
