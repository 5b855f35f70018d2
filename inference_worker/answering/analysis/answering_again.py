"""Having the engine answer a recorded request again: as it was or changed on purpose, and in other words."""

from __future__ import annotations

import asyncio
import time

from inference_worker.answering.analysis.calling import Caller, collect
from inference_worker.answering.analysis.replay import (
    differences_between,
    judge,
    replay_request,
    shifts,
    token_changes,
)
from inference_worker.answering.records import token_records
from inference_worker.engine.contract import PRIORITY_BACKGROUND, Engine, Token
from tracing.analysis_content import AlternativeAnswer, Alternatives, Replay
from tracing.confidence import mean_logprob
from tracing.content import EngineRecord, TraceContent
from tracing.models import AnalysisJob

MAX_ALTERNATIVES = 5
ALTERNATIVE_TEMPERATURE = 0.8
ALTERNATIVE_TOKENS = 96


def replay(engine: Engine, record: EngineRecord, content: TraceContent, call: Caller, job: AnalysisJob) -> Replay:
    """The recorded request again, with what the job changes in it, and how the answers differ."""
    begun = time.perf_counter()
    without = tuple(str(chunk) for chunk in job.parameters.get("without", ()))
    is_free = bool(job.parameters.get("is_free", False))
    request = replay_request(
        content,
        engine,
        request_id=f"replay-{job.id}-{job.attempt}",
        without=without,
        is_free=is_free,
        priority=PRIORITY_BACKGROUND,
    )
    text, generated = call(lambda: collect(engine, request))
    tokens = token_records(generated)
    differences = differences_between(content, record, without=without, is_free=is_free)
    largest, mean = shifts(content.tokens, tokens)
    return Replay(
        verdict=judge(content.tokens, tokens, differences),
        answer=text.strip(),
        tokens=tokens,
        engine=record,
        changes=token_changes(content.tokens, tokens),
        differences=differences,
        largest_shift=largest,
        mean_shift=mean,
        duration_ms=round((time.perf_counter() - begun) * 1000, 3),
        without=without,
        is_free=is_free,
    )


def alternatives(
    engine: Engine, record: EngineRecord, content: TraceContent, call: Caller, job: AnalysisJob
) -> Alternatives:
    """Answers in the model's own words, freely picked."""
    begun = time.perf_counter()
    count = min(int(job.parameters.get("count", 3)), MAX_ALTERNATIVES)
    requests = [
        replay_request(
            content,
            engine,
            request_id=f"alternative-{job.id}-{job.attempt}-{seed}",
            is_free=True,
            temperature=ALTERNATIVE_TEMPERATURE,
            seed=seed,
            max_tokens=ALTERNATIVE_TOKENS,
            priority=PRIORITY_BACKGROUND,
        )
        for seed in range(1, count + 1)
    ]

    async def together() -> list[tuple[str, list[Token]]]:
        return list(await asyncio.gather(*(collect(engine, request) for request in requests)))

    answers = tuple(
        AlternativeAnswer(text.strip(), mean_logprob(token_records(tokens)), len(tokens))
        for text, tokens in call(together)
    )
    return Alternatives(
        answers=answers,
        temperature=ALTERNATIVE_TEMPERATURE,
        engine=record,
        duration_ms=round((time.perf_counter() - begun) * 1000, 3),
    )
