"""Reading traces: metrics and shape for many roles; the content for few, after a stated reason, and logged.

Every function runs inside `tenant_atomic`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from helpdesk.api_keys.domain import ApiClient
from helpdesk.api_keys.scopes import Scope
from helpdesk.crypto import SealError
from helpdesk.errors import Forbidden, GlassdeskError, NotFound
from helpdesk.facts.kinds import Actor, ActorKind, FactKind, user_actor
from helpdesk.facts.recording import record
from helpdesk.permissions import Right, has_right
from helpdesk.users.acting import needs
from helpdesk.users.models import Membership, User
from tracing.analyses import OpenedAnalysis, opened_analyses
from tracing.chain import append_to_chain
from tracing.content import TraceContent
from tracing.models import Trace, TraceAccess
from tracing.opening import content_of
from tracing.reasons import clean_reason

logger = structlog.get_logger(__name__)

SHOWN_ACCESSES = 50
FOLDED_WITHIN = timedelta(minutes=10)


class TraceUnreadable(GlassdeskError):
    """The sealed content does not open: its key is gone or its bytes were altered."""

    code = "trace_unreadable"
    status = 500
    message = _(
        "The sealed content can't be opened: its key is missing, or it has been altered. Ask an owner to check."
    )


class TraceErased(TraceUnreadable):
    """The key was destroyed on purpose: nobody can open the content any more."""

    code = "trace_erased"
    status = 410
    message = _("The content was erased: its key was destroyed, so nobody can open it anymore.")


@dataclass(frozen=True, slots=True)
class OpenedTrace:
    """A trace's content with its finished analyses, the oldest first."""

    content: TraceContent
    analyses: tuple[OpenedAnalysis, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Entries of the log that belong together: one person, one reason, minutes apart. `access` is the newest one."""

    access: TraceAccess
    first_at: datetime
    times: int = 1

    def continues(self, earlier: TraceAccess) -> bool:
        """Whether the next older entry is part of it."""
        newest = self.access
        who = newest.user_id, newest.api_key_id, newest.reason, newest.opened
        is_same = who == (earlier.user_id, earlier.api_key_id, earlier.reason, earlier.opened)
        return is_same and self.first_at - earlier.at <= FOLDED_WITHIN


@dataclass(frozen=True, slots=True)
class StepShape:
    """A step's name and times in milliseconds."""

    name: str
    start_ms: float
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceShape:
    """What everybody with SEE_TRACE may know: sizes, times and counts, and no word of the content."""

    steps: tuple[StepShape, ...]
    queue_ms: float
    total_ms: float
    first_token_ms: float | None
    prompt_tokens: int
    cached_prompt_tokens: int
    answer_tokens: int
    candidate_count: int
    source_count: int
    content_bytes: int
    sealed_bytes: int
    times_opened: int
    erased_at: datetime | None = None


def trace_by_id(trace_id: UUID) -> Trace:
    """A trace with its key's row, without its payload; raises NotFound."""
    rows = (
        Trace.objects.filter(id=trace_id).select_related("key", "reply", "assistant").defer("sealed", "sealed_prompt")
    )
    trace: Trace | None = rows.first()
    if trace is None:
        raise NotFound
    return trace


def trace_of_reply(reply_id: UUID) -> Trace:
    """The trace of a reply with its key's row, without its payload; raises NotFound."""
    rows = (
        Trace.objects.filter(reply_id=reply_id)
        .select_related("key", "assistant", "reply")
        .defer("sealed", "sealed_prompt")
    )
    trace: Trace | None = rows.first()
    if trace is None:
        raise NotFound
    return trace


def trace_shape(trace: Trace) -> TraceShape:
    """Metrics and shape."""
    return TraceShape(
        steps=tuple(StepShape(step["name"], step["start_ms"], step["duration_ms"]) for step in trace.steps),
        queue_ms=trace.queue_ms,
        total_ms=trace.total_ms,
        first_token_ms=trace.first_token_ms,
        prompt_tokens=trace.prompt_tokens,
        cached_prompt_tokens=trace.cached_prompt_tokens,
        answer_tokens=trace.answer_tokens,
        candidate_count=trace.candidate_count,
        source_count=trace.source_count,
        content_bytes=trace.content_bytes,
        sealed_bytes=trace.sealed_bytes,
        times_opened=trace.accesses.count(),
        erased_at=trace.key.destroyed_at,
    )


def accesses_of(trace: Trace) -> list[Reading]:
    """Who opened the trace, the newest first. Reasons are for those who may read the content."""
    readings: list[Reading] = []
    for access in TraceAccess.objects.filter(trace=trace).select_related("user", "api_key")[:SHOWN_ACCESSES]:
        last = readings[-1] if readings else None
        if last is not None and last.continues(access):
            readings[-1] = replace(last, first_at=access.at, times=last.times + 1)
        else:
            readings.append(Reading(access, access.at))
    return readings


@needs(Right.READ_TRACE_CONTENT)
def open_trace(*, trace: Trace, user: User, membership: Membership, reason: str) -> TraceContent:
    """The content, logged with person, reason and time before it is returned.

    Raises Forbidden, ReasonMissing (nothing is logged then), or TraceUnreadable or TraceErased, whose attempt is
    logged as long as the chain's key is at hand: the caller has to let the transaction commit. `trace` must come from
    the database in this scope.
    """
    return open_trace_and_analyses(trace=trace, user=user, membership=membership, reason=reason).content


@needs(Right.READ_TRACE_CONTENT)
def open_trace_and_analyses(*, trace: Trace, user: User, membership: Membership, reason: str) -> OpenedTrace:
    """Like `open_trace`, with the contents of the trace's analyses; one entry in the log stands for both."""
    if membership.user_id != user.pk or membership.tenant_id != trace.tenant_id:
        raise Forbidden
    if not has_right(membership.role, Right.READ_TRACE_CONTENT):
        raise Forbidden
    return _open_and_log(trace, clean_reason(reason), user=user)


def open_trace_for_client(*, trace: Trace, client: ApiClient, reason: str) -> OpenedTrace:
    """Like `open_trace_and_analyses`, for other software with a key; the key stands in the log."""
    if client.tenant_id != trace.tenant_id or Scope.TRACES_CONTENT not in client.scopes:
        raise Forbidden
    return _open_and_log(trace, clean_reason(reason), api_key_id=client.key_id)


def open_trace_from_shell(*, trace: Trace, reason: str) -> TraceContent:
    """The content for somebody with a shell and the master key; logged like any other read, without a person."""
    return open_trace_and_analyses_from_shell(trace=trace, reason=reason).content


def open_trace_and_analyses_from_shell(*, trace: Trace, reason: str) -> OpenedTrace:
    """Like `open_trace_from_shell`, with the contents of the trace's analyses."""
    return _open_and_log(trace, clean_reason(reason))


def open_own_answer(*, trace: Trace, client: ApiClient, reason: str) -> TraceContent:
    """The content of an answer that this client is being given now, whatever its scopes; the key stands in the log."""
    if client.tenant_id != trace.tenant_id:
        raise Forbidden
    return _open_and_log(trace, clean_reason(reason), api_key_id=client.key_id).content


def _open_and_log(
    trace: Trace, reason: str, *, user: User | None = None, api_key_id: UUID | None = None
) -> OpenedTrace:
    try:
        with transaction.atomic():
            opened = _opened_or_none(trace)
            access = TraceAccess(trace=trace, user=user, reason=reason, opened=opened is not None)
            access.api_key_id = api_key_id
            append_to_chain(access)
            reader = Actor(ActorKind.API_KEY, str(api_key_id)) if api_key_id else user_actor(user)
            record(FactKind.TRACE_READ, subject_id=trace.id, actor=reader, opened=int(access.opened))
    except SealError as error:
        # Without the chain's key nothing can be logged, so nothing is shown either.
        logger.warning("trace_access_not_logged", trace_id=str(trace.id), reason=str(error))
        raise TraceUnreadable from None
    if opened is not None:
        return opened
    trace.key.refresh_from_db(fields=["destroyed_at"])
    raise TraceErased if trace.key.destroyed_at else TraceUnreadable


def _opened_or_none(trace: Trace) -> OpenedTrace | None:
    try:
        return OpenedTrace(content_of(trace), opened_analyses(trace))
    except SealError:
        return None
