"""Records of earlier formats, as the desk of those days stored them, and what format 4 added."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from conversations.models import Assistant, Reply
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.frozen import RENAMED, SINCE, TENANT, insert_frozen_rows
from tests.integration.tracing.rows import claimed_reply, make_trace, make_traces, store_answer
from tests.integration.tracing.vault import findings, opened, tamperer, verified
from tests.unit.tracing.samples import ANSWER, make_content, make_record
from tracing.columns import column_words
from tracing.export import csv as table
from tracing.export.html import trace_page as html_file
from tracing.export.jsonl import plain_trace
from tracing.export.otlp_attributes import root_attributes
from tracing.export.readers import ShellReader
from tracing.export.rows import exported_traces
from tracing.models import Trace
from tracing.queries import TraceFilter, trace_page

pytestmark = pytest.mark.django_db(transaction=True)
NEW = ("purpose", "assistant_id", "assistant_version", "variant")


@pytest.fixture
def frozen(owner_url):
    insert_frozen_rows(owner_url, since=SINCE, renamed=RENAMED)
    return Tenant.objects.get(id=TENANT)


def exported(tenant, **wanted):
    reader = ShellReader("an export for a test")
    return list(exported_traces(tenant.id, TraceFilter(**wanted), reader=reader))


def test_rows_that_formats_2_and_3_stored_verify_and_open(frozen):
    with tenant_atomic(frozen.id):
        traces = list(Trace.objects.order_by("sequence"))
    assert [trace.format for trace in traces] == [2, 3, 3, 3]
    result = verified(frozen)
    assert (result.traces, result.findings) == (4, [])
    contents = [opened(frozen, trace).content for trace in traces]
    assert contents[:2] == [make_content()] * 2
    assert [content.answer for content in contents] == [
        ANSWER, ANSWER, "I could not find this in our articles.", ANSWER,
    ]  # fmt: skip
    assert contents[3].cached is not None


def test_a_chain_goes_on_from_rows_of_all_earlier_formats(frozen):
    old = make_format1_trace(frozen)
    new = make_trace(frozen)
    assert (old.format, new.format) == (1, 4)
    result = verified(frozen)
    assert (result.traces, result.findings) == (6, [])


def test_rows_of_earlier_formats_are_exported_in_every_way(frozen):
    make_format1_trace(frozen)
    rows = exported(frozen)
    assert [row.trouble for row in rows] == [None] * 5
    for row in rows:
        with tenant_atomic(frozen.id):
            plain = plain_trace(row, tenant="frozen")
            # The frozen analysis was a test's, of no shape that a page knows.
            page = html_file(replace(row, opened=replace(row.opened, analyses=())), tenant="frozen").decode()
        assert [plain["trace"][name] for name in NEW] == ["answer", None, None, ""]
        assert plain["content"]["question"] == make_content().question
        attributes = root_attributes(row)
        assert attributes["glassdesk.purpose"] == "answer"
        assert "glassdesk.assistant.id" not in attributes
        assert plain["content"]["answer"] in page


@pytest.mark.parametrize("sequence", [1, 2])
@pytest.mark.parametrize(
    "change",
    [
        "purpose = 'test'", "assistant_id = (SELECT id FROM conversations_assistant)", "assistant_version = 1",
        "variant = 'b'",
    ],
)  # fmt: skip
def test_a_row_of_an_earlier_format_takes_no_later_column_unnoticed(frozen, owner_url, sequence, change):
    tamperer(owner_url, frozen)(f"UPDATE tracing_trace SET {change} WHERE sequence = {sequence}")
    assert findings(frozen) == [("altered", "trace", sequence)]


@pytest.mark.parametrize(
    "change", ["purpose = 'test'", "assistant_id = NULL", "assistant_version = 7", "variant = 'b'"]
)
def test_who_wrote_it_and_what_for_is_part_of_the_link(owner_url, change):
    tenant = make_tenant()
    make_traces(tenant, 2)
    tamperer(owner_url, tenant)(f"UPDATE tracing_trace SET {change} WHERE sequence = 1")
    assert findings(tenant) == [("altered", "trace", 1)]


def test_a_record_names_the_assistant_the_version_the_variant_and_the_purpose_of_its_reply():
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        Assistant.objects.update(version=4)
    reply = claimed_reply(tenant)
    reply.variant = "b"
    trace = store_answer(reply, make_record())
    with tenant_atomic(tenant.id):
        assistant = Assistant.objects.get()
        assert [getattr(trace, name) for name in NEW] == ["answer", assistant.id, 4, "b"]
        assert column_words(trace) == [
            ("Purpose", "Answer"), ("Assistant", "Moss"), ("Assistant, version", "4"), ("Variant", "b"),
        ]  # fmt: skip


def test_the_new_columns_stand_in_the_table_and_in_opentelemetry():
    tenant = make_tenant()
    trace = make_trace(tenant)
    (row,) = exported(tenant)
    lines = csv.DictReader(io.StringIO((table.header_row() + table.trace_row(row.trace)).decode("utf-8-sig")))
    line = next(lines)
    assert [line[name] for name in NEW] == ["answer", str(trace.assistant_id), "1", ""]
    attributes = root_attributes(row)
    assert attributes["glassdesk.assistant.id"] == str(trace.assistant_id)
    assert attributes["glassdesk.assistant.version"] == 1
    assert "glassdesk.variant" not in attributes


@pytest.fixture
def answer_and_draft():
    tenant = make_tenant()
    answer = make_trace(tenant)
    reply = claimed_reply(tenant)
    with tenant_atomic(tenant.id):
        Reply.objects.filter(id=reply.id).update(purpose="draft")
    reply.purpose = "draft"
    return tenant, answer, store_answer(reply, make_record())


def test_lists_and_exports_hold_the_customers_answers_unless_another_purpose_is_wanted(answer_and_draft):
    tenant, answer, draft = answer_and_draft
    with tenant_atomic(tenant.id):
        found = {
            purpose: [row.id for row in trace_page(replace(TraceFilter(), purpose=purpose)).rows]
            for purpose in ("answer", "draft", "all")
        }
        assert [row.id for row in trace_page(TraceFilter()).rows] == [answer.id]
    assert found == {"answer": [answer.id], "draft": [draft.id], "all": [draft.id, answer.id]}
    assert [row.trace.id for row in exported(tenant)] == [answer.id]


def test_the_record_of_one_reply_is_exported_whatever_it_was_for(answer_and_draft):
    tenant, _answer, draft = answer_and_draft
    found = exported_traces(tenant.id, TraceFilter(), reader=ShellReader(), reply_id=draft.reply_id)
    assert [row.trace.id for row in found] == [draft.id]
