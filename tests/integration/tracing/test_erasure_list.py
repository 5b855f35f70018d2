"""The list of what is written down in clear, against the models; and that what a deletion empties is empty everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module

import psycopg
import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from psycopg import sql
from structlog.testing import capture_logs

from batches.models import Batch
from batches.settling import end_if_complete
from conversations.failures import FailureCode
from conversations.models import Draft, Feedback, Note, Reply, Survey, Visitor
from conversations.parameters import RequestParameters
from conversations.replies import fail_reply, stop_reply
from helpdesk.api.models import IdempotentRequest
from helpdesk.api_keys.models import ApiKey
from helpdesk.streams.entries import conversation_stream
from helpdesk.streams.writer import client, publish
from helpdesk.tenants.scope import tenant_atomic
from reviews.models import Review, ReviewItem
from tests import services
from tests.conftest import ROOT
from tests.factories import make_api_key, make_question, make_tenant, make_user
from tests.integration.tracing.rows import claimed_reply, make_trace, store_answer
from tests.integration.tracing.vault import make_analysis, verified
from tests.unit.tracing.samples import make_record
from tracing.forget import forget_conversation

pytestmark = pytest.mark.django_db(transaction=True)
SENTINEL = "quokka-sentinel-7719"
DELETION = re.compile(r"deleting the (conversation|customer's last conversation)")
# Columns that take no words: numbers, times, ids, and fixed choices.
WORDLESS = (
    models.IntegerField, models.FloatField, models.BooleanField, models.DateField, models.UUIDField, models.ForeignKey,
)  # fmt: skip
# Text that the desk itself makes, by the reason why it holds nobody's words.
MADE_BY_THE_DESK = {
    "names of models, engines, workers, codes": {
        "conversations.Assistant.model", "conversations.Message.confidence_band", "conversations.Reply.error_code",
        "conversations.Reply.worker", "batches.BatchItem.error_code", "facts.Fact.kind", "facts.Fact.owed",
        "facts.Setback.error", "facts.Setback.subscriber", "pending.OpenWork.kind", "knowledge.Chunk.embedded_with",
        "tracing.AnalysisJob.error_code", "tracing.Trace.finish_reason", "tracing.Trace.model",
        "tracing.Trace.quantization", "users.SignIn.browser",
    },
    "links, digests and keys": {
        "account.EmailConfirmation.key", "api.IdempotentRequest.digest", "api_keys.ApiKey.digest",
        "api_keys.ApiKey.prefix", "conversations.IdentityKey.kid", "conversations.IdentityKey.public_key",
        "tracing.ChainHead.chain", "tracing.ChainHead.mac", "tracing.DataKey.master_key_id",
        "tracing.DataKey.wrapped", "tracing.DeletionReceipt.chain", "tracing.DeletionReceipt.ids_digest",
        "tracing.KeyEvent.chain", "tracing.KeyEvent.master_key_id", "tracing.RetentionChange.chain",
        "tracing.Trace.chain", "tracing.Trace.sealed_digest", "tracing.Trace.sealed_prompt_digest",
        "tracing.TraceAccess.chain", "tracing.TraceAnalysis.chain", "tracing.TraceAnalysis.sealed_digest",
        "users.User.password", "users.Invitation.token_digest", "sessions.Session.session_key",
        "users.SignIn.session_key", "mfa.Authenticator.data",
    },
    "numbers, ids, times and scopes": {
        "api_keys.ApiKey.scopes", "conversations.Assistant.refusal_gate", "facts.Fact.actor_id", "facts.Fact.data",
        "conversations.Macro.orders", "conversations.Team.reasons",
        "knowledge.Chunk.sentences",
        "knowledge.KnowledgeState.similarity", "tenants.Tenant.slug", "tracing.Calibration.model",
        "tracing.Calibration.version", "tracing.DeletionReceipt.policy", "tracing.DeletionReceipt.runs",
        "automation.RuleRun.steps", "reports.DayFigures.channel", "reports.DayFigures.figures", "reports.DayFigures.language",
        "reports.ReportSettings.time_zone",
        "tracing.KeyEvent.figures", "tracing.RetentionChange.policy", "tracing.Trace.steps",
        "tracing.TraceAnalysis.figures",
    },
    "Django's own": {
        "auth.Group.name", "auth.Permission.codename", "auth.Permission.name", "contenttypes.ContentType.app_label",
        "contenttypes.ContentType.model", "admin.LogEntry.object_id", "socialaccount.SocialAccount.provider",
        "socialaccount.SocialApp.provider", "socialaccount.SocialApp.provider_id",
    },
}  # fmt: skip


def columns() -> Iterator[str]:
    """Every column of every model that could hold words."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if not isinstance(field, WORDLESS) and not field.choices:
                yield f"{model._meta.label}.{field.name}"


def listed() -> dict[str, str]:
    """Column -> what it goes with, as the document says."""
    text = (ROOT / "docs/evidence.md").read_text(encoding="utf-8").partition("## Every column")[2]
    rows = [line.split("|")[1:4] for line in text.splitlines() if line.startswith("| `")]
    return {name: fate.strip() for cell, _holds, fate in rows for name in re.findall(r"`([\w.]+)`", cell)}


def emptied_by_deletion() -> list[str]:
    return sorted(name for name, fate in listed().items() if DELETION.search(fate))


def test_every_column_that_can_hold_words_is_on_the_list():
    known = set(listed()) | set().union(*MADE_BY_THE_DESK.values())
    assert set(columns()) == known
    assert not set(listed()) & set().union(*MADE_BY_THE_DESK.values())


def test_nothing_is_on_the_list_without_its_fate():
    assert [name for name, fate in listed().items() if not fate] == []
    assert len(emptied_by_deletion()) == 22


def test_a_deletion_leaves_no_word_in_any_column_of_any_table_nor_in_redis():
    tenant = make_tenant()
    trace = _conversation_with_everything(tenant)
    with psycopg.connect(services.superuser_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for name in emptied_by_deletion():
            assert _fill(connection, name) > 0, name
        assert _found(connection) == {_table(name) for name in emptied_by_deletion()}
        assert _in_redis()
        with capture_logs() as logs, tenant_atomic(tenant.id):
            forget_conversation(trace.conversation_id)
        assert SENTINEL not in str(logs)
        assert (_found(connection), _in_redis()) == (set(), [])
    assert verified(tenant).findings == []


def _conversation_with_everything(tenant):
    """A customer's only conversation: answered, analysed, rated, by an API client that sends a key with its request."""
    make_api_key(tenant)
    trace = make_trace(tenant)
    make_analysis(tenant, trace)
    agent = make_user(tenant)
    with tenant_atomic(tenant.id):
        Draft.objects.create(conversation_id=trace.conversation_id, user=agent, body="We are sorry")
        Note.objects.create(conversation_id=trace.conversation_id, body="Asks a lot.", position=1)
        Feedback.objects.create(reply_id=trace.reply_id, given_by="customer", rating="down", comment="No.")
        Survey.objects.create(
            conversation_id=trace.conversation_id, answered_by="ai", score=2, rated_at=timezone.now(), comment="Slow."
        )
        item = ReviewItem.objects.create(
            reply_id=trace.reply_id, sampled_for="random", rank=5, answered_at=timezone.now()
        )
        Review.objects.create(item=item, round=1, verdict="wrong", cause="tone", correction="Yes.", note="Curt.")
        IdempotentRequest.objects.create(
            api_key=ApiKey.objects.get(), key="k1", digest="d", status=201, subject=trace.conversation_id,
            expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
    publish(conversation_stream(tenant.id, trace.conversation_id), {"type": "delta", "text": SENTINEL})
    return trace


def _table(name: str) -> str:
    label, _, _field = name.rpartition(".")
    return str(apps.get_model(label)._meta.db_table)


def _fill(connection, name: str) -> int:
    label, _, field_name = name.rpartition(".")
    model = apps.get_model(label)
    field = model._meta.get_field(field_name)
    value: object = SENTINEL
    if isinstance(field, models.BinaryField):
        value = SENTINEL.encode()
    elif isinstance(field, models.JSONField):
        words = {"instructions": SENTINEL, "stop": [SENTINEL], "json_schema": {"title": SENTINEL}}
        value = json.dumps(words if name == "conversations.Reply.parameters" else [{"text": SENTINEL}])
    assert not isinstance(field, ArrayField)
    statement = sql.SQL("UPDATE {} SET {} = %s")
    names = sql.Identifier(model._meta.db_table), sql.Identifier(field.column)
    return connection.execute(statement.format(*names), [value]).rowcount


def _found(connection) -> set[str]:
    """Tables with a row that holds the sentinel, as text or as bytes."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    query = sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE %s OR t::text LIKE %s")
    patterns = [f"%{SENTINEL}%", f"%{SENTINEL.encode().hex()}%"]
    counts = {
        table: connection.execute(query.format(sql.Identifier(table)), patterns).fetchone()[0] for (table,) in tables
    }
    return {table for table, count in counts.items() if count}


def _in_redis() -> list[str]:
    redis = client()
    read = {
        b"string": redis.get,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1),
        b"stream": redis.xrange,
    }
    return [str(key) for key in redis.scan_iter() if SENTINEL in str(read[redis.type(key)](key))]


ASKED = RequestParameters(temperature=0.4, instructions=SENTINEL, stop=(SENTINEL,), json_schema={"title": SENTINEL})


def test_what_the_caller_wrote_leaves_the_reply_s_row_when_it_is_answered():
    tenant = make_tenant()
    reply = claimed_reply(tenant)
    _ask(tenant, reply.id)
    store_answer(reply, make_record())
    assert _parameters(tenant, reply.id) == {"temperature": 0.4}


@pytest.mark.parametrize("end", ["failed", "stopped", "deleted"])
def test_what_the_caller_wrote_leaves_the_reply_s_row_when_it_ends_otherwise(end):
    tenant = make_tenant()
    conversation, _message, reply = make_question(tenant)
    assert reply is not None
    _ask(tenant, reply.id)
    if end == "failed":
        fail_reply(tenant_id=tenant.id, reply_id=reply.id, attempt=None, code=FailureCode.ENGINE)
    elif end == "stopped":
        stop_reply(tenant_id=tenant.id, conversation_id=conversation.id, reply_id=reply.id)
    else:
        with tenant_atomic(tenant.id):
            forget_conversation(conversation.id)
    assert _parameters(tenant, reply.id) == {"temperature": 0.4}


def test_an_update_of_the_desk_takes_the_words_of_replies_and_batches_that_ended_before(owner_url):
    tenant = make_tenant()
    (_, _, ended), (_, _, open_reply) = make_question(tenant), make_question(tenant)
    for reply in (ended, open_reply):
        _ask(tenant, reply.id)
    with tenant_atomic(tenant.id):
        Reply.objects.filter(id=ended.id).update(status="failed")
        visitor = Visitor.objects.first()
        done = Batch.objects.create(state="done", visitor=visitor, defaults={"instructions": SENTINEL})
        running = Batch.objects.create(state="running", visitor=visitor, defaults={"instructions": SENTINEL})
    with psycopg.connect(owner_url) as connection:
        connection.execute(import_module("tracing.migrations.0010_anchors_and_state").FORGET_WORDS)
        connection.execute(import_module("batches.migrations.0002_forget_defaults").FORGET_DEFAULTS)
    assert _parameters(tenant, ended.id) == {"temperature": 0.4}
    assert _parameters(tenant, open_reply.id)["instructions"] == SENTINEL
    with tenant_atomic(tenant.id):
        assert Batch.objects.get(id=done.id).defaults == {}
        assert Batch.objects.get(id=running.id).defaults == {"instructions": SENTINEL}


def test_a_batch_that_ends_forgets_what_its_items_were_asked_with():
    tenant = make_tenant()
    with tenant_atomic(tenant.id):
        batch = Batch.objects.create(
            state="running", visitor=Visitor.objects.create(), defaults={"instructions": SENTINEL}
        )
        end_if_complete(batch)
        batch.refresh_from_db()
    assert (batch.state, batch.defaults) == ("done", {})


def _ask(tenant, reply_id) -> None:
    with tenant_atomic(tenant.id):
        Reply.objects.filter(id=reply_id).update(parameters=ASKED.to_json())


def _parameters(tenant, reply_id) -> dict[str, object]:
    with tenant_atomic(tenant.id):
        found: dict[str, object] = Reply.objects.get(id=reply_id).parameters
        return found
