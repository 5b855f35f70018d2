"""Traces as format 1 stored them: one sealed section, one content key per tenant, one link form. For old rows' tests."""

from __future__ import annotations

import json
import uuid
from datetime import UTC

from conversations.models import Outcome
from conversations.replies import Answer, finish_reply
from helpdesk import crypto
from helpdesk.tenants.models import Tenant
from helpdesk.tenants.scope import tenant_atomic
from tests.integration.tracing.rows import claimed_reply
from tests.unit.tracing.samples import make_record
from tracing import record
from tracing.chain import locked_head
from tracing.columns import COLUMNS
from tracing.keys import active_key
from tracing.links import digest
from tracing.models import DataKey, KeyPurpose, Trace
from tracing.sealing import seal_content

LINKED = [
    "id",
    "tenant_id",
    "reply_id",
    "conversation_id",
    "sequence",
    "outcome",
    "style",
    "language",
    "model",
    "quantization",
    "confidence_band",
    "finish_reason",
    "attempt",
    "prompt_tokens",
    "cached_prompt_tokens",
    "answer_tokens",
    "candidate_count",
    "source_count",
    "queue_ms",
    "retrieve_ms",
    "first_token_ms",
    "total_ms",
    "steps",
    "format",
    "content_bytes",
    "sealed_bytes",
    "key_id",
]


def make_format1_trace(tenant: Tenant) -> Trace:
    """A trace of a new answer, stored as the first version of the product did."""
    reply, made = claimed_reply(tenant), make_record()
    with tenant_atomic(tenant.id):
        finish_reply(reply, Answer(body=made.content.answer, language="en", outcome=Outcome.ANSWERED))
        trace = record._plain_trace(reply, made)
        for column in COLUMNS:
            if column.since > 1:
                setattr(trace, column.name, column.before)
        trace.key, key = _content_key(tenant)
        trace.format, encoded = 1, made.content.to_json()
        trace.sealed = seal_content(key, encoded, f"glassdesk/trace/1/{tenant.id}/{trace.id}/content".encode())
        trace.sealed_digest = digest(trace.sealed)
        trace.content_bytes, trace.sealed_bytes = len(encoded), len(trace.sealed)
        _append(trace)
        return trace


def _content_key(tenant: Tenant) -> tuple[DataKey, bytes]:
    row = DataKey.objects.filter(purpose=KeyPurpose.CONTENT, visitor=None, retired_at=None).first()
    master = _master()
    if row is None:
        row = DataKey(id=uuid.uuid4(), purpose=KeyPurpose.CONTENT, master_key_id=master.key_id)
        row.wrapped = crypto.seal(
            master.key, crypto.new_key(), f"glassdesk/key/{tenant.id}/{row.id}/{row.purpose}".encode()
        )
        row.save(force_insert=True)
    place = f"glassdesk/key/{tenant.id}/{row.id}/{row.purpose}".encode()
    return row, crypto.unseal(master.key, bytes(row.wrapped), place)


def _append(trace: Trace) -> None:
    key, head = active_key(KeyPurpose.CHAIN)[1], locked_head()
    trace.sequence = head.sequence + 1
    columns = {name: getattr(trace, name) for name in LINKED}
    columns["created_at"] = trace.created_at.astimezone(UTC).isoformat()
    plain = json.dumps(columns, sort_keys=True, default=str, ensure_ascii=True, allow_nan=False)
    trace.chain = crypto.chain(key, b"trace", bytes(head.chain), bytes(trace.sealed_digest), plain.encode())
    trace.save(force_insert=True)
    head.sequence, head.chain = trace.sequence, trace.chain
    head.mac = crypto.chain(key, b"head", head.sequence.to_bytes(8, "big"), bytes(head.chain))
    head.save()


def _master():
    import base64

    from helpdesk.master_keys import MasterKey
    from tests.services import MASTER_KEY

    return MasterKey(base64.b64decode(MASTER_KEY))
