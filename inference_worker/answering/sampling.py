"""How tokens are picked for one answer: as the assistant is set, overridden by what the request asked for."""

from __future__ import annotations

import secrets

from conversations.models import Assistant
from conversations.parameters import RequestParameters
from inference_worker.engine.contract import SamplingParameters

# Traces keep so many alternatives of each token even when the caller asked for fewer.
RECORDED_ALTERNATIVES = 5
MAX_SEED = 2**31 - 1


def quoting(assistant: Assistant, asked: RequestParameters, *, text: str, max_tokens: int) -> SamplingParameters:
    """The engine may write `text` and nothing else: temperature, nucleus and stop texts have nothing to decide.

    `max_tokens` only has to be enough: a quote cut in the middle would say what the article does not.
    """
    return SamplingParameters(
        max_tokens=max_tokens,
        temperature=0.0,
        seed=_seed(assistant, asked, temperature=0.0),
        choices=(text,),
        top_logprobs=_alternatives(asked),
    )


def writing(assistant: Assistant, asked: RequestParameters, *, max_tokens: int) -> SamplingParameters:
    """The engine chooses every word, in at most `max_tokens`."""
    temperature = assistant.temperature if asked.temperature is None else asked.temperature
    return SamplingParameters(
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=assistant.top_p if asked.top_p is None else asked.top_p,
        seed=_seed(assistant, asked, temperature=temperature),
        stop=tuple(assistant.stop) if asked.stop is None else asked.stop,
        top_logprobs=_alternatives(asked),
        json_schema=asked.json_schema,
    )


def token_limit(assistant: Assistant, asked: RequestParameters) -> int:
    """How long an answer may become."""
    return assistant.max_tokens if asked.max_tokens is None else asked.max_tokens


def _seed(assistant: Assistant, asked: RequestParameters, *, temperature: float) -> int | None:
    """Without any setting one is drawn, so that the trace can name it and a replay can use it."""
    if asked.seed is not None:
        return asked.seed
    if assistant.seed is None and temperature > 0:
        return secrets.randbelow(MAX_SEED + 1)
    return assistant.seed


def _alternatives(asked: RequestParameters) -> int:
    return max(RECORDED_ALTERNATIVES, asked.top_logprobs or 0)
