"""Databases of earlier versions are migrated in place: their traces open and verify, their log stays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from conversations.models import Reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.conftest import ROOT
from tests.factories import make_tenant
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.frozen import TENANT, insert_frozen_rows
from tests.integration.tracing.rows import make_trace
from tests.integration.tracing.vault import opened, tamperer, verified
from tests.unit.tracing.samples import make_content
from tracing.models import Trace
from tracing.opening import content_of
from tracing.retention import apply_retention, set_policy

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(owner_url, *target):
    command = [sys.executable, "manage.py", "migrate", *target, "--verbosity", "0", "--skip-checks"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": owner_url}, check=True)


def test_rows_of_the_first_version_are_readable_and_verify_after_the_migration(owner_url):
    tenant = make_tenant()
    traces = [make_format1_trace(tenant) for _ in range(2)]
    connection.close()
    migrate(owner_url, "tracing", "0001")
    try:
        tamperer(owner_url, tenant)(
            # What the first version had, and a read in its log.
            "ALTER TABLE tracing_traceaccess ADD CONSTRAINT tracing_traceaccess_trace_id_tenant "
            "FOREIGN KEY (tenant_id, trace_id) REFERENCES tracing_trace (tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
            "INSERT INTO tracing_traceaccess (id, tenant_id, trace_id, reason, opened, at) "
            "SELECT gen_random_uuid(), tenant_id, id, 'an old reason', true, now() FROM tracing_trace WHERE sequence = 1",
        )
    finally:
        migrate(owner_url)
    tamperer(owner_url, tenant)("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO glassdesk_app")
    result = verified(tenant)
    assert (result.is_sound, result.traces, result.unchained) == (True, 2, 1)
    traces.append(make_trace(tenant))
    assert [opened(tenant, trace).content for trace in traces] == [make_content()] * 3
    result = verified(tenant)
    assert (result.is_sound, result.rows, result.unchained) == (True, 6, 1)
    with tenant_atomic(tenant.id):
        set_policy(prompts=1, answers=1, metrics=1)
    assert sum(apply_retention(tenant.id).values()) == 0


def test_rows_of_format_3_are_readable_and_verify_after_the_migration(owner_url):
    connection.close()
    migrate(owner_url, "tracing", "0011")
    migrate(owner_url, "conversations", "0007")
    try:
        insert_frozen_rows(owner_url, since={}, renamed={})
    finally:
        migrate(owner_url)
    tamperer(owner_url, Tenant.objects.get(id=TENANT))("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO glassdesk_app")
    tenant = Tenant.objects.get(id=TENANT)
    make_trace(tenant)
    result = verified(tenant)
    assert (result.is_sound, result.traces) == (True, 5)
    with tenant_atomic(TENANT):
        rows = Reply.objects.order_by("queued_at").values_list(
            "purpose", "assistant__name", "assistant_version", "variant"
        )
        assert list(rows) == [("answer", "Moss", None, "")] * 4 + [("answer", "Moss", 1, "")]
        for trace in Trace.objects.filter(format=3).exclude(outcome="refused").exclude(cache="exact"):
            assert (trace.purpose, trace.assistant_id, trace.assistant_version) == ("answer", None, None)
            assert content_of(trace) == make_content()
