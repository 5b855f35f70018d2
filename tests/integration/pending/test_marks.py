"""Marks of open work: one for each transaction, and none is lost, whoever comes first."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conversations.models import Visitor
from helpdesk.pending.marks import (
    forget_if_done,
    note,
    note_everybody,
    note_missed,
    sweep,
    tenants_with,
    thin_out,
)
from helpdesk.pending.models import Kind, OpenWork
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import TenantScopeMissing, tenant_atomic
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 20


def has_open() -> bool:
    """A visitor stands for any work."""
    return bool(Visitor.objects.exists())


def make_work(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        Visitor.objects.create()
        note(Kind.REPLIES)


def finish_work(tenant: Tenant) -> None:
    with tenant_atomic(tenant.id):
        Visitor.objects.all().delete()


def noted_tenants(kind: Kind = Kind.REPLIES) -> list[uuid.UUID]:
    return [noted.tenant_id for noted in tenants_with(kind)]


@contextmanager
def uncommitted_work(tenant: Tenant) -> Iterator[Callable[[], None]]:
    """A second connection that has made work and noted it; its transaction ends when what is given is called."""
    written, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with tenant_atomic(tenant.id):
                Visitor.objects.create()
                note(Kind.REPLIES)
                written.set()
                assert may_commit.wait(WAIT_SECONDS)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)

    def commit() -> None:
        may_commit.set()
        writer.join(WAIT_SECONDS)

    writer.start()
    try:
        assert written.wait(WAIT_SECONDS)
        yield commit
    finally:
        commit()


def test_work_is_noted_until_a_sweep_finds_it_done() -> None:
    tenant, idle = make_tenant(), make_tenant()
    make_work(tenant)
    seen: list[uuid.UUID] = []
    seen += sweep(Kind.REPLIES, has_open=has_open)
    assert noted_tenants() == [tenant.id]
    finish_work(tenant)
    seen += sweep(Kind.REPLIES, has_open=has_open)
    seen += sweep(Kind.REPLIES, has_open=has_open)
    assert (noted_tenants(), seen) == ([], [tenant.id, tenant.id])
    assert idle.id not in seen


def test_a_mark_is_rolled_back_with_its_work() -> None:
    tenant = make_tenant()
    with pytest.raises(ZeroDivisionError), tenant_atomic(tenant.id):
        note(Kind.REPLIES)
        raise ZeroDivisionError
    assert noted_tenants() == []


def test_a_transaction_writes_one_mark_of_a_kind() -> None:
    tenant = make_tenant()
    with tenant_atomic(tenant.id), CaptureQueriesContext(connection) as queries:
        for _ in range(3):
            note(Kind.REPLIES)
            with tenant_atomic(tenant.id):
                note(Kind.ANALYSES)
    assert len([each for each in queries if "INSERT" in each["sql"]]) == 2
    make_work(tenant)
    assert OpenWork.objects.count() == 3


def test_work_noted_again_after_its_first_mark_was_rolled_back_is_noted() -> None:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            note(Kind.REPLIES)
            raise ZeroDivisionError
        note(Kind.REPLIES)
    assert noted_tenants() == [tenant.id]


def test_work_committed_while_a_sweep_looks_stays_noted() -> None:
    tenant = make_tenant()
    make_work(tenant)
    finish_work(tenant)
    with uncommitted_work(tenant) as commit:
        (noted,) = tenants_with(Kind.REPLIES)
        assert forget_if_done(noted, has_open=has_open)
        assert noted_tenants() == []
        commit()
    assert noted_tenants() == [tenant.id]


def test_work_committed_between_reading_the_marks_and_looking_stays_noted() -> None:
    tenant = make_tenant()
    make_work(tenant)
    finish_work(tenant)
    with uncommitted_work(tenant) as commit:
        (noted,) = tenants_with(Kind.REPLIES)
        commit()
        assert not forget_if_done(noted, has_open=has_open)
    assert noted_tenants() == [tenant.id]


def test_work_committed_between_looking_and_deleting_stays_noted() -> None:
    tenant = make_tenant()
    make_work(tenant)
    finish_work(tenant)
    with uncommitted_work(tenant) as commit:

        def look_and_let_commit() -> bool:
            found = has_open()
            commit()
            return found

        (noted,) = tenants_with(Kind.REPLIES)
        assert forget_if_done(noted, has_open=look_and_let_commit)
    assert noted_tenants() == [tenant.id]


def test_writers_of_one_tenant_do_not_wait_for_each_other_or_for_a_sweep() -> None:
    tenant = make_tenant()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    try:
        with uncommitted_work(tenant):
            make_work(tenant)
            list(sweep(Kind.REPLIES, has_open=has_open))
            assert noted_tenants() == [tenant.id]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def test_two_sweeps_forget_the_same_marks_without_harm() -> None:
    tenant = make_tenant()
    make_work(tenant)
    finish_work(tenant)
    (first,), (second,) = tenants_with(Kind.REPLIES), tenants_with(Kind.REPLIES)
    assert forget_if_done(first, has_open=has_open)
    make_work(tenant)
    assert not forget_if_done(second, has_open=has_open)
    assert noted_tenants() == [tenant.id]


def test_a_busy_tenant_keeps_one_mark() -> None:
    tenant = make_tenant()
    for _ in range(5):
        make_work(tenant)
    list(sweep(Kind.REPLIES, has_open=has_open))
    assert OpenWork.objects.count() == 1


def test_work_that_is_due_later_waits_under_one_mark() -> None:
    tenant = make_tenant()
    later = timezone.now() + timedelta(hours=1)
    for _ in range(3):
        with tenant_atomic(tenant.id):
            note(Kind.IDEMPOTENCY, due_at=later)
    assert (OpenWork.objects.count(), noted_tenants(Kind.IDEMPOTENCY)) == (1, [])
    with tenant_atomic(tenant.id):
        note(Kind.IDEMPOTENCY, due_at=timezone.now() - timedelta(seconds=1))
    assert noted_tenants(Kind.IDEMPOTENCY) == [tenant.id]


def test_all_tenants_are_asked_for_with_one_statement() -> None:
    for _ in range(20):
        make_work(make_tenant())
    with CaptureQueriesContext(connection) as queries:
        assert len(noted_tenants()) == 20
    assert len(queries) == 1


def test_thinning_out_leaves_each_tenant_its_newest_mark() -> None:
    tenants = [make_tenant(), make_tenant()]
    for _ in range(3):
        for tenant in tenants:
            make_work(tenant)
    thin_out(Kind.REPLIES)
    assert OpenWork.objects.count() == 2
    assert set(noted_tenants()) == {tenant.id for tenant in tenants}


def test_everybody_is_noted_for_work_that_nobody_made() -> None:
    tenants = {make_tenant().id for _ in range(3)}
    note_everybody(Kind.REWRITING)
    assert set(noted_tenants(Kind.REWRITING)) == tenants


def test_work_without_a_mark_is_found_and_noted_once() -> None:
    tenant, idle = make_tenant(), make_tenant()
    make_work(tenant)
    OpenWork.objects.all().delete()
    kinds = {Kind.REPLIES: has_open, Kind.ANALYSES: lambda: False}
    assert [note_missed(kinds, each.id) for each in (tenant, idle, tenant)] == [[Kind.REPLIES], [], []]
    assert noted_tenants() == [tenant.id]


def test_work_is_noted_within_a_tenant_only() -> None:
    with pytest.raises(TenantScopeMissing):
        note(Kind.REPLIES)


def test_a_mark_is_never_changed() -> None:
    make_work(make_tenant())
    with pytest.raises(DatabaseError):
        OpenWork.objects.update(kind=Kind.FACTS)
