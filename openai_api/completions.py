"""Answers as OpenAI's objects: `chat.completion`, its chunks, usage and log-probabilities. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openai_api.answers import ChatAnswer
from tracing.content import TokenRecord

DONE = b"data: [DONE]\n\n"
WAITING = b": waiting\n\n"


@dataclass(frozen=True, slots=True)
class Heading:
    """What every object of one completion begins with; `created` is in seconds."""

    id: str
    created: int
    model: str

    def as_dict(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def completion(heading: Heading, answers: Sequence[ChatAnswer], *, alternatives: int | None) -> dict[str, Any]:
    """The whole completion. Sources and trace of the first choice stand beside the choices, as of each in it."""
    return {
        **heading.as_dict("chat.completion"),
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": answer.text, "refusal": None},
                "logprobs": logprobs(answer, alternatives),
                "finish_reason": answer.finish_reason,
                **extras(answer),
            }
            for index, answer in enumerate(answers)
        ],
        "usage": usage(answers),
        **extras(answers[0]),
    }


def first_chunk(heading: Heading, index: int, *, usage_follows: bool) -> bytes:
    """Says who speaks."""
    return _chunk(heading, index, {"role": "assistant", "content": ""}, usage_follows=usage_follows)


def text_chunk(heading: Heading, index: int, text: str, *, usage_follows: bool) -> bytes:
    """Text to append."""
    return _chunk(heading, index, {"content": text}, usage_follows=usage_follows)


def last_chunk(
    heading: Heading, index: int, answer: ChatAnswer, *, alternatives: int | None, usage_follows: bool
) -> bytes:
    """Ends one choice: why, with its sources, its trace and all of its log-probabilities."""
    return _chunk(
        heading,
        index,
        {},
        usage_follows=usage_follows,
        finish_reason=answer.finish_reason,
        logprobs=logprobs(answer, alternatives),
        answer=answer,
    )


def usage_chunk(heading: Heading, answers: Sequence[ChatAnswer]) -> bytes:
    """What the whole completion took."""
    return event({**heading.as_dict("chat.completion.chunk"), "choices": [], "usage": usage(answers)})


def event(data: dict[str, Any]) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def extras(answer: ChatAnswer) -> dict[str, Any]:
    """What the desk says about an answer beyond OpenAI's fields."""
    return {
        "note": answer.note,
        "sources": list(answer.sources),
        "trace_id": answer.trace_id,
        "confidence": answer.confidence,
        "outcome": answer.outcome,
        "cache": answer.cache,
    }


def usage(answers: Sequence[ChatAnswer]) -> dict[str, Any]:
    """Tokens of all choices together."""
    prompt, written = (sum(each.prompt_tokens for each in answers), sum(each.completion_tokens for each in answers))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": sum(each.cached_tokens for each in answers)},
    }


def logprobs(answer: ChatAnswer, alternatives: int | None) -> dict[str, Any] | None:
    """Each token's log-probability with at most so many alternatives; None when they were not asked for."""
    if alternatives is None or answer.tokens is None:
        return None
    return {"content": [_token(token, alternatives) for token in answer.tokens], "refusal": None}


def _token(token: TokenRecord, alternatives: int) -> dict[str, Any]:
    others = [_entry(other.text, other.logprob) for other in token.alternatives[:alternatives]]
    return {**_entry(token.text, token.logprob), "top_logprobs": others}


def _entry(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _chunk(
    heading: Heading,
    index: int,
    delta: dict[str, Any],
    *,
    usage_follows: bool,
    finish_reason: str | None = None,
    logprobs: dict[str, Any] | None = None,
    answer: ChatAnswer | None = None,
) -> bytes:
    details = extras(answer) if answer else {}
    choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason, **details}
    whole = {**heading.as_dict("chat.completion.chunk"), "choices": [choice], **details}
    return event(whole | {"usage": None} if usage_follows else whole)
