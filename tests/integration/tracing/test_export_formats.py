"""Each format of an export, and how sets are read for it."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from conversations.models import Outcome
from helpdesk.pages.spreadsheets import text_row
from helpdesk.tenants.scope import TenantScopeMissing, tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.exporting import REASON, RESULTS, analyse, erase, exported, log_of
from tests.integration.tracing.format1 import make_format1_trace
from tests.integration.tracing.rows import make_trace, make_traces
from tests.integration.tracing.vault import aged_trace, tamperer
from tests.unit.tracing.samples import (
    ANSWER,
    PASSAGE,
    SENTINEL,
    make_candidate,
    make_content,
    make_record,
    make_refusal,
    make_token,
)
from tracing.analysis_content import analysis_result
from tracing.content import TraceContent
from tracing.export import csv as csv_format
from tracing.export import rows
from tracing.export.html import trace_page
from tracing.export.jsonl import trace_document, trace_line
from tracing.export.readers import ShellReader
from tracing.export.rows import exported_traces
from tracing.models import TraceAccess
from tracing.plain import from_plain
from tracing.queries import TraceFilter
from tracing.reasons import ReasonMissing
from tracing.retention import apply_retention, set_policy
from tracing.verify import verify_chain

pytestmark = pytest.mark.django_db
HOSTILE = "</style></title><script>alert(1)</script><img src=x onerror=alert(2)>\u2028=2+2"


@pytest.fixture
def tenant():
    return make_tenant()


def line_of(one, tenant):
    line = trace_line(one, tenant=tenant.slug)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    return json.loads(line)


def page_of(one, tenant):
    with tenant_atomic(tenant.id):
        return trace_page(one, tenant=tenant.slug).decode()


def test_a_line_holds_the_whole_content_and_reads_back_equal(tenant):
    hostile = make_content(question=HOSTILE, answer="a\nb\r\n\u2029c")
    trace = make_trace(tenant, make_record(hostile))
    line = line_of(exported(tenant)[0], tenant)
    assert line["schema"] == "glassdesk.trace/1"
    assert from_plain(TraceContent, line["content"]) == hostile
    assert (line["error"], line["deleted"], line["analyses"]) == (None, [], [])
    assert line["trace"]["id"] == str(trace.id)
    assert line["trace"]["steps"] == trace.steps
    assert line["trace"]["total_ms"] == 901.25
    assert line["integrity"]["chain"] == bytes(trace.chain).hex()
    assert line["integrity"]["sequence"] == trace.sequence == 1


def test_a_line_holds_the_analyses(tenant):
    analyse(make_trace(tenant))
    line = line_of(exported(tenant)[0], tenant)
    found = [analysis_result(each["kind"], each["content"]) for each in line["analyses"]]
    assert found == list(RESULTS.values())
    assert line["analyses"][0]["figures"] == {"passes": 2}


def test_a_document_is_the_same_object_as_the_line(tenant):
    make_trace(tenant)
    one = exported(tenant)[0]
    assert json.loads(trace_document(one, tenant=tenant.slug)) == line_of(one, tenant)


def test_without_a_reason_a_line_holds_no_content_and_nothing_is_logged(tenant):
    make_trace(tenant)
    line = json.dumps(line_of(exported(tenant, reason=None)[0], tenant))
    assert [secret for secret in (SENTINEL, ANSWER, "How long") if secret in line] == []
    assert log_of(tenant) == []


def test_an_erased_trace_has_a_line_that_says_so_and_the_others_follow(tenant):
    traces = make_traces(tenant, 3)
    erase(traces[1])
    lines = [line_of(one, tenant) for one in exported(tenant)]
    assert [line["trace"]["id"] for line in lines] == [str(trace.id) for trace in reversed(traces)]
    assert [line["error"] and line["error"]["code"] for line in lines] == [None, "trace_erased", None]
    assert lines[1]["content"] is None
    assert lines[1]["integrity"]["erased_at"]
    assert lines[2]["content"]["answer"] == ANSWER
    assert log_of(tenant) == [
        (traces[2].id, REASON, True),
        (traces[1].id, REASON, False),
        (traces[0].id, REASON, True),
    ]


def test_sections_that_retention_emptied_are_named(tenant, monkeypatch):
    aged_trace(tenant, 40, monkeypatch)
    with tenant_atomic(tenant.id):
        set_policy(prompts=30, answers=60, metrics=None)
    apply_retention(tenant.id)
    one = exported(tenant)[0]
    line, page = line_of(one, tenant), page_of(one, tenant)
    assert [gone["kind"] for gone in line["deleted"]] == ["prompts"]
    assert (line["content"]["question"], line["content"]["answer"], line["error"]) == ("", ANSWER, None)
    assert "Deleted under the retention policy." in page
    assert SENTINEL not in page


@pytest.mark.django_db(transaction=True)
def test_altered_content_has_a_line_that_says_so(tenant, owner_url):
    make_traces(tenant, 2)
    tamperer(owner_url, tenant)(
        "UPDATE tracing_trace SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) WHERE sequence = 1"
    )
    lines = [line_of(one, tenant) for one in exported(tenant)]
    assert [line["error"] and line["error"]["code"] for line in lines] == [None, "trace_unreadable"]
    assert (lines[1]["content"], lines[1]["analyses"]) == (None, [])
    assert [entry[2] for entry in log_of(tenant)] == [True, False]


def test_every_exported_trace_has_one_entry_in_a_sound_chain(tenant, monkeypatch):
    monkeypatch.setattr(rows, "OPENED_AT_ONCE", 2)
    make_traces(tenant, 5)
    assert len(exported(tenant)) == 5
    assert sorted(entry[1:] for entry in log_of(tenant)) == [(REASON, True)] * 5
    with tenant_atomic(tenant.id):
        assert verify_chain(None).is_sound


def test_sets_are_read_in_portions_and_nothing_stays_open_between_them(tenant, monkeypatch):
    monkeypatch.setattr(rows, "ROWS_AT_ONCE", 2)
    traces = make_traces(tenant, 4)
    stranger = make_trace(make_tenant())
    stream = exported_traces(tenant.id, TraceFilter(), reader=ShellReader())
    found = [next(stream)]
    with pytest.raises(TenantScopeMissing):
        TraceAccess.objects.count()
    make_trace(tenant)
    found += stream
    assert [one.trace.id for one in found] == [trace.id for trace in reversed(traces)]
    assert stranger.id not in {one.trace.id for one in found}


def test_a_limit_opens_no_more_than_it_hands_out(tenant):
    make_traces(tenant, 3)
    assert len(list(exported_traces(tenant.id, TraceFilter(), reader=ShellReader(REASON), limit=2))) == 2
    assert len(log_of(tenant)) == 2


def test_the_number_of_queries_for_metrics_does_not_grow_with_the_rows(tenant):
    make_trace(tenant)
    with CaptureQueriesContext(
        connection,
    ) as few:
        exported(tenant, reason=None)
    make_traces(tenant, 5)
    with CaptureQueriesContext(connection) as many:
        assert len(exported(tenant, reason=None)) == 6
    assert len(many) == len(few)


def test_filters_choose_by_plain_columns(tenant):
    answered = make_trace(tenant)
    refused = make_trace(tenant, make_record(make_refusal(), outcome=Outcome.REFUSED))
    chinese = make_trace(tenant, make_record(make_content(language="zh")))
    by_filter = [
        ({"outcome": "refused"}, [refused]),
        ({"band": "high"}, [chinese, answered]),
        ({"language": "zh"}, [chinese]),
        ({"reply_id": answered.reply_id}, [answered]),
        ({"since": refused.created_at.date() + timedelta(days=1)}, []),
        ({"until": refused.created_at.date() - timedelta(days=1)}, []),
    ]
    for filters, expected in by_filter:
        found = exported(tenant, reason=None, **filters)
        assert [one.trace.id for one in found] == [trace.id for trace in expected], filters


def test_a_shell_needs_a_reason_that_can_be_seen():
    with pytest.raises(ReasonMissing):
        ShellReader("  x ")


def table_of(tenant):
    text = csv_format.header_row() + b"".join(csv_format.trace_row(one.trace) for one in exported(tenant, reason=None))
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def test_csv_has_the_metrics_and_no_content(tenant):
    trace = make_trace(tenant)
    (row,) = table_of(tenant)
    assert row["reply_id"] == str(trace.reply_id)
    assert (row["total_ms"], row["prompt_tokens"], row["first_token_ms"]) == ("901.25", "5", "250.5")
    assert row["steps_ms"] == "retrieve=38.4; prompt=2.1; first_token=210.0; decode=640.0"
    assert not [secret for secret in (SENTINEL, ANSWER, PASSAGE) if secret in str(row)]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", '=HYPERLINK("http://x")']
)
def test_csv_text_never_begins_like_a_formula(tenant, name):
    engine = replace(make_content().engine, model=name)
    make_trace(tenant, make_record(make_content(engine=engine)))
    (row,) = table_of(tenant)
    assert row["model"] == "'" + name


def test_csv_keeps_numbers_numbers_and_quotes_what_it_must():
    assert text_row([-1.5, 0, None, 'a,"b"', "Ünïcode 中文"]).decode() == '-1.5,0,,"a,""b""",Ünïcode 中文\r\n'


class Elements(HTMLParser):
    """What a browser would see: elements, attributes and text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_shows_the_whole_report(tenant):
    trace = make_trace(tenant)
    analyse(trace)
    page = page_of(exported(tenant)[0], tenant)
    elements = Elements(page)
    text = "".join(elements.text)
    assert text.count("".join(token.text for token in make_content().tokens)) >= 2
    for shown in (
        SENTINEL,
        "Delivery 3",
        "Islands take",
        "delivery duration",
        "packaged-chat",
        bytes(trace.chain).hex(),
    ):
        assert text.count(shown) >= 2, shown
    for heading in (
        "Which passage led to each sentence",
        "Replay and alternatives",
        "What confidence is made of",
        "Timeline",
    ):
        assert heading in text, heading
    titles = [attributes["title"] for tag, attributes in elements.found if "title" in attributes]
    assert len(titles) == 16
    assert titles[4].splitlines()[0] == "6.0 % (#1)"
    assert any("␣about" in line for line in titles[4].splitlines())
    assert page.count('class="token token-4"') == 4


def test_the_page_asks_for_nothing_and_runs_nothing(tenant):
    analyse(make_trace(tenant))
    page = page_of(exported(tenant)[0], tenant)
    elements = Elements(page)
    assert {tag for tag, _ in elements.found} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "form",
        "a",
        "base",
    } == set()
    names = {name for _, attributes in elements.found for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in {"href", "src", "style", "xlink:href"}}
    assert re.findall(r"https?:|//[a-z]|url\(|@import", page) == []
    assert "default-src 'none'" in page


def test_the_page_escapes_hostile_text_everywhere(tenant):
    candidate = make_candidate(
        1, used=True, title=HOSTILE, heading=HOSTILE, slug=HOSTILE, text=HOSTILE, quoted=((0, 9),)
    )
    content = make_content(
        question=HOSTILE,
        search_query=HOSTILE,
        answer=HOSTILE,
        candidates=(candidate,),
        tokens=(make_token(HOSTILE, 0.4), make_token('" onmouseover="alert(3)', 0.2)),
        embedder={HOSTILE: HOSTILE},
        topics=(HOSTILE,),
    )
    analyse(make_trace(tenant, make_record(content)))
    elements = Elements(page_of(exported(tenant)[0], tenant))
    assert {tag for tag, _ in elements.found} & {"script", "img", "b"} == set()
    assert not {name for _, attributes in elements.found for name in attributes if name.startswith("on")}
    assert [tag for tag, _ in elements.found].count("style") == 1
    assert "".join(elements.text).count("<script>alert(1)</script>") > 10


def test_the_page_has_both_languages_and_opens_in_the_active_one(tenant):
    make_trace(tenant)
    one = exported(tenant)[0]
    for code, key in (("en", "en"), ("zh-hans", "zh"), ("fr", "en")):
        with override(code):
            elements = Elements(page_of(one, tenant))
        checked = [attributes["id"] for tag, attributes in elements.found if "checked" in attributes]
        assert checked == [f"show-{key}"], code
    text = "".join(elements.text)
    assert "Why this answer?" in text
    assert "为什么" in text


def test_pages_of_a_refusal_an_erased_and_an_old_trace(tenant):
    erase(make_trace(tenant))
    make_trace(tenant, make_record(make_refusal(), outcome=Outcome.REFUSED, first_token_ms=None, finish_reason=""))
    make_format1_trace(tenant)
    old, refusal, erased = [page_of(one, tenant) for one in exported(tenant)]
    assert "Nothing was generated" in refusal
    assert "No prompt was sent" in refusal
    assert "The content was erased" in erased
    assert ANSWER not in erased
    assert SENTINEL in old
