"""What an answered reply has to say: text, sources, usage, and its tokens' probabilities when the caller asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conversations.language_notes import language_note
from conversations.models import AnswerStyle, Reply
from conversations.shapes import public_sources
from helpdesk.api_keys.domain import ApiClient
from openai_api.errors import AnswerFailed
from tracing.content import TokenRecord
from tracing.models import Trace
from tracing.read import open_own_answer
from tracing.shown import shown_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAnswer:
    """One choice. `cache` says how it was found when it was given before; `tokens` is None when they were not asked for.

    `note` says in which language the quoted article is, where it is not the question's.
    """

    text: str
    outcome: str
    note: str
    sources: Sequence[dict[str, Any]]
    confidence: str | None
    trace_id: str
    cache: str | None
    model: str
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    tokens: Sequence[TokenRecord] | None


def read_answer(client: ApiClient, reply: Reply, *, with_tokens: bool) -> ChatAnswer:
    """The stored answer; runs in the tenant's scope. Raises AnswerFailed when it is gone already."""
    rows = Trace.objects.filter(reply_id=reply.id).select_related("key")
    trace = rows.first() if with_tokens else rows.defer("sealed", "sealed_prompt").first()
    if reply.answer is None or trace is None:
        raise AnswerFailed
    return ChatAnswer(
        text=reply.answer.body,
        outcome=reply.answer.outcome,
        note=language_note(reply.answer),
        sources=[source.as_json() for source in public_sources(reply.answer.sources)],
        confidence=None if trace.style in {AnswerStyle.FREE, AnswerStyle.FIXED} else trace.confidence_band,
        trace_id=str(trace.id),
        cache=trace.cache or None,
        model=trace.model,
        finish_reason="length" if trace.finish_reason == "length" else "stop",
        prompt_tokens=trace.prompt_tokens,
        cached_tokens=trace.cached_prompt_tokens,
        completion_tokens=trace.answer_tokens,
        tokens=_tokens(trace, client) if with_tokens else None,
    )


def _tokens(trace: Trace, client: ApiClient) -> tuple[TokenRecord, ...]:
    """The tokens of the sealed trace that make up the answer; opening it is logged like every read."""
    content = open_own_answer(trace=trace, client=client, reason="token probabilities returned with the answer")
    return tuple(shown_tokens(content))
