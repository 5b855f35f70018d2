"""Storing a trace, in the same transaction as the answer that it explains."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction

from conversations.models import Outcome, Reply
from helpdesk.crypto import SealError
from helpdesk.tenants.scope import current_tenant_id
from tracing.chain import append_to_chain
from tracing.columns import FORMAT_VERSION
from tracing.content import TraceContent
from tracing.customer_keys import active_content_key
from tracing.links import digest
from tracing.models import Trace
from tracing.plain import Malformed, to_plain
from tracing.sealing import ANSWER_FIELD, PROMPT_FIELD, associated_data, seal_content
from tracing.sections import split


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRecord:
    """One answer's record: the content to seal and the few facts that are plain and not in it. Times are milliseconds.

    `queue_ms` runs from queueing to the claim; the others start at the claim. `finish_reason` is the engine's, empty
    when nothing was generated. `saved_tokens` is what the original of a cached answer took.
    """

    content: TraceContent
    outcome: Outcome
    total_ms: float
    queue_ms: float = 0.0
    retrieve_ms: float = 0.0
    first_token_ms: float | None = None
    finish_reason: str = ""
    cached_prompt_tokens: int = 0
    saved_tokens: int = 0


def record_trace(reply: Reply, record: TraceRecord) -> Trace:
    """Seal and store the record; call it in the transaction of `finish_reply`, after it, just before the commit.

    Raises SealError without a usable key or for content that cannot be encoded, so that the answer rolls back with it.
    The tenant's chain is locked from here to the caller's commit.
    """
    with transaction.atomic():
        return append_to_chain(_sealed_trace(reply, record))


def _sealed_trace(reply: Reply, record: TraceRecord) -> Trace:
    """The row, complete but for its place in the chain."""
    trace = _plain_trace(reply, record)
    trace.key, key = active_content_key(reply.conversation.visitor_id)
    trace.format = FORMAT_VERSION
    try:
        sections = split(record.content)
    except Malformed as error:
        raise SealError(f"The trace cannot be encoded: {error}.") from None
    prompt, answer = sections.prompt or b"", sections.answer or b""
    trace.sealed_prompt = seal_content(key, prompt, _place(trace, PROMPT_FIELD))
    trace.sealed = seal_content(key, answer, _place(trace, ANSWER_FIELD))
    trace.sealed_prompt_digest, trace.sealed_digest = digest(trace.sealed_prompt), digest(trace.sealed)
    trace.content_bytes = len(prompt) + len(answer)
    trace.sealed_bytes = len(trace.sealed_prompt) + len(trace.sealed)
    return trace


def _place(trace: Trace, field: str) -> bytes:
    return associated_data(tenant_id=trace.tenant_id, trace_id=trace.id, field=field, version=FORMAT_VERSION)


def _plain_trace(reply: Reply, record: TraceRecord) -> Trace:
    content, engine = record.content, record.content.engine
    return Trace(
        id=uuid4(),
        tenant_id=current_tenant_id(),
        reply=reply,
        conversation_id=reply.conversation_id,
        channel=reply.conversation.channel,
        purpose=reply.purpose,
        assistant_id=reply.assistant_id,
        assistant_version=reply.assistant_version,
        variant=reply.variant,
        outcome=str(record.outcome),
        cache=content.cached.kind if content.cached else "",
        cached_from=UUID(content.cached.trace) if content.cached else None,
        saved_tokens=record.saved_tokens,
        kind=content.kind or "",
        style=content.style,
        language=content.language,
        model=engine.model if engine else "",
        quantization=engine.quantization if engine else "",
        confidence_band=content.confidence.band,
        finish_reason=record.finish_reason,
        attempt=reply.attempt,
        prompt_tokens=len(content.prompt.token_ids) if content.prompt else 0,
        cached_prompt_tokens=record.cached_prompt_tokens,
        answer_tokens=len(content.tokens),
        candidate_count=len(content.candidates),
        source_count=sum(candidate.used for candidate in content.candidates),
        queue_ms=_milliseconds(record.queue_ms),
        retrieve_ms=_milliseconds(record.retrieve_ms),
        first_token_ms=None if record.first_token_ms is None else _milliseconds(record.first_token_ms),
        total_ms=_milliseconds(record.total_ms),
        steps=[
            {**to_plain(step), "start_ms": _milliseconds(step.start_ms), "duration_ms": _milliseconds(step.duration_ms)}
            for step in content.steps
        ],
    )


def _milliseconds(value: float) -> float:
    """To the microsecond: what the database gives back is then the same number, and so is its link."""
    return round(float(value), 3) + 0.0  # never minus zero
