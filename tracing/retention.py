"""Deleting what a tenant's policy no longer keeps, in batches, each with a chained receipt in the same transaction.

Comments on answers age with the prompts, and leave no receipt: no chain holds them.
Blanking a section leaves its digest and so its link; removed rows leave the link at the end of each run in the receipt.
Who has read what (TraceAccess) is never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import Reply, Survey
from conversations.surveys import blank_survey_comments
from conversations.written_about import blank_written_about
from helpdesk.errors import InvalidInput
from helpdesk.pending.marks import note
from helpdesk.pending.models import Kind
from helpdesk.permissions import Right
from helpdesk.tenants.scope import tenant_atomic
from helpdesk.users.acting import needs
from helpdesk.users.models import User
from tracing.chain import append_to_chain, locked_head
from tracing.holds import active_holds
from tracing.models import ChangeKind, DeletionKind, DeletionReceipt, RetentionPolicy, Trace, TraceAnalysis
from tracing.retention_changes import begin_change, log_change
from tracing.state import in_force

BATCH = 500
CLASSES = (DeletionKind.PROMPTS, DeletionKind.ANSWERS, DeletionKind.METRICS)


class PolicyMalformed(InvalidInput):
    """A class would outlive the one that it needs, or a number of days is none."""

    code = "retention_policy"
    message = _(
        "Prompts can't be kept longer than answers, nor answers longer than metrics. Each must be at least one day."
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """What is left to say of a row that is deleted or blanked."""

    sequence: int
    id: UUID
    chain: bytes


@needs(Right.MANAGE_RETENTION)
def set_policy(
    *, prompts: int | None, answers: int | None, metrics: int | None, user: User | None = None
) -> RetentionPolicy:
    """The days after which each class is deleted (None keeps it), in the tenant in scope; a change is logged.

    Raises PolicyMalformed, ChangeNotLogged.
    """
    days = [float("inf") if each is None else each for each in (prompts, answers, metrics)]
    if days != sorted(days) or min(days) < 1:
        raise PolicyMalformed
    fields = {"prompts_days": prompts, "answers_days": answers, "metrics_days": metrics}
    begin_change()
    before = current_policy()
    policy: RetentionPolicy = RetentionPolicy.objects.update_or_create(defaults=fields)[0]
    note(Kind.RETENTION)
    if before is None or in_force(before) != in_force(policy):
        log_change(ChangeKind.POLICY_SET, user=user, policy=in_force(policy))
    return policy


def current_policy() -> RetentionPolicy | None:
    """The policy of the tenant in scope."""
    policy: RetentionPolicy | None = RetentionPolicy.objects.first()
    return policy


def has_limits() -> bool:
    """Whether the policy of the tenant in scope ever deletes anything."""
    policy = current_policy()
    return any(_cutoff(policy, kind) is not None for kind in CLASSES)


def apply_retention(tenant_id: UUID, *, batch: int = BATCH) -> dict[DeletionKind, int]:
    """Delete what is due, batch by batch; returns how many rows of each class. Raises SealError without the chain's key.

    Runs outside any transaction. The longest class goes first, so that nothing is blanked just to be removed.
    """
    counts = dict.fromkeys(CLASSES, 0)
    for kind in reversed(CLASSES):
        while done := _apply_batch(tenant_id, kind, batch):
            counts[kind] += done
    _blank_due_comments(tenant_id)
    return counts


def _blank_due_comments(tenant_id: UUID) -> None:
    with tenant_atomic(tenant_id):
        cutoff = _cutoff(current_policy(), DeletionKind.PROMPTS)
        if cutoff is not None:
            held = active_holds().values("conversation_id")
            due = Reply.objects.filter(finished_at__lt=cutoff).exclude(conversation_id__in=held)
            blank_written_about(due)
            surveys = Survey.objects.filter(rated_at__lt=cutoff).exclude(conversation_id__in=held)
            blank_survey_comments(surveys)


def due_counts() -> dict[DeletionKind, int]:
    """How many rows of each class are due in the tenant in scope; deletes nothing."""
    policy = current_policy()
    counts = dict.fromkeys(CLASSES, 0)
    for kind in CLASSES:
        cutoff = _cutoff(policy, kind)
        if cutoff is not None:
            counts[kind] = _due_traces(kind, cutoff).count() + _due_analyses(kind, cutoff).count()
    return counts


def _apply_batch(tenant_id: UUID, kind: DeletionKind, batch: int) -> int:
    with tenant_atomic(tenant_id):
        # Nothing is analysed, held or erased while this lock is held.
        locked_head()
        policy = current_policy()
        cutoff = _cutoff(policy, kind)
        if policy is None or cutoff is None:
            return 0
        if kind == DeletionKind.METRICS:
            rows = _remove(cutoff, batch)
        else:
            rows = _blank(kind, cutoff, batch)
        if rows:
            append_to_chain(_receipt(kind, rows, policy))
        return len(rows)


def _remove(cutoff: datetime, batch: int) -> list[_Row]:
    """Delete whole traces with their analyses."""
    traces = _rows(_due_traces(DeletionKind.METRICS, cutoff)[:batch])
    ids = [row.id for row in traces]
    analyses = _rows(TraceAnalysis.objects.filter(trace_id__in=ids))
    TraceAnalysis.objects.filter(id__in=[row.id for row in analyses]).delete()
    Trace.objects.filter(id__in=ids).delete()
    return sorted(traces + analyses, key=lambda row: row.sequence)


def _blank(kind: DeletionKind, cutoff: datetime, batch: int) -> list[_Row]:
    """Empty the section; a trace of format 1 has one for both classes, which goes with the earlier one."""
    traces = _rows(_due_traces(kind, cutoff)[:batch])
    ids = [row.id for row in traces]
    Trace.objects.filter(id__in=ids, format=1).update(sealed=b"")
    section = "sealed_prompt" if kind == DeletionKind.PROMPTS else "sealed"
    Trace.objects.filter(id__in=ids).exclude(format=1).update(**{section: b""})
    analyses = _rows(_due_analyses(kind, cutoff)[: batch - len(traces)])
    TraceAnalysis.objects.filter(id__in=[row.id for row in analyses]).update(sealed=b"")
    return sorted(traces + analyses, key=lambda row: row.sequence)


def _due_traces(kind: DeletionKind, cutoff: datetime) -> QuerySet[Trace]:
    held = active_holds().values("conversation_id")
    due: QuerySet[Trace] = Trace.objects.filter(created_at__lt=cutoff).exclude(conversation_id__in=held)
    if kind == DeletionKind.PROMPTS:
        due = due.filter(Q(format=1) & ~Q(sealed=b"") | ~Q(format=1) & ~Q(sealed_prompt=b""))
    elif kind == DeletionKind.ANSWERS:
        due = due.exclude(sealed=b"")
    return due.order_by("sequence")


def _due_analyses(kind: DeletionKind, cutoff: datetime) -> QuerySet[TraceAnalysis]:
    """Analyses age with their trace."""
    if kind == DeletionKind.PROMPTS:
        return TraceAnalysis.objects.none()
    held = active_holds().values("conversation_id")
    due: QuerySet[TraceAnalysis] = TraceAnalysis.objects.filter(trace__created_at__lt=cutoff).exclude(
        trace__conversation_id__in=held
    )
    return (due.exclude(sealed=b"") if kind == DeletionKind.ANSWERS else due).order_by("sequence")


def _rows(found: QuerySet[Any]) -> list[_Row]:
    return [_Row(sequence, id, bytes(link)) for sequence, id, link in found.values_list("sequence", "id", "chain")]


def _cutoff(policy: RetentionPolicy | None, kind: DeletionKind) -> datetime | None:
    days = None if policy is None else in_force(policy)[kind.value]
    return None if days is None else timezone.now() - timedelta(days=days)


def _receipt(kind: DeletionKind, rows: Sequence[_Row], policy: RetentionPolicy) -> DeletionReceipt:
    """The rows in order of the chain."""
    return DeletionReceipt(
        kind=kind.value,
        count=len(rows),
        first_sequence=rows[0].sequence,
        last_sequence=rows[-1].sequence,
        runs=_runs(rows, with_links=kind == DeletionKind.METRICS),
        ids_digest=sha256(b"".join(row.id.bytes for row in rows)).hexdigest(),
        policy=in_force(policy),
        at=timezone.now(),
    )


def _runs(rows: Iterable[_Row], *, with_links: bool) -> list[list[Any]]:
    """Neighbouring sequences as [first, last, link of the last]."""
    runs: list[list[Any]] = []
    for row in rows:
        link = row.chain.hex() if with_links else ""
        if runs and runs[-1][1] == row.sequence - 1:
            runs[-1][1:] = [row.sequence, link]
        else:
            runs.append([row.sequence, row.sequence, link])
    return runs
