"""One trace as one HTML file that needs nothing else: no scripts, no other files, no network.

The report stands in it twice, in English and in Chinese; the reader chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language, override

from tracing import words
from tracing.columns import column_words
from tracing.export.jsonl import integrity
from tracing.export.rows import ExportedTrace
from tracing.read import trace_shape
from tracing.report import AlternativeRow, opened_report, timeline_rows
from tracing.report_analyses import analyses_view

LANGUAGES = {"en": "English", "zh-hans": "中文"}


@dataclass(frozen=True, slots=True)
class LanguageView:
    """The report in one language; `key` names it in the file."""

    key: str
    code: str
    name: str
    body: SafeString
    is_first: bool


def trace_page(exported: ExportedTrace, *, tenant: str) -> bytes:
    """The file. Call it in the tenant's scope. It opens in the language that is active now, if it has it."""
    preferred = get_language() or "en"
    preferred = preferred if preferred in LANGUAGES else "en"
    views = []
    for code, name in LANGUAGES.items():
        with override(code):
            body = render_to_string("tracing/export/report.html", _context(exported, tenant, code))
        views.append(LanguageView(code.partition("-")[0], code, name, body, code == preferred))
    context = {"views": views, "trace": exported.trace, "tenant_slug": tenant, "preferred": preferred}
    return render_to_string("tracing/export/page.html", context).encode(errors="replace")


def token_title(probability: str, rank: int, alternatives: Sequence[AlternativeRow]) -> str:
    """What a token's tooltip says: its probability and what else the model weighed."""
    others = [f"{other.text} {other.probability}" for other in alternatives]
    return "\n".join([f"{probability} (#{rank})", *others])


def _context(exported: ExportedTrace, tenant: str, code: str) -> dict[str, Any]:
    trace, opened = exported.trace, exported.opened
    shape = exported.shape or trace_shape(trace)
    context: dict[str, Any] = {
        "is_file": True,
        "key": code.partition("-")[0],
        "tenant_slug": tenant,
        "trace": trace,
        "column_words": column_words(trace),
        "shape": shape,
        "feedback": list(trace.reply.feedback.all()),
        "integrity": integrity(trace),
        "timeline": timeline_rows(shape),
        "duration": words.milliseconds(shape.queue_ms + shape.total_ms),
        "trouble": exported.trouble.message if exported.trouble else "",
    }
    if opened is None:
        return context
    report = opened_report(opened.content, finish_reason=trace.finish_reason)
    return context | {
        "opened": report,
        "tokens": [(token, token_title(token.probability, token.rank, token.alternatives)) for token in report.tokens],
        "analyses": analyses_view(opened.content, opened.analyses),
    }
