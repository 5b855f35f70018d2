"""`manage.py export_traces`: files, folders, an OTLP receiver, and refusals that open nothing."""

from __future__ import annotations

import json
import socket
import stat
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from helpdesk.tenants.scope import tenant_atomic
from tests.factories import make_tenant
from tests.integration.tracing.exporting import REASON, erase, log_of
from tests.integration.tracing.otlp_receiver import attributes, receiving
from tests.integration.tracing.rows import make_trace, make_traces
from tests.unit.tracing.samples import ANSWER, PASSAGE, SENTINEL, make_content, make_record, make_refusal
from tracing.models import Trace

pytestmark = pytest.mark.django_db
OPENED = ("--content", "--reason", REASON)


@pytest.fixture
def tenant():
    return make_tenant()


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


def export(tenant, *arguments):
    """Standard output and standard error."""
    out, trouble = StringIO(), StringIO()
    call_command("export_traces", tenant.slug, *map(str, arguments), stdout=out, stderr=trouble)
    return out.getvalue(), trouble.getvalue()


def test_jsonl_goes_to_standard_output_or_to_a_private_file(tenant, tmp_path):
    traces, file = make_traces(tenant, 2), tmp_path / "traces.jsonl"
    printed, said = export(tenant, "--format", "jsonl", *OPENED)
    _, also_said = export(tenant, "--format", "jsonl", "--out", file, *OPENED)
    for text in (printed, file.read_text()):
        assert [json.loads(line)["trace"]["id"] for line in text.splitlines()] == [str(t.id) for t in reversed(traces)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"{tenant.slug}: 2 traces exported to standard output" in said
    assert str(file) in also_said
    assert len(log_of(tenant)) == 4


def test_without_content_nothing_is_opened(tenant):
    make_trace(tenant)
    printed = "".join(export(tenant, "--format", kind)[0] for kind in ("jsonl", "csv"))
    assert ANSWER not in printed
    assert log_of(tenant) == []


def test_filters_and_one_reply(tenant):
    traces = make_traces(tenant, 2)
    day = traces[0].created_at.date()
    by_arguments = {
        ("--reply", str(traces[0].reply_id)): 1,
        ("--outcome", "refused"): 0,
        ("--since", str(day), "--until", str(day), "--model", "glassdesk/packaged-chat"): 2,
        ("--until", str(day - timedelta(days=1))): 0,
    }
    for arguments, expected in by_arguments.items():
        assert len(export(tenant, "--format", "jsonl", *arguments)[0].splitlines()) == expected, arguments


def test_html_makes_one_file_for_each_trace(tenant, tmp_path):
    traces = make_traces(tenant, 3)
    erase(traces[0])
    _, said = export(tenant, "--format", "html", "--out", tmp_path / "new" / "folder", *OPENED)
    files = sorted((tmp_path / "new" / "folder").iterdir())
    assert [file.name for file in files] == [f"glassdesk-{tenant.slug}-trace-{t.sequence}.html" for t in traces]
    pages = [file.read_text() for file in files]
    assert [SENTINEL in page for page in pages] == [False, True, True]
    assert "The content was erased" in pages[0]
    assert "1 of them could not be opened" in said


@pytest.mark.parametrize(
    ("arguments", "trouble"),
    [
        (["--format", "jsonl", "--content"], "--content needs --reason"),
        (["--format", "jsonl", "--content", "--reason", "abc"], "at least 5 characters"),
        (["--format", "csv", *OPENED], "csv holds metrics only"),
        (["--format", "html", "--out", "x"], "add --content"),
        (["--format", "html", *OPENED], "name a folder"),
        (["--format", "otlp", *OPENED], "--endpoint"),
        (["--format", "otlp", "--endpoint", "nonsense", *OPENED], "no http or https address"),
        (["--format", "jsonl", "--endpoint", "http://127.0.0.1:1", *OPENED], "--endpoint is for otlp"),
        (["--format", "jsonl", "--out", "/nowhere/at/all.jsonl", *OPENED], "cannot be written"),
        (["--format", "jsonl", "--since", "yesterday"], "since"),
    ],
)
def test_refusals_say_why_and_open_nothing(tenant, arguments, trouble):
    make_trace(tenant)
    with pytest.raises(CommandError, match=trouble):
        export(tenant, *arguments)
    assert log_of(tenant) == []


def test_an_unknown_tenant_is_an_error():
    with pytest.raises(CommandError, match="no tenant nobody"):
        call_command("export_traces", "nobody", "--format", "csv")


def test_an_endpoint_where_nobody_listens_opens_nothing(tenant):
    make_trace(tenant)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(CommandError, match=r"cannot be reached.*Nothing was opened"):
        export(tenant, "--format", "otlp", "--endpoint", url, *OPENED)
    assert log_of(tenant) == []


def test_a_password_in_the_address_is_not_printed(tenant, receiver):
    make_trace(tenant)
    url = receiver.url.replace("http://", "http://somebody:secret@")
    _, said = export(tenant, "--format", "otlp", "--endpoint", url)
    assert "secret" not in said
    assert len(receiver.requests) == 1


def test_a_receiver_that_refuses_stops_the_export(tenant, receiver):
    make_traces(tenant, 2)
    receiver.status = 400
    with pytest.raises(CommandError, match=r"did not take the spans.*#2"):
        export(tenant, "--format", "otlp", "--endpoint", receiver.url, *OPENED)


def spans_by_name(receiver):
    return {span.name: span for span in receiver.spans}


def nanoseconds(moment):
    return round(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1000


def test_spans_have_the_recorded_times_and_parents(tenant, receiver):
    trace = make_trace(tenant)
    _, said = export(tenant, "--format", "otlp", "--endpoint", receiver.url)
    assert receiver.paths == ["/v1/traces"]
    assert f"{receiver.url}/v1/traces" in said
    spans = spans_by_name(receiver)
    with tenant_atomic(tenant.id):
        claimed = nanoseconds(Trace.objects.select_related("reply").get(id=trace.id).reply.claimed_at)
    milliseconds = {
        name: ((span.start_time_unix_nano - claimed) / 1e6, (span.end_time_unix_nano - claimed) / 1e6)
        for name, span in spans.items()
    }
    assert milliseconds == {
        "answer": (-12.5, 901.25),
        "queue": (-12.5, 0.0),
        "retrieve": (0.0, 38.4),
        "prompt": (38.4, 40.5),
        "chat glassdesk/packaged-chat": (40.5, 890.5),
        "first_token": (40.5, 250.5),
        "decode": (250.5, 890.5),
    }
    root, generation = spans["answer"], spans["chat glassdesk/packaged-chat"]
    assert {span.trace_id for span in spans.values()} == {trace.id.bytes}
    assert len({span.span_id for span in spans.values()}) == 7
    parents = {name: span.parent_span_id for name, span in spans.items()}
    assert parents.pop("answer") == b""
    assert (parents.pop("first_token"), parents.pop("decode")) == (generation.span_id,) * 2
    assert set(parents.values()) == {root.span_id}
    assert receiver.resource()["service.name"] == "glassdesk"
    assert receiver.resource()["openinference.project.name"] == f"glassdesk-{tenant.slug}"


def test_spans_without_content_hold_counts_and_no_word_of_it(tenant, receiver):
    trace = make_trace(tenant)
    export(tenant, "--format", "otlp", "--endpoint", receiver.url)
    found = {name: attributes(span) for name, span in spans_by_name(receiver).items()}
    sent = str(receiver.requests)
    assert [secret for secret in (SENTINEL, ANSWER, PASSAGE, "How long", "delivery") if secret in sent] == []
    assert log_of(tenant) == []
    generation = found["chat glassdesk/packaged-chat"]
    assert {
        "openinference.span.kind": "LLM",
        "llm.model_name": "glassdesk/packaged-chat",
        "llm.token_count.prompt": 5,
        "llm.token_count.completion": 8,
        "llm.token_count.total": 13,
        "llm.token_count.prompt_details.cache_read": 3,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "glassdesk",
        "gen_ai.request.model": "glassdesk/packaged-chat",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 8,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.21,
    }.items() <= generation.items()
    assert found["retrieve"]["openinference.span.kind"] == "RETRIEVER"
    assert found["retrieve"]["gen_ai.operation.name"] == "retrieval"
    root = found["answer"]
    assert root["openinference.span.kind"] == "CHAIN"
    assert root["session.id"] == root["gen_ai.conversation.id"] == str(trace.conversation_id)
    assert root["glassdesk.chain.link"] == bytes(trace.chain).hex()


def test_spans_with_content_hold_messages_documents_and_parameters(tenant, receiver):
    make_trace(tenant)
    export(tenant, "--format", "otlp", "--endpoint", f"{receiver.url}/v1/traces", *OPENED)
    assert receiver.paths == ["/v1/traces"]
    found = {name: attributes(span) for name, span in spans_by_name(receiver).items()}
    content, root, search = make_content(), found["answer"], found["retrieve"]
    assert (root["input.value"], root["output.value"]) == (content.question, ANSWER)
    assert search["input.value"] == search["gen_ai.retrieval.query.text"] == "delivery duration"
    assert search["retrieval.documents.0.document.id"] == content.candidates[0].chunk
    assert search["retrieval.documents.2.document.content"] == PASSAGE
    assert search["retrieval.documents.1.document.score"] == content.candidates[1].scores["fused"].score
    assert json.loads(search["retrieval.documents.0.document.metadata"])["used"] is True
    assert [each["id"] for each in json.loads(search["gen_ai.retrieval.documents"])] == [
        candidate.chunk for candidate in content.candidates
    ]
    generation = found["chat glassdesk/packaged-chat"]
    assert (generation["input.value"], generation["output.value"]) == (content.prompt.text, ANSWER)
    assert generation["llm.input_messages.0.message.role"] == "system"
    assert generation["llm.output_messages.0.message.content"] == ANSWER
    assert json.loads(generation["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "How long?"}]}
    ]
    assert SENTINEL in json.loads(generation["gen_ai.system_instructions"])[0]["content"]
    assert json.loads(generation["gen_ai.output.messages"])[0]["finish_reason"] == "stop"
    assert (generation["gen_ai.request.temperature"], generation["gen_ai.request.seed"]) == (0.0, 0)
    assert json.loads(generation["llm.invocation_parameters"])["max_tokens"] == 256
    assert log_of(tenant)[0][1:] == (REASON, True)


def test_a_refusal_has_no_generation_and_an_erased_trace_says_so(tenant, receiver):
    make_trace(tenant, make_record(make_refusal(), first_token_ms=None, finish_reason=""))
    erase(make_trace(tenant))
    _, said = export(tenant, "--format", "otlp", "--endpoint", receiver.url, *OPENED)
    erased, refusal = receiver.requests
    names = [[span.name for span in each.resource_spans[0].scope_spans[0].spans] for each in (erased, refusal)]
    assert names[1] == ["answer", "queue", "retrieve"]
    root = erased.resource_spans[0].scope_spans[0].spans[0]
    assert attributes(root)["glassdesk.content.error"] == "trace_erased"
    assert root.status.message == "trace_erased"
    assert "1 of them could not be opened" in said


def test_a_second_export_is_the_same_spans(tenant, receiver):
    make_trace(tenant)
    for _ in range(2):
        export(tenant, "--format", "otlp", "--endpoint", receiver.url)
    first, second = receiver.requests
    assert first == second
