"""Signed checkpoints: a database that was put back is found, and anybody can check one with the public key alone."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from io import StringIO

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from helpdesk.tenants.scope import tenant_atomic
from tests.conftest import ROOT
from tests.factories import make_tenant
from tests.integration.tracing.rows import make_trace, make_traces
from tests.integration.tracing.vault import tamperer, verified
from tracing.checkpoint import CheckpointMalformed, _message, export_checkpoint, parse_checkpoint, verify_checkpoint
from tracing.models import DataKey
from tracing.rotate import rotate_keys

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = ("trace", "keyevent", "chainhead", "datakey")


@pytest.fixture
def tenant():
    return make_tenant()


def export(tenant):
    with tenant_atomic(tenant.id):
        return export_checkpoint()


def problem(tenant, checkpoint):
    with tenant_atomic(tenant.id):
        return verify_checkpoint(checkpoint).problem


def test_a_chain_that_goes_on_still_passes_through_its_checkpoint(tenant):
    make_traces(tenant, 2)
    checkpoint = export(tenant)
    make_trace(tenant)
    rotate_keys(tenant.id)
    assert (checkpoint["sequence"], problem(tenant, checkpoint)) == (3, "")
    assert export(tenant)["public_key"] == checkpoint["public_key"]
    assert verified(tenant).is_sound


def test_a_database_that_was_put_back_is_found_though_its_chain_is_sound(tenant, owner_url):
    make_traces(tenant, 2)
    export(tenant)
    copy = _copied(owner_url, tenant)
    make_trace(tenant)
    checkpoint = export(tenant)
    _put_back(owner_url, tenant, copy)
    assert verified(tenant).is_sound
    assert "ends before the checkpoint" in problem(tenant, checkpoint)
    make_traces(tenant, 4)
    assert verified(tenant).is_sound
    assert "was rewritten" in problem(tenant, checkpoint)


def _copied(owner_url, tenant):
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
        return {table: _rows(connection, table) for table in ("trace", "keyevent", "chainhead")}


def _rows(connection, table):
    return [row for (row,) in connection.execute(f"SELECT t::tracing_{table}::text FROM tracing_{table} t").fetchall()]


def _put_back(owner_url, tenant, copy):
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
        connection.execute("ALTER TABLE tracing_keyevent DISABLE TRIGGER append_only")
        for table, rows in copy.items():
            connection.execute(f"DELETE FROM tracing_{table}")
            for row in rows:
                connection.execute(f"INSERT INTO tracing_{table} SELECT (%s::tracing_{table}).*", [row])
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        connection.execute("ALTER TABLE tracing_keyevent ENABLE TRIGGER append_only")


@pytest.mark.parametrize(
    "change", [{"sequence": 1}, {"chain": "00" * 32}, {"at": "2020-01-01T00:00:00+00:00"}, {"signature": "AAAA"}]
)
def test_an_altered_checkpoint_is_found(tenant, change):
    make_trace(tenant)
    assert "signature does not fit" in problem(tenant, export(tenant) | change)


def test_a_checkpoint_signed_by_another_key_or_of_another_tenant_is_refused(tenant):
    make_trace(tenant)
    checkpoint, stranger = export(tenant), Ed25519PrivateKey.generate()
    forged = checkpoint | {"public_key": base64.b64encode(stranger.public_key().public_bytes_raw()).decode()}
    forged["signature"] = base64.b64encode(stranger.sign(_message(forged))).decode()
    assert "another signing key" in problem(tenant, forged)
    assert "another tenant" in problem(make_tenant(), checkpoint)


def test_a_lost_signing_key_is_found_and_not_replaced(tenant, owner_url):
    make_trace(tenant)
    checkpoint = export(tenant)
    tamperer(owner_url, tenant)("DELETE FROM tracing_datakey WHERE purpose = 'signing'")
    assert "another signing key" in problem(tenant, checkpoint)
    with tenant_atomic(tenant.id):
        assert not DataKey.objects.filter(purpose="signing").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "null"])
def test_another_file_is_no_checkpoint(text):
    with pytest.raises(CheckpointMalformed):
        parse_checkpoint(text)


def test_the_commands_write_and_check_a_file(tenant, tmp_path):
    make_trace(tenant)
    make_trace(make_tenant())
    file, notes = tmp_path / "checkpoint.json", StringIO()
    call_command("export_checkpoint", tenant.slug, "--out", str(file), stderr=notes)
    fingerprint = notes.getvalue().split()[-1]
    out = StringIO()
    call_command("verify_traces", "--checkpoint", str(file), stdout=out)
    assert f"checkpoint #2 by key {fingerprint}: holds" in out.getvalue()
    assert out.getvalue().count("sound") == 1
    file.write_text(json.dumps(json.loads(file.read_text()) | {"sequence": 1}))
    with pytest.raises(CommandError, match="tampered"):
        call_command("verify_traces", tenant.slug, "--checkpoint", str(file), stdout=StringIO())
    file.write_text("{}")
    with pytest.raises(CommandError, match="no checkpoint"):
        call_command("verify_traces", "--checkpoint", str(file), stdout=StringIO())


def test_the_snippet_in_the_documents_checks_a_checkpoint_without_the_desk(tenant, tmp_path):
    make_trace(tenant)
    checkpoint = export(tenant)
    (tmp_path / "checkpoint.json").write_text(json.dumps(checkpoint))
    snippet = re.search(r"```python\n(.*?)```", (ROOT / "docs/security.md").read_text(encoding="utf-8"), re.S)
    assert snippet is not None

    def run():
        command = [sys.executable, "-c", snippet[1], "checkpoint.json"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = run()
    assert good.returncode == 0, good.stderr
    assert f"#{checkpoint['sequence']}" in good.stdout
    (tmp_path / "checkpoint.json").write_text(json.dumps(checkpoint | {"sequence": 9}))
    assert run().returncode != 0
