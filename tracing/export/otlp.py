"""Traces as OpenTelemetry spans, named for the GenAI semantic conventions and for OpenInference alike.

One trace becomes one span tree with the times that were recorded. Without its content a trace shows only what the plain
columns know. Ids come from the trace's own, so that a second export is the same spans again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tracing.export.otlp_attributes import (
    Attributes,
    embedding_attributes,
    generation_attributes,
    retrieval_attributes,
    root_attributes,
    step_attributes,
)
from tracing.export.rows import ExportedTrace
from tracing.models import Trace

SCOPE = InstrumentationScope("glassdesk.tracing", "1")
# Steps of the engine: children of one span for the whole generation.
GENERATION = ("first_token", "decode")


@dataclass(frozen=True, slots=True)
class Node:
    """A span before it has ids; `key` is unique in its trace, times are milliseconds since the claim."""

    key: str
    name: str
    start_ms: float
    end_ms: float
    attributes: Attributes
    children: list[Node] = field(default_factory=list)


def spans_of(exported: ExportedTrace, *, tenant: str) -> list[ReadableSpan]:
    """The trace's spans, the root first."""
    resource = Resource(
        {
            "service.name": "glassdesk",
            "service.namespace": tenant,
            # Where OpenInference receivers file the spans.
            "openinference.project.name": f"glassdesk-{tenant}",
        }
    )
    return list(_spans(_tree(exported), exported, resource, parent=None))


def claimed_at(trace: Trace) -> datetime:
    """The moment that the trace's milliseconds count from."""
    return trace.reply.claimed_at or trace.created_at - timedelta(milliseconds=trace.total_ms)


def _tree(exported: ExportedTrace) -> Node:
    trace = exported.trace
    steps = [_step(exported, step, number) for number, step in enumerate(trace.steps)]
    children = [step for step in steps if step.name not in GENERATION]
    generation = [step for step in steps if step.name in GENERATION]
    if generation:
        start, end = min(step.start_ms for step in generation), max(step.end_ms for step in generation)
        attributes = generation_attributes(exported, first_token_ms=_first_token(generation))
        name = f"chat {trace.model}".strip()
        children.append(Node("generation", name, start, end, attributes, generation))
    if trace.queue_ms:
        children.append(Node("queue", "queue", -trace.queue_ms, 0.0, step_attributes("queue")))
    children.sort(key=lambda child: child.start_ms)
    end = max([trace.total_ms, *(child.end_ms for child in children)])
    return Node("answer", "answer", -trace.queue_ms, end, root_attributes(exported), children)


def _step(exported: ExportedTrace, step: dict[str, Any], number: int) -> Node:
    name, start = step["name"], step["start_ms"]
    attributes = step_attributes(name)
    if name == "retrieve":
        attributes |= retrieval_attributes(exported)
    elif name == "embed":
        attributes |= embedding_attributes(exported)
    return Node(f"step {number}", name, start, start + step["duration_ms"], attributes)


def _first_token(generation: list[Node]) -> float | None:
    return next((step.end_ms - step.start_ms for step in generation if step.name == "first_token"), None)


def _spans(
    node: Node, exported: ExportedTrace, resource: Resource, *, parent: SpanContext | None
) -> Iterator[ReadableSpan]:
    context = SpanContext(exported.trace.id.int, _span_id(exported.trace, node.key), False, TraceFlags(1))
    trouble = exported.trouble if parent is None else None
    yield ReadableSpan(
        name=node.name,
        context=context,
        parent=parent,
        resource=resource,
        attributes=node.attributes,
        kind=SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, trouble.code) if trouble else Status(StatusCode.OK),
        start_time=_nanoseconds(exported.trace, node.start_ms),
        end_time=_nanoseconds(exported.trace, node.end_ms),
        instrumentation_scope=SCOPE,
    )
    for child in node.children:
        yield from _spans(child, exported, resource, parent=context)


def _span_id(trace: Trace, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{trace.id}/{key}".encode()).digest()[:8], "big") or 1


def _nanoseconds(trace: Trace, offset_ms: float) -> int:
    claimed = claimed_at(trace)
    # Whole numbers all the way: a float of seconds since 1970 has no room for microseconds.
    seconds = int(claimed.replace(microsecond=0).timestamp())
    return seconds * 1_000_000_000 + claimed.microsecond * 1000 + round(offset_ms * 1_000_000)
