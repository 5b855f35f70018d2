"""Trace contents for tests: one answer in quote style, one refusal; every field filled that applies."""

from __future__ import annotations

import math
from dataclasses import replace

from conversations.models import Outcome
from tracing.confidence import assess
from tracing.content import (
    CandidateRecord,
    Dropped,
    EngineRecord,
    HistoryMessage,
    PromptRecord,
    PromptTurn,
    SamplingRecord,
    ScoreRecord,
    Selection,
    StepRecord,
    TokenAlternative,
    TokenRecord,
    TraceContent,
)
from tracing.record import TraceRecord

SENTINEL = "zebra-sentinel-7391"
ANSWER = "Delivery takes two to four working days."
PASSAGE = f"We pack every morning. {ANSWER} Islands take a day longer."


def make_token(text: str, probability: float, *, number: int = 1, rank: int = 1) -> TokenRecord:
    """A token and two alternatives that share most of the remaining probability."""
    rest = (1 - probability) * 0.9
    others = (
        TokenAlternative(number, text, math.log(probability)),
        TokenAlternative(9001, " about", math.log(rest * 0.7)),
        TokenAlternative(9002, " up", math.log(rest * 0.3)),
    )
    ordered = tuple(sorted(others, key=lambda other: -other.logprob))
    return TokenRecord(number, text, math.log(probability), rank, ordered)


TOKENS = tuple(
    make_token(text, probability, number=number)
    for number, (text, probability) in enumerate(
        [
            ("Delivery", 0.93),
            (" takes", 0.98),
            (" two", 0.31),
            (" to", 0.74),
            (" four", 0.06),
            (" working", 0.55),
            (" days", 0.97),
            (".", 0.9),
        ]
    )
)


def make_scores(number: int, **ranks: int | None) -> dict[str, ScoreRecord]:
    """Scores of place `number` in every search, or of another place in the named ones; None leaves one out."""
    scores = {
        "dense": ScoreRecord(0.93 - number / 50, number),
        "lexical": ScoreRecord(0.4 / number, number),
        "fused": ScoreRecord(2 / (60 + number), number),
    }
    placed = {name: ranks.get(name, score.rank) for name, score in scores.items()}
    return {name: ScoreRecord(scores[name].score, rank) for name, rank in placed.items() if rank is not None}


def make_candidate(number: int, *, used: bool = False, **changes: object) -> CandidateRecord:
    """A passage at place `number` of every search."""
    start = PASSAGE.index(ANSWER)
    fields = {
        "chunk": f"00000000-0000-0000-0000-{number:012}",
        "article": f"11111111-0000-0000-0000-{number:012}",
        "version": 2,
        "slug": f"delivery-{number}",
        "title": f"Delivery {number}",
        "heading": "Delivery > Times",
        "language": "en",
        "text": PASSAGE,
        "scores": make_scores(number),
        "used": used,
        "quoted": ((start, start + len(ANSWER)),) if used else (),
    }
    return CandidateRecord(**(fields | changes))  # type: ignore[arg-type]


ENGINE = EngineRecord(
    model="glassdesk/packaged-chat",
    revision="3f1c",
    quantization="gptq-int4",
    engine="vllm",
    engine_version="0.11.0",
    device="cpu",
    max_model_len=2048,
    libraries={"torch": "2.8.0"},
)
SELECTION = Selection(answerable=True, score=0.82, threshold=0.4, margin=0.11, features={"dense_top": 0.91})


def make_content(**changes: object) -> TraceContent:
    """The content of an answered question."""
    candidates = (
        make_candidate(1, used=True),
        make_candidate(2),
        make_candidate(3, scores=make_scores(3, lexical=None)),
    )
    content = TraceContent(
        question="How long does delivery take?",
        search_query="delivery duration",
        language="en",
        style="quote",
        answer=ANSWER,
        history=(HistoryMessage("customer", "Hello"), HistoryMessage("ai", "Hello! What would you like to know?")),
        prompt=PromptRecord(
            text=f"<|system|>Answer from the passages. {SENTINEL}<|user|>How long?<|assistant|>",
            token_ids=(1, 2, 3, 5, 8),
            template_version="quote-1",
            turns=(PromptTurn("system", f"Answer from the passages. {SENTINEL}"), PromptTurn("user", "How long?")),
        ),
        tokens=TOKENS,
        sampling=SamplingRecord(max_tokens=256, temperature=0.0, top_p=1.0, seed=0, choices=(ANSWER,), top_logprobs=5),
        engine=ENGINE,
        embedder={"model": "multilingual-e5-small", "revision": "c007"},
        candidates=candidates,
        selection=SELECTION,
        confidence=assess(selection=SELECTION, candidates=candidates, tokens=TOKENS),
        steps=(
            StepRecord("retrieve", 0.0, 38.4),
            StepRecord("prompt", 38.4, 2.1),
            StepRecord("first_token", 40.5, 210.0),
            StepRecord("decode", 250.5, 640.0),
        ),
        dropped=(Dropped("history", "1", 42),),
    )
    return replace(content, **changes)  # type: ignore[arg-type]


def make_refusal() -> TraceContent:
    """The content of a question that the gate refused: nothing was generated."""
    selection = Selection(answerable=False, score=0.12, threshold=0.4, margin=0.01)
    return make_content(
        answer="I could not find this in our articles.",
        prompt=None,
        tokens=(),
        sampling=None,
        engine=None,
        selection=selection,
        candidates=(make_candidate(1), make_candidate(2)),
        confidence=assess(selection=selection),
        steps=(StepRecord("retrieve", 0.0, 35.0),),
        dropped=(),
    )


def make_record(content: TraceContent | None = None, **changes: object) -> TraceRecord:
    """A record with round times."""
    record = TraceRecord(
        content=content or make_content(),
        outcome=Outcome.ANSWERED,
        queue_ms=12.5,
        retrieve_ms=38.4,
        first_token_ms=250.5,
        total_ms=901.25,
        finish_reason="stop",
        cached_prompt_tokens=3,
    )
    return replace(record, **changes)  # type: ignore[arg-type]
