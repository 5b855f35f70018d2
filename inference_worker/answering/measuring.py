"""What is measured of every stored answer, for Prometheus."""

from __future__ import annotations

from django.utils import timezone
from prometheus_client import Counter, Histogram

from inference_worker.answering.reranking import FAILED
from inference_worker.answering.results import Articles, Asked, CacheHit, Checked, Evidence, Generation
from inference_worker.answering.steps import Steps
from knowledge.search.ranking import RERANK

# From a GPU's milliseconds to what a loaded CPU and a long queue take.
WAITING = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13, 20, 30, 60, 120)
RERANKING = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2, 5)
BETWEEN_TOKENS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2, 5)
TOKENS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)

QUEUE_SECONDS = Histogram(
    "glassdesk_queue_wait_seconds", "From the question to a worker that claims it.", ["channel"], buckets=WAITING
)
FIRST_TOKEN_SECONDS = Histogram(
    "glassdesk_time_to_first_token_seconds", "From the question to the first token.", ["channel"], buckets=WAITING
)
TOKEN_SECONDS = Histogram(
    "glassdesk_inter_token_seconds", "From one token of an answer to the next.", buckets=BETWEEN_TOKENS
)
REPLY_SECONDS = Histogram(
    "glassdesk_reply_seconds", "From the question to the stored answer.", ["channel", "outcome"], buckets=WAITING
)
CONTEXT_TOKENS = Histogram("glassdesk_context_tokens", "Tokens of a prompt.", buckets=TOKENS)
PROMPT_TOKENS = Counter("glassdesk_prompt_tokens", "Tokens of prompts.")
CACHED_PROMPT_TOKENS = Counter("glassdesk_cached_prompt_tokens", "Tokens of prompts that the prefix cache held.")
GENERATED_TOKENS = Counter("glassdesk_generated_tokens", "Tokens of answers.")
CACHE_LOOKUPS = Counter(
    "glassdesk_answer_cache", "Answers by what the answer cache gave: exact, semantic, miss or bypass.", ["kind"]
)

RERANK_SECONDS = Histogram("glassdesk_rerank_seconds", "The reranker's second look at one search.", buckets=RERANKING)
RERANK_FAILURES = Counter("glassdesk_rerank_failures", "Searches that the reranker failed on; answered without it.")


def observe_answer(asked: Asked, evidence: Evidence, checked: Checked, steps: Steps) -> None:
    """Measure one stored answer."""
    for step in steps.records:
        if step.name == RERANK:
            RERANK_SECONDS.observe(step.duration_ms / 1000)
    RERANK_FAILURES.inc(sum(note.stage == RERANK and note.verdict == FAILED for note in steps.notes))
    waited = asked.waited_ms / 1000
    QUEUE_SECONDS.labels(asked.channel).observe(waited)
    took = (timezone.now() - asked.asked_at).total_seconds()
    REPLY_SECONDS.labels(asked.channel, checked.outcome.value).observe(took)
    if cache := _cache_gave(evidence):
        CACHE_LOOKUPS.labels(cache).inc()
    plan, generated = checked.plan, checked.draft.generated
    if generated is None or not isinstance(plan, Generation):
        return
    if checked.draft.first_ms is not None:
        FIRST_TOKEN_SECONDS.labels(asked.channel).observe(waited + checked.draft.first_ms / 1000)
    for seconds in generated.token_seconds:
        TOKEN_SECONDS.observe(seconds)
    CONTEXT_TOKENS.observe(len(plan.prompt.token_ids))
    PROMPT_TOKENS.inc(len(plan.prompt.token_ids))
    CACHED_PROMPT_TOKENS.inc(generated.cached_prompt_tokens)
    GENERATED_TOKENS.inc(len(generated.tokens))


def _cache_gave(evidence: Evidence) -> str:
    """What the answer cache gave; empty where it was not asked."""
    match evidence:
        case CacheHit():
            return evidence.original.kind.value
        case Articles():
            return "bypass" if evidence.cache_query is None else "miss"
    return ""
