"""One trace a line as JSON, schema `glassdesk.trace/1`: docs/traces.md describes every member.

`content` and each analysis's `content` have the shape of `tracing.content` and `tracing.analysis_content`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import override

from conversations.models import Feedback
from helpdesk.errors import GlassdeskError
from tracing.analyses import OpenedAnalysis
from tracing.columns import COLUMNS
from tracing.export.rows import ExportedTrace
from tracing.models import Trace

SCHEMA = "glassdesk.trace/1"
NOTE_SCHEMA = "glassdesk.note/1"


def plain_trace(exported: ExportedTrace, *, tenant: str) -> dict[str, Any]:
    """The trace as plain values."""
    trace, opened = exported.trace, exported.opened
    return {
        "schema": SCHEMA,
        "tenant": tenant,
        "trace": plain_columns(trace),
        "integrity": integrity(trace),
        "content": opened.content.to_plain() if opened else None,
        "deleted": [{"kind": gone.kind, "at": iso(gone.at)} for gone in opened.content.deleted] if opened else [],
        "feedback": [_feedback(given, with_comment=opened is not None) for given in trace.reply.feedback.all()],
        "analyses": [_analysis(each) for each in opened.analyses] if opened else [],
        "error": _error(exported.trouble) if exported.trouble else None,
    }


def trace_line(exported: ExportedTrace, *, tenant: str) -> bytes:
    """The trace as one line."""
    return _line(plain_trace(exported, tenant=tenant))


def note_line(text: str) -> bytes:
    """A line that is no trace but says something about the file."""
    return _line({"schema": NOTE_SCHEMA, "note": text})


def trace_document(exported: ExportedTrace, *, tenant: str) -> bytes:
    """The trace as a JSON file of its own, laid out for people; still one `glassdesk.trace/1` object."""
    plain = plain_trace(exported, tenant=tenant)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2).encode(errors="replace") + b"\n"


def plain_columns(trace: Trace) -> dict[str, Any]:
    """What lists and metrics know of the trace: no content."""
    return {column.name: _plain(getattr(trace, column.name)) for column in COLUMNS if column.in_json}


def integrity(trace: Trace) -> dict[str, Any]:
    """The trace's place in the tenant's chain: enough to compare an export with what the desk holds."""
    return {
        "sequence": trace.sequence,
        "format": trace.format,
        "chain": bytes(trace.chain).hex(),
        "sealed_digest": bytes(trace.sealed_digest).hex(),
        "sealed_prompt_digest": bytes(trace.sealed_prompt_digest).hex(),
        "key": str(trace.key_id),
        "erased_at": iso(trace.key.destroyed_at) if trace.key.destroyed_at else None,
    }


def iso(moment: datetime) -> str:
    """A moment in UTC."""
    return moment.astimezone(UTC).isoformat()


def _analysis(analysis: OpenedAnalysis) -> dict[str, Any]:
    return {
        "kind": analysis.kind,
        "created_at": iso(analysis.created_at),
        "duration_ms": analysis.duration_ms,
        "figures": analysis.figures,
        "content": analysis.content,
    }


def _feedback(given: Feedback, *, with_comment: bool) -> dict[str, str | None]:
    return {
        "given_by": given.given_by,
        "rating": given.rating,
        "reason": given.reason,
        "comment": given.comment if with_comment else None,
        "updated_at": iso(given.updated_at),
    }


def _error(trouble: GlassdeskError) -> dict[str, str]:
    # Data for programs: always the same words.
    with override("en"):
        return {"code": trouble.code, "message": str(trouble.message)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return value if value is None or isinstance(value, str | int | float | list) else str(value)


def _line(plain: dict[str, Any]) -> bytes:
    # JSON escapes line feeds, so that a line is one object; U+2028 and U+2029 break lines for some readers only.
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode(errors="replace") + b"\n"
