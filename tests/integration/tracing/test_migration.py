"""A database of the first version is migrated in place: its traces open and verify, its log stays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from helpdesk.tenants.scope import tenant_atomic
from tests.conftest import ROOT
from tests.factories import make_tenant
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import make_trace
from tests.integration.tracing.vault import opened, tamperer, verified
from tests.unit.tracing.samples import make_content
from tracing.retention import apply_retention, set_policy

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(owner_url, *target):
    command = [sys.executable, "manage.py", "migrate", "tracing", *target, "--verbosity", "0", "--skip-checks"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": owner_url}, check=True)


def test_rows_of_the_first_version_are_readable_and_verify_after_the_migration(owner_url):
    tenant = make_tenant()
    traces = [make_format1_trace(tenant) for _ in range(2)]
    connection.close()
    migrate(owner_url, "0001")
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
