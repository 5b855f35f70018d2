"""What every endpoint serves against what the description says of it: no member more, none less, and all of their kinds."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from batches.models import Batch, BatchItem
from conversations import replies
from conversations.domain import begin_visit
from conversations.failures import FailureCode
from conversations.feedback import give_feedback
from conversations.models import Conversation, Message, Reply, Survey
from conversations.shapes import MessageShape
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from knowledge.domain import publish_article, save_article
from tests.api_access import api_call
from tests.factories import make_api_key, make_tenant, make_user
from tests.integration.batches.jobs import submit
from tests.integration.tracing.exporting import analyse, erase
from tests.integration.tracing.rows import make_trace
from tests.unit.tracing.samples import make_content, make_record
from tracing.api.shapes import VerificationShape
from tracing.content import CachedAnswer
from tracing.findings import Finding, LastAnchor, Verification
from tracing.models import AnalysisJob, Trace, TraceAnalysis

pytestmark = pytest.mark.django_db(transaction=True)

API = "/api/v1"
# Streams and files; what their lines hold is tested where they are written.
PAGED = {
    "list_batches", "read_batch_results", "list_conversations", "list_messages", "list_articles", "list_traces",
    "list_analyses",
}  # fmt: skip
LAST = {"delete_conversation", "cancel_batch"}
# What takes a damaged chain, an anchor outside, a refusal, or a row of an earlier release to be there.
NEVER_HERE: set[tuple[str, str, bool]] = {
    ("Verification", "anchor", False),
    ("Exported", "content", True),
    ("Exported", "error", False),
    ("Result", "finished_at", True),
    *((trace, name, True) for trace in ("Trace", "TraceDetail") for name in ("assistant_id", "assistant_version")),
}
NOT_JSON = {"follow_reply", "download_batch_results", "export_trace_figures", "export_trace_contents"}
FORMATS = FormatChecker(["uuid"])
FORMATS.checks("date-time", raises=ValueError)(lambda text: not isinstance(text, str) or datetime.fromisoformat(text))


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Client().get(f"{API}/openapi.json").content)
    return closed(found)


def closed(part: Any) -> Any:
    """The description, with nothing in an object that it does not name."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {name: closed(value) for name, value in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        found["additionalProperties"] = False
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield operation["operationId"], method.upper(), path, operation["responses"]


def rich_tenant() -> tuple[Tenant, str, dict[str, str]]:
    """A desk in which every member that may be null is null somewhere and is not somewhere else."""
    tenant = make_tenant()
    key = make_api_key(tenant, requests_per_minute=10_000)
    visitor = begin_visit(tenant.id)
    trace = make_trace(tenant, visitor_id=visitor)
    analyse(trace)
    cached = CachedAnswer(trace=str(trace.id), reply=str(trace.reply_id), kind="exact", similarity=1.0)
    again = make_trace(tenant, make_record(make_content(cached=cached), first_token_ms=None))
    erase(again)
    source = {
        "number": 1, "article": str(uuid.uuid4()), "version": 2, "chunk": str(uuid.uuid4()), "title": "Delivery",
        "heading": "", "language": "en", "quote": "Two days.", "passage": "Two days. Or three.",
        "updated_at": "2026-11-30T08:00:00+00:00",
    }  # fmt: skip
    with tenant_atomic(tenant.id):
        answer_id = Reply.objects.get(id=trace.reply_id).answer_id
        Message.objects.filter(id=answer_id).update(
            sources=[source], cache="exact", confidence_band="high", seconds=1.5
        )
    given = {"rating": "down", "reason": "wrong", "comment": "It never came."}
    give_feedback(tenant_id=tenant.id, visitor_id=visitor, message_id=answer_id, **given)
    asked = [ask(key, customer) for customer in ({"customer": "c-17"}, {})]
    with tenant_atomic(tenant.id):
        failed = Reply.objects.get(id=asked[1]["reply"]["id"])
    replies.fail_reply(tenant_id=tenant.id, reply_id=failed.id, attempt=failed.attempt, code=FailureCode.ENGINE)
    version = save_article(tenant_id=tenant.id, title="Delivery", body="Two days.", language="en")
    publish_article(tenant_id=tenant.id, article_id=version.article_id)
    other = save_article(tenant_id=tenant.id, title="Returns", body="Free.", language="en", category="Orders")
    publish_article(tenant_id=tenant.id, article_id=other.article_id)
    open_reply = ask(key, {"customer": "c-19"})["reply"]
    ids = {
        "conversation_id": str(trace.conversation_id),
        "reply_id": str(trace.reply_id),
        "trace_id": str(trace.id),
        "article_id": str(version.article_id),
        "other_article_id": str(other.article_id),
        "erased_trace_id": str(again.id),
        "batch_id": str(submit(tenant, count=2).id),
        "asked_conversation_id": open_reply["conversation"],
        "asked_reply_id": open_reply["id"],
        "failed_conversation_id": asked[1]["reply"]["conversation"],
        "failed_reply_id": asked[1]["reply"]["id"],
    }
    return tenant, key, ids


def ask(key: str, begun: dict[str, str]) -> dict[str, Any]:
    conversation = api_call("POST", f"{API}/conversations", key, begun).json()["id"]
    asked: dict[str, Any] = api_call(
        "POST", f"{API}/conversations/{conversation}/messages", key, {"body": "Hello?"}
    ).json()
    return asked


BODIES: dict[str, dict[str, Any]] = {
    "begin_conversation": {"customer": "c-18"},
    "ask": {"body": "And now?"},
    "open_trace": {"reason": "complaint 4711"},
    "analyse_trace": {"kind": "replay"},
    "rate_answer": {"rating": "up"},
    "submit_batch": {"items": [{"question": "Hello?"}]},
}


def enrich(tenant: Tenant, ids: dict[str, str]) -> None:
    """States that take an engine, a feeder or years to come about."""
    now = timezone.now()
    with tenant_atomic(tenant.id):
        trace = Trace.objects.get(id=ids["trace_id"])
        Conversation.objects.filter(id=trace.conversation_id).update(assignee=make_user(tenant), status="person")
        snoozed = {"parked": "snoozed", "wakes_at": now + timedelta(days=1)}
        Conversation.objects.filter(id=ids["failed_conversation_id"]).update(status="person", **snoozed)
        translated = [{**source, "translation": "加急配送"} for source in trace.reply.answer.sources]
        Message.objects.filter(id=trace.reply.answer_id).update(sources=translated)
        Survey.objects.create(conversation_id=trace.conversation_id, answered_by="ai", score=4, rated_at=now)
        of_job = {"trace": trace, "kind": "replay", "finished_at": now}
        AnalysisJob.objects.create(**of_job, state="done", analysis=TraceAnalysis.objects.filter(trace=trace).first())
        AnalysisJob.objects.create(**of_job, state="failed", error_code="engine")
        Batch.objects.filter(id=ids["batch_id"]).update(state="done", finished_at=now)
        items = list(BatchItem.objects.filter(batch=ids["batch_id"]))
        ended = {"finished_at": now, "messages": [], "parameters": {}}
        BatchItem.objects.filter(id=items[0].id).update(state="done", reply=trace.reply_id, finish_number=1, **ended)
        BatchItem.objects.filter(id=items[1].id).update(state="failed", error_code="engine", finish_number=2, **ended)


@pytest.fixture
def served(document: dict[str, Any]) -> list[tuple[str, dict[str, Any], Any]]:
    """Every endpoint's answers with real rows: the operation, what the description says of it, and the body."""
    tenant, key, ids = rich_tenant()
    enrich(tenant, ids)
    calls = [ids]
    calls.append(ids | {"reply_id": ids["failed_reply_id"], "conversation_id": ids["failed_conversation_id"]})
    calls.append(ids | {"trace_id": ids["erased_trace_id"], "article_id": ids["other_article_id"]})
    found = []
    for values in calls:
        for name, method, path, responses in sorted(operations(document), key=lambda each: each[0] in LAST):
            if name in NOT_JSON:
                continue
            own = values
            if name == "stop_reply" or (name == "ask" and values is ids):
                own = values | {"conversation_id": ids["asked_conversation_id"], "reply_id": ids["asked_reply_id"]}
            # A page of one has a next one.
            query = "?limit=1" if name in PAGED and (values is ids) == (name == "list_messages") else ""
            response = api_call(
                method, path.format(**own) + query, key, BODIES.get(name, {}) if method == "POST" else None
            )
            described = responses[str(response.status_code)]
            if response.status_code != 204:
                schema = described["content"]["application/json"]["schema"]
                found.append((name, schema, json.loads(response.content)))
            elif name == "delete_conversation":
                found.append((name, {}, None))
    empty = make_api_key(make_tenant())
    schema = document["paths"][f"{API}/stats"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return [*found, ("stats", schema, api_call("GET", f"{API}/stats", empty).json())]


def test_every_answer_is_as_it_is_described(document: dict[str, Any], served: list[Any]) -> None:
    wrong = []
    for name, schema, body in served:
        checker = Draft202012Validator({**schema, "components": document["components"]}, format_checker=FORMATS)
        wrong += [f"{name}: {'/'.join(map(str, error.path))}: {error.message}" for error in checker.iter_errors(body)]
    assert wrong == []
    assert {name for name, *_ in served} == {name for name, *_ in operations(document)} - NOT_JSON


def test_what_may_be_null_was_seen_null_and_not_null(document: dict[str, Any], served: list[Any]) -> None:
    """Else the test above would say little of it."""
    seen: set[tuple[str, str, bool]] = set()
    for _, schema, body in served:
        walk(document, schema, body, "", seen)
    nullable = {(component, member) for component, member, is_null in seen if is_null} | {
        (name, member)
        for name, component in document["components"]["schemas"].items()
        if any(each == name for each, *_ in seen)
        for member, schema in component.get("properties", {}).items()
        if may_be_null(schema)
    }
    missing = {(*each, is_null) for each in nullable for is_null in (True, False)} - seen
    assert missing == NEVER_HERE


def may_be_null(schema: dict[str, Any]) -> bool:
    return any(each.get("type") == "null" for each in [*schema.get("anyOf", []), *schema.get("oneOf", [])])


def walk(document: Any, schema: dict[str, Any], value: Any, component: str, seen: set[tuple[str, str, bool]]) -> None:
    """Note which members of which components were null, and which were not."""
    if "$ref" in schema:
        component = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][component]
    for branch in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        if value is not None and branch.get("type") != "null":
            walk(document, branch, value, component, seen)
    if isinstance(value, list):
        for each in value:
            walk(document, schema.get("items", {}), each, component, seen)
    elif isinstance(value, dict):
        for name, part in schema.get("properties", {}).items():
            seen.add((component, name, value.get(name) is None))
            walk(document, part, value.get(name), component, seen)


def test_findings_of_a_check_are_as_they_are_described(document: dict[str, Any]) -> None:
    finding = Finding("altered", sequence=3, table="trace", row_id=uuid.uuid4())
    found = Verification(anchor=LastAnchor(7, timezone.now()), notes=["restored"], findings=[finding])
    schema = {"$ref": "#/components/schemas/Verification", "components": document["components"]}
    checker = Draft202012Validator(schema, format_checker=FORMATS)
    assert list(checker.iter_errors(VerificationShape.of(found).as_json())) == []


def test_the_description_knows_what_a_message_shows(document: dict[str, Any]) -> None:
    members = document["components"]["schemas"]["Message"]["properties"]
    assert {"cache", "feedback"} <= set(members)
    assert list(members) == list(MessageShape.model_fields)
