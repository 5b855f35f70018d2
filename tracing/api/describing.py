"""Traces, analyses and findings as the API gives them: plain facts, never content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from conversations.models import Feedback
from tracing.export.jsonl import integrity, iso, plain_columns
from tracing.findings import Finding, Verification
from tracing.models import AnalysisJob, Trace
from tracing.opening import deleted_sections
from tracing.queries import feedback_of, turn_of

MAX_FINDINGS = 1000


def describe_traces(traces: Sequence[Trace]) -> list[dict[str, Any]]:
    """The `trace` objects of a page."""
    given = feedback_of(traces)
    return [_facts(trace, given.get(trace.reply_id, [])) for trace in traces]


def describe_trace(trace: Trace) -> dict[str, Any]:
    """One `trace` object with its place in conversation and chain."""
    turn = turn_of(trace)
    return {
        **describe_traces([trace])[0],
        "turn": {"number": turn.number, "total": turn.total},
        "times_opened": trace.accesses.count(),
        "deleted": [{"kind": gone.kind, "at": iso(gone.at)} for gone in deleted_sections(trace)],
        "integrity": integrity(trace),
    }


def describe_job(job: AnalysisJob) -> dict[str, Any]:
    """The `analysis` object: state and figures."""
    analysis = job.analysis
    return {
        "id": str(job.id),
        "kind": job.kind,
        "state": job.state,
        "parameters": job.parameters,
        "queued_at": iso(job.queued_at),
        "finished_at": iso(job.finished_at) if job.finished_at else None,
        "duration_ms": analysis.duration_ms if analysis else None,
        "figures": analysis.figures if analysis else None,
        "error": job.error_code or None,
    }


def describe_verification(found: Verification) -> dict[str, Any]:
    """The result, with at most MAX_FINDINGS findings."""
    return {
        "is_sound": found.is_sound,
        "rows": found.rows,
        "traces": found.traces,
        "deleted": found.deleted,
        "unchained": found.unchained,
        "anchor": {"sequence": found.anchor.sequence, "at": iso(found.anchor.at)} if found.anchor else None,
        "notes": found.notes,
        "findings": [_finding(each) for each in found.findings[:MAX_FINDINGS]],
    }


def _facts(trace: Trace, given: Sequence[Feedback]) -> dict[str, Any]:
    feedback = [{"given_by": each.given_by, "rating": each.rating, "reason": each.reason} for each in given]
    return {**plain_columns(trace), "sequence": trace.sequence, "feedback": feedback}


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: str(value) if name.endswith("_id") and value else value for name, value in asdict(finding).items()}
