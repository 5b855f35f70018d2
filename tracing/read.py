"""Reading traces: metrics and shape for many roles; the content for few, after a stated reason, and logged.

Every function runs inside `tenant_atomic`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from helpdesk.crypto import SealError
from helpdesk.errors import Forbidden, GlassdeskError, InvalidInput, NotFound
from helpdesk.permissions import Right, has_right
from helpdesk.tenants.scope import current_tenant_id
from helpdesk.users.models import Membership, User
from tracing.content import TraceContent
from tracing.keys import unwrapped
from tracing.models import Trace, TraceAccess
from tracing.sealing import associated_data, unseal_content

MIN_REASON = 5
MAX_REASON = 300
SHOWN_ACCESSES = 50
# Hangul fillers and the empty Braille pattern: letters and symbols by category, but nothing to see.
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"


class ReasonMissing(InvalidInput):
    """Content is shown only to somebody who says what for."""

    code = "reason_missing"
    message = _("Say in a few words why you need to read this: at least 5 characters.")


class TraceUnreadable(GlassdeskError):
    """The sealed content does not open: its key is gone or its bytes were altered."""

    code = "trace_unreadable"
    status = 500
    message = _(
        "The sealed content could not be opened: its key is missing or it was altered. Ask an owner to check it."
    )


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


def trace_of_reply(reply_id: UUID) -> Trace:
    """The trace of a reply, without its payload; raises NotFound."""
    trace: Trace | None = Trace.objects.filter(reply_id=reply_id).defer("sealed").first()
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
    )


def accesses_of(trace: Trace) -> list[TraceAccess]:
    """Who opened the trace, the newest first. Reasons are for those who may read the content."""
    return list(TraceAccess.objects.filter(trace=trace).select_related("user")[:SHOWN_ACCESSES])


def open_trace(*, trace: Trace, user: User, membership: Membership, reason: str) -> TraceContent:
    """The content, logged with person, reason and time before it is returned.

    Raises Forbidden, ReasonMissing (nothing is logged then) or TraceUnreadable, whose attempt is logged: the caller
    has to let the transaction commit. `trace` must come from the database in this scope.
    """
    if membership.user_id != user.pk or membership.tenant_id != trace.tenant_id:
        raise Forbidden
    if not has_right(membership.role, Right.READ_TRACE_CONTENT):
        raise Forbidden
    return _open_and_log(trace, user, clean_reason(reason))


def open_trace_from_shell(*, trace: Trace, reason: str) -> TraceContent:
    """The content for somebody with a shell and the master key; logged like any other read, without a person."""
    return _open_and_log(trace, None, clean_reason(reason))


def _open_and_log(trace: Trace, user: User | None, reason: str) -> TraceContent:
    with transaction.atomic():
        content = _content_or_none(trace)
        TraceAccess.objects.create(trace=trace, user=user, reason=reason, opened=content is not None)
    if content is None:
        raise TraceUnreadable
    return content


def clean_reason(reason: str) -> str:
    """The reason on one line, without invisible characters. Raises ReasonMissing when too little is left."""
    shown = "".join(" " if character.isspace() else character for character in reason if _is_shown(character))
    shown = " ".join(shown.split())[:MAX_REASON]
    if len(shown.replace(" ", "")) < MIN_REASON:
        raise ReasonMissing
    return shown


def _is_shown(character: str) -> bool:
    """White space and everything with ink; neither control, format, surrogate, unassigned nor blank characters."""
    return character.isspace() or not (unicodedata.category(character).startswith("C") or character in BLANK_LETTERS)


def _content_or_none(trace: Trace) -> TraceContent | None:
    associated = associated_data(tenant_id=current_tenant_id(), trace_id=trace.id, version=trace.format)
    try:
        return unseal_content(unwrapped(trace.key), bytes(trace.sealed), associated)
    except SealError:
        return None
