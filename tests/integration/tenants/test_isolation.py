"""Canaries on real PostgreSQL: every claim about the tenant boundary is tried, not believed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import uuid

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from conversations.models import Assistant, Conversation, Message, Visitor
from helpdesk.checks import check_database_role
from helpdesk.permissions import Role
from helpdesk.tenants.models import Tenant, TenantModel
from helpdesk.tenants.scope import (
    TenantScopeMismatch,
    TenantScopeMissing,
    tenant_atomic,
    user_atomic,
)
from helpdesk.users.models import Membership
from tests.conftest import ROOT
from tests.factories import make_question, make_tenant, make_user
from tests.scopes import tenant_in_scope

pytestmark = pytest.mark.django_db

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]


def rows(sql: str, *parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_every_tenant_table_has_a_forced_policy_for_reading_and_writing(model: type[TenantModel]) -> None:
    (enabled, forced) = rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", model._meta.db_table
    )[0]
    policies = rows(
        "SELECT cmd, qual, with_check FROM pg_policies WHERE tablename = %s AND policyname = 'tenant_isolation'",
        model._meta.db_table,
    )
    assert (enabled, forced, len(policies)) == (True, True, 1)
    command, using, with_check = policies[0]
    assert command == "ALL"
    assert "app.tenant_id" in str(using)
    assert using == with_check


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_every_manager_raises_outside_a_scope(model: type[TenantModel]) -> None:
    with pytest.raises(TenantScopeMissing):
        list(model.objects.all())
    with pytest.raises(TenantScopeMissing):
        model._base_manager.count()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_every_foreign_key_between_tenant_rows_has_a_composite_twin(model: type[TenantModel]) -> None:
    from helpdesk.tenants.isolation import tenant_foreign_keys

    missing = []
    for field in tenant_foreign_keys(model):
        if not field.db_constraint:
            continue
        found = rows(
            "SELECT 1 FROM pg_constraint WHERE conname = %s AND contype = 'f'",
            f"{model._meta.db_table}_{field.column}_tenant",
        )
        if not found:
            missing.append(field.column)
    assert missing == []


def test_the_tests_run_as_a_role_without_privileges() -> None:
    role = rows("SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user")[
        0
    ]
    owned = rows(
        "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
    )
    assert (role, owned) == ((False, False, False, False), [(0,)])


def test_raw_sql_outside_a_scope_sees_nothing() -> None:
    tenant = make_tenant()
    make_question(tenant)
    assert rows("SELECT count(*) FROM conversations_message") == [(0,)]
    with tenant_atomic(tenant.id):
        assert rows("SELECT count(*) FROM conversations_message") == [(1,)]
    assert rows("SELECT count(*) FROM conversations_message") == [(0,)]


def test_raw_sql_in_one_scope_sees_no_other_tenants_rows() -> None:
    one, other = make_tenant(), make_tenant()
    make_question(one)
    _, message, _ = make_question(other)
    with tenant_atomic(one.id):
        assert rows("SELECT count(*) FROM conversations_message WHERE id = %s", message.id) == [(0,)]
        assert rows("UPDATE conversations_message SET body = 'x' WHERE id = %s RETURNING id", message.id) == []
        assert rows("DELETE FROM conversations_message WHERE id = %s RETURNING id", message.id) == []


def test_a_row_of_another_tenant_cannot_be_inserted() -> None:
    one, other = make_tenant(), make_tenant()
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        tenant_atomic(one.id),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO conversations_visitor (id, tenant_id, created_at, last_seen_at) VALUES (%s, %s, now(), now())",
            [uuid.uuid4(), other.id],
        )


def test_a_row_cannot_be_moved_to_another_tenant() -> None:
    one, other = make_tenant(), make_tenant()
    with tenant_atomic(one.id):
        visitor = Visitor.objects.create()
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_atomic(one.id):
        Visitor.objects.filter(id=visitor.id).update(tenant_id=other.id)


def test_a_foreign_key_cannot_reach_into_another_tenant() -> None:
    one, other = make_tenant(), make_tenant()
    with tenant_atomic(other.id):
        foreign_visitor = Visitor.objects.create()
    with pytest.raises(IntegrityError), transaction.atomic(), tenant_atomic(one.id):
        Conversation.objects.create(visitor_id=foreign_visitor.id, assistant=Assistant.objects.get())
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_queryset_belongs_to_the_scope_in_which_it_is_evaluated() -> None:
    one, other = make_tenant(), make_tenant()
    make_question(one)
    with tenant_atomic(one.id):
        queryset = Message.objects.all()
        assert queryset.count() == 1
    with tenant_atomic(other.id):
        assert queryset.count() == 0
    with pytest.raises(TenantScopeMissing):
        queryset.count()


def test_saving_an_object_in_another_scope_raises() -> None:
    one, other = make_tenant(), make_tenant()
    with tenant_atomic(one.id):
        visitor = Visitor.objects.create()
    with tenant_atomic(other.id):
        with pytest.raises(TenantScopeMismatch):
            visitor.save()
        with pytest.raises(TenantScopeMismatch):
            visitor.delete()


def test_scopes_of_two_tenants_do_not_nest_and_the_outer_one_survives() -> None:
    one, other = make_tenant(), make_tenant()
    with tenant_atomic(one.id):
        with pytest.raises(TenantScopeMismatch), tenant_atomic(other.id):
            pass
        with tenant_atomic(one.id):
            pass
        assert Assistant.objects.count() == 1


def test_an_error_inside_a_scope_rolls_back_and_closes_it() -> None:
    tenant = make_tenant()
    with pytest.raises(ValueError, match="stop"), tenant_atomic(tenant.id):
        Visitor.objects.create()
        raise ValueError("stop")
    assert rows("SELECT current_setting('app.tenant_id', true)") in ([("",)], [(None,)])
    with tenant_atomic(tenant.id):
        assert Visitor.objects.count() == 0


def test_threads_and_coroutines_do_not_share_a_scope() -> None:
    tenant = make_tenant()
    seen: list[object] = []

    def look() -> None:

        seen.append(tenant_in_scope())

    async def in_task() -> None:
        look()

    with tenant_atomic(tenant.id):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    asyncio.run(in_task())
    assert seen == [None, None]


def test_a_person_sees_their_own_memberships_and_no_others() -> None:
    one, other = make_tenant(), make_tenant()
    person, stranger = make_user(one, Role.AGENT), make_user(other, Role.OWNER)
    with user_atomic(person.pk):
        assert list(Membership.across_tenants.values_list("user_id", flat=True)) == [person.pk]
    assert Membership.across_tenants.count() == 0
    with user_atomic(person.pk), pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users_membership (id, tenant_id, user_id, role, created_at) VALUES (%s, %s, %s, 'owner', now())",
            [uuid.uuid4(), other.id, person.pk],
        )
    assert stranger.pk != person.pk


def test_the_tenant_setting_does_not_leak_into_the_next_user_of_a_pooled_connection() -> None:
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        pass
    assert rows("SELECT NULLIF(current_setting('app.tenant_id', true), '')") == [(None,)]


def test_the_application_role_cannot_switch_the_boundary_off() -> None:
    for statement in (
        "ALTER TABLE conversations_message DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation ON conversations_message",
        "SET ROLE glassdesk_owner",
        "CREATE TABLE loophole (id int)",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_startup_check_accepts_the_restricted_role() -> None:
    assert check_database_role(databases=["default"]) == []


def test_the_startup_check_refuses_the_owner(owner_url: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "manage.py", "check", "--database", "default"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": owner_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "glassdesk.E004" in outcome.stderr


def test_a_worker_with_the_owners_role_does_not_start(owner_url: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "helpdesk.queue.celery", "worker", "--pool", "solo"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": owner_url, "GLASSDESK_STARTUP_CHECKS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert outcome.returncode == 1
    assert outcome.stderr.splitlines()[-1].startswith("Glassdesk does not start like this: The database role")


def test_the_owner_is_subject_to_the_policies_too(owner_url: str) -> None:
    with psycopg.connect(owner_url) as owner:
        assert owner.execute("SELECT count(*) FROM conversations_message").fetchone() == (0,)


def test_tenants_themselves_hold_nothing_private() -> None:
    fields = {field.name for field in Tenant._meta.get_fields() if not field.auto_created}
    assert fields == {
        "id", "slug", "name", "name_zh", "default_language", "contact_email", "allowed_origins", "created_at",
        "accent", "welcome", "widget_version", "requires_second_step",
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_what_runs_on_commit_may_open_the_scope_again() -> None:
    """The transaction that held the database's setting is over then, though the block around it is not."""
    tenant = make_tenant()
    seen: list[int] = []

    def look() -> None:
        with tenant_atomic(tenant.id):
            seen.append(Assistant.objects.count())

    with tenant_atomic(tenant.id):
        transaction.on_commit(look)
    assert seen == [1]
    assert tenant_in_scope() is None
