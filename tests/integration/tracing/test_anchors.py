"""Anchors outside the database: what was cut off since the last one is named, and so is a file that is not what it was."""

from __future__ import annotations

import json
import threading
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connections
from structlog.testing import capture_logs

from helpdesk.tenants.scope import tenant_atomic
from tests.api_access import api_call
from tests.factories import make_api_key, make_tenant
from tests.integration.tracing.rows import make_trace, make_traces
from tests.integration.tracing.vault import aged_trace, opened, tamperer, verified
from tracing import anchors
from tracing.anchoring import anchor_chains
from tracing.anchors import read_anchors
from tracing.models import ChainHead, Trace
from tracing.retention import apply_retention, set_policy
from tracing.tasks import anchor_chains_everywhere

pytestmark = pytest.mark.django_db(transaction=True)
CUT_TABLES = ("trace", "traceaccess", "keyevent", "retentionchange", "deletionreceipt")


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def tamper(owner_url, tenant):
    return tamperer(owner_url, tenant)


def file() -> Path:
    return Path(django_settings.ANCHORS)


def lines() -> list[dict[str, object]]:
    return [json.loads(line) for line in file().read_text().splitlines()]


def findings(tenant) -> list[tuple[str, int, int | None]]:
    return [(finding.kind, finding.sequence, finding.last) for finding in verified(tenant).findings]


def saved_head(owner_url, tenant) -> str:
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant.id)])
        return connection.execute("SELECT h::text FROM tracing_chainhead h").fetchone()[0]


def cut(tamper, head: str, after: int) -> None:
    """The newest rows go, and the saved end of the chain is put back."""
    switches = [f"ALTER TABLE tracing_{table} DISABLE TRIGGER append_only" for table in CUT_TABLES if table != "trace"]
    tamper(
        *switches,
        *[f"DELETE FROM tracing_{table} WHERE sequence > {after}" for table in CUT_TABLES],
        "DELETE FROM tracing_chainhead",
        "INSERT INTO tracing_chainhead SELECT (%(head)s::tracing_chainhead).*",
        "SET CONSTRAINTS ALL IMMEDIATE",
        *[each.replace("DISABLE", "ENABLE") for each in switches],
        head=head,
    )


def test_traces_cut_off_with_a_saved_end_are_named_from_the_anchor(tenant, tamper, owner_url):
    make_traces(tenant, 2)
    head = saved_head(owner_url, tenant)
    make_traces(tenant, 3)
    assert anchor_chains() == 1
    cut(tamper, head, after=2)
    assert findings(tenant) == [("cut", 3, 5)]
    out = StringIO()
    with pytest.raises(CommandError, match=f"tampered with: {tenant.slug}"):
        call_command("verify_traces", tenant.slug, stdout=out)
    assert "#3 to #5: cut: the newest rows were cut off after an anchor: 3 rows that were there on" in out.getvalue()
    assert "last anchor: #5 on" in out.getvalue()


def test_reads_cut_off_are_named(tenant, tamper, owner_url):
    trace = make_trace(tenant)
    head = saved_head(owner_url, tenant)
    opened(tenant, trace)
    anchor_chains()
    cut(tamper, head, after=1)
    assert findings(tenant) == [("cut", 2, 2)]


def test_a_whole_chain_that_is_gone_is_named(tenant, tamper):
    make_traces(tenant, 2)
    anchor_chains()
    tamper("DELETE FROM tracing_trace", "DELETE FROM tracing_chainhead")
    assert findings(tenant) == [("cut", 1, 2)]


def test_a_chain_that_went_on_after_the_cut_is_named_at_its_anchors(tenant, tamper, owner_url):
    make_traces(tenant, 2)
    head = saved_head(owner_url, tenant)
    make_traces(tenant, 2)
    anchor_chains()
    cut(tamper, head, after=2)
    make_traces(tenant, 3)
    assert findings(tenant) == [("rewritten", 4, 4)]
    anchor_chains()
    assert findings(tenant) == [("rewritten", 4, 4)]


def test_an_anchor_after_the_cut_does_not_hide_it(tenant, tamper, owner_url):
    make_traces(tenant, 2)
    anchor_chains()
    head = saved_head(owner_url, tenant)
    make_traces(tenant, 4)
    anchor_chains()
    cut(tamper, head, after=2)
    make_trace(tenant)
    anchor_chains()
    assert findings(tenant) == [("turned_back", 3, None), ("cut", 4, 6)]


def test_what_happened_since_the_last_anchor_is_not_protected_and_nothing_else_is_accused(tenant, tamper, owner_url):
    make_traces(tenant, 2)
    anchor_chains()
    head = saved_head(owner_url, tenant)
    make_trace(tenant)
    cut(tamper, head, after=2)
    result = verified(tenant)
    assert (result.findings, result.anchor.sequence) == ([], 2)


def test_erasure_and_retention_do_not_look_like_a_cut(tenant, monkeypatch):
    aged_trace(tenant, 40, monkeypatch)
    aged_trace(tenant, 35, monkeypatch)
    anchor_chains()
    make_trace(tenant)
    with tenant_atomic(tenant.id):
        set_policy(prompts=1, answers=7, metrics=30)
    anchor_chains()
    apply_retention(tenant.id)
    assert verified(tenant).findings == []
    with tenant_atomic(tenant.id):
        from tracing.erase import erase_tenant_content

        assert Trace.objects.count() == 1
        erase_tenant_content()
    anchor_chains()
    assert verified(tenant).findings == []


def test_only_a_chain_that_moved_gets_a_line(tenant):
    make_trace(tenant)
    make_trace(make_tenant())
    assert (anchor_chains_everywhere(), anchor_chains_everywhere()) == (2, 0)
    make_trace(tenant)
    assert anchor_chains_everywhere() == 1
    assert [(line["kind"], line["n"]) for line in lines()] == [("key", 1), ("anchor", 2), ("anchor", 3), ("anchor", 4)]
    assert file().stat().st_mode & 0o777 == 0o600


def test_before_the_first_anchor_nothing_is_wrong(tenant):
    make_trace(tenant)
    result = verified(tenant)
    assert (result.findings, result.anchor) == ([], None)
    out = StringIO()
    call_command("verify_traces", tenant.slug, stdout=out)
    assert "no anchor yet" in out.getvalue()


def anchored_thrice(tenant) -> None:
    for _ in range(3):
        make_trace(tenant)
        anchor_chains()


def edit(change) -> None:
    file().write_text("".join(f"{line}\n" for line in change(file().read_text().splitlines())))


EDITS = {
    "a sequence turned back": (lambda all_: [*all_[:3], all_[3].replace('"sequence":3', '"sequence":1')], "anchors_altered"),
    "a time": (lambda all_: [all_[0], all_[1].replace('"at":"2', '"at":"1'), *all_[2:]], "anchors_altered"),
    "a line taken out": (lambda all_: [*all_[:2], *all_[3:]], "anchors_altered"),
    "two lines exchanged": (lambda all_: [*all_[:2], all_[3], all_[2]], "anchors_altered"),
    "a line cut in two": (lambda all_: [*all_[:2], all_[2][:40], *all_[3:]], "anchors_altered"),
    "the key taken out": (lambda all_: all_[1:], "anchors_altered"),
    "the key replaced": (lambda all_: [all_[0].replace('"wrapped":"', '"wrapped":"A'), *all_[1:]], "anchors_altered"),
    "a line doubled": (lambda all_: [*all_, all_[3]], "anchors_altered"),
    "nonsense for every line": (lambda all_: ["nonsense" for _ in all_], "anchors_altered"),
    "the last lines cut off": (lambda all_: all_[:3], "anchors_cut"),
    "everything behind the key cut off": (lambda all_: all_[:1], "anchors_cut"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_file_is_named_and_not_sound(tenant, name):
    change, kind = EDITS[name]
    anchored_thrice(tenant)
    edit(change)
    assert [finding.kind for finding in verified(tenant).findings] == [kind]


def test_a_file_that_is_gone_or_unreadable_is_named(tenant):
    anchored_thrice(tenant)
    kept = file().read_bytes()
    file().unlink()
    assert findings(tenant) == [("anchors_missing", 0, None)]
    file().mkdir()
    assert findings(tenant) == [("anchors_missing", 0, None)]
    file().rmdir()
    file().write_bytes(kept)
    assert findings(tenant) == []


@pytest.mark.parametrize("loss", ["missing", "shorter"])
def test_a_lost_file_is_not_silently_begun_anew(tenant, loss):
    anchored_thrice(tenant)
    if loss == "missing":
        file().unlink()
    else:
        edit(lambda all_: all_[:2])
    make_trace(tenant)
    with capture_logs() as logs:
        assert anchor_chains() == 0
    assert [entry["event"] for entry in logs] == ["anchors_not_written"]
    assert not verified(tenant).is_sound
    call_command("anchor_traces", "--new-file", stdout=StringIO())
    assert verified(tenant).findings == []
    assert len(list(file().parent.glob(f"{file().name}.2*"))) == (loss == "shorter")


def test_the_file_of_another_installation_is_named(tenant, settings):
    import base64

    own = settings.MASTER_KEY
    anchored_thrice(tenant)
    settings.ANCHORS = f"{settings.ANCHORS}-other"
    settings.MASTER_KEY = base64.b64encode(b"another installation's 32 bytes!").decode()
    assert make_anchor_lines()
    settings.MASTER_KEY = own
    (finding,) = verified(tenant).findings
    assert (finding.kind, "another installation" in finding.detail) == ("anchors_altered", True)


def make_anchor_lines() -> bool:
    from datetime import UTC, datetime
    from uuid import uuid4

    anchor = anchors.Anchor(anchors.ANCHOR, uuid4(), 7, "00" * 32, datetime.now(UTC))
    with anchors.locked_file(file()):
        return anchors.write_anchors(file(), [anchor], known_lines=0) > 0


def test_a_tenant_that_only_the_anchors_know_is_named(tenant):
    make_trace(tenant)
    anchor_chains()
    make_anchor_lines()
    out = StringIO()
    with pytest.raises(CommandError, match="tampered"):
        call_command("verify_traces", stdout=out)
    assert "anchored, but not in this database" in out.getvalue()
    call_command("verify_traces", tenant.slug, stdout=StringIO())


def test_a_line_that_a_crash_cut_short_stays_and_the_next_one_follows_the_last_whole_one(tenant):
    anchored_thrice(tenant)
    with file().open("ab") as stream:
        stream.write(b'{"kind":"anchor","tenant":"')
    assert findings(tenant) == []
    make_trace(tenant)
    assert anchor_chains() == 1
    assert findings(tenant) == []
    assert read_anchors().lines == 5


def test_a_full_disk_is_logged_and_the_next_run_goes_on(tenant, monkeypatch):
    anchored_thrice(tenant)
    make_trace(tenant)
    real = anchors.os.write
    with monkeypatch.context() as patch:
        patch.setattr(anchors.os, "write", lambda descriptor, data: real(descriptor, data[:30]))
        with capture_logs() as logs:
            assert anchor_chains() == 0
    assert [(entry["event"], "space" in entry["reason"]) for entry in logs] == [("anchors_not_written", True)]
    assert anchor_chains() == 1
    assert findings(tenant) == []


def test_two_writers_at_once_make_one_file(tenant):
    make_trace(tenant)

    def write():
        try:
            for _ in range(5):
                make_anchor_lines()
                anchor_chains()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert read_anchors().trouble == []
    assert [line["n"] for line in lines()] == list(range(1, len(lines()) + 1))
    assert [line["kind"] for line in lines()].count("key") == 1
    assert findings(tenant) == []


def test_the_anchors_outlive_a_change_of_the_master_key(tenant, settings):
    import base64

    anchored_thrice(tenant)
    old = settings.MASTER_KEY
    settings.MASTER_KEY = base64.b64encode(b"the master key of the year after").decode()
    settings.PREVIOUS_MASTER_KEYS = old
    call_command("rotate_keys", "--json", stdout=StringIO())
    settings.PREVIOUS_MASTER_KEYS = ""
    assert [line["kind"] for line in lines()].count("key") == 2
    make_trace(tenant)
    anchor_chains()
    result = verified(tenant)
    assert (result.findings, result.anchor.sequence) == ([], 6)


def test_a_restored_backup_is_named_until_an_operator_accepts_it_and_noted_for_good(tenant, tamper, owner_url):
    make_traces(tenant, 2)
    anchor_chains()
    head = saved_head(owner_url, tenant)
    make_traces(tenant, 2)
    anchor_chains()
    cut(tamper, head, after=2)
    assert findings(tenant) == [("cut", 3, 4)]
    call_command("anchor_traces", "--restored", tenant.slug, stdout=StringIO())
    make_traces(tenant, 3)
    anchor_chains()
    result = verified(tenant)
    assert (result.findings, len(result.notes)) == ([], 1)
    assert result.notes[0].startswith("an operator put the chain back from #4 to #2 on ")


def test_a_database_that_claims_anchors_which_were_never_written_is_named(tenant, tamper):
    """So that nobody can keep the desk from writing them by saying that it has."""
    anchored_thrice(tenant)
    make_trace(tenant)
    tamper("UPDATE tracing_chainhead SET anchored = sequence")
    assert anchor_chains() == 0
    assert findings(tenant) == [("anchors_cut", 0, None)]


def test_a_forged_end_is_not_anchored(tenant, tamper):
    anchored_thrice(tenant)
    make_trace(tenant)
    tamper("UPDATE tracing_chainhead SET mac = sha256(mac)")
    with capture_logs() as logs:
        assert anchor_chains() == 0
    assert [entry["event"] for entry in logs] == ["chain_head_altered"]


def test_a_checkpoint_is_anchored_at_once(tenant):
    make_trace(tenant)
    call_command("export_checkpoint", tenant.slug, stdout=StringIO(), stderr=StringIO())
    assert verified(tenant).anchor.sequence == 2


def test_a_copy_of_the_anchors_that_is_kept_elsewhere_shows_what_both_lost(tenant, tamper, owner_url, tmp_path):
    make_traces(tenant, 2)
    anchor_chains()
    head, short = saved_head(owner_url, tenant), file().read_bytes()
    make_traces(tenant, 2)
    anchor_chains()
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(file().read_bytes())
    # Whoever writes to database and file without any key.
    cut(tamper, head, after=2)
    file().write_bytes(short)
    assert findings(tenant) == []
    out = StringIO()
    with pytest.raises(CommandError, match="tampered"):
        call_command("verify_traces", tenant.slug, "--anchors", str(copy), stdout=out)
    assert "#3 to #4: cut" in out.getvalue()


def test_the_api_compares_with_the_anchors_too(tenant, tamper, owner_url):
    key = make_api_key(tenant)
    head = saved_head(owner_url, tenant)
    make_traces(tenant, 2)
    anchor_chains()
    sound = api_call("POST", "/api/v1/traces/verify", key).json()
    assert (sound["is_sound"], sound["anchor"]["sequence"], sound["notes"]) == (True, 3, [])
    cut(tamper, head, after=1)
    found = api_call("POST", "/api/v1/traces/verify", key).json()
    (finding,) = found["findings"]
    assert (found["is_sound"], finding["kind"], finding["sequence"], finding["last"]) == (False, "cut", 2, 3)


def test_answers_and_anchors_that_come_while_the_chain_is_read_are_no_findings(tenant):
    from helpdesk.tenants.scope import tenant_snapshot
    from tracing.verify import verify_chain

    anchored_thrice(tenant)
    log = read_anchors()
    make_trace(tenant)
    anchor_chains()
    with tenant_snapshot(tenant.id):
        assert ChainHead.objects.get().anchor_line > log.lines
        assert verify_chain(log).findings == []


def test_switched_off_anchors_are_said_to_be_off(tenant, settings):
    settings.ANCHORS = ""
    make_trace(tenant)
    assert anchor_chains() == 0
    out = StringIO()
    call_command("verify_traces", tenant.slug, stdout=out)
    assert "not compared with anchors" in out.getvalue()
    with pytest.raises(CommandError, match="switched off"):
        call_command("anchor_traces")
