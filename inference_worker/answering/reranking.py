"""A second look at what a search found: the reranker reads the question beside its most promising sentences.

It is bounded in time and never needed: what it does not read, or cannot, is answered from as without it.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from inference_worker.answering.means import Means
from inference_worker.engine.contract import MAX_PAIR_TOKENS, MAX_QUESTION_TOKENS, PairScore, Reranker
from knowledge.quoting.shortlist import shortlist, with_sentence_scores
from knowledge.search.ranking import RERANK, SentenceScore
from knowledge.search.retrieval import RetrievalResult, first_places
from knowledge.text import estimate_tokens

LEAST_SENTENCES = 4
# A call that takes so many times its budget is the last of its answer.
TOO_LATE = 2.0
# Verdicts that stand in a trace's stages: fewer sentences were read than chosen, the call took too long, it failed.
CUT, LATE, FAILED = "cut", "late", "failed"

logger = structlog.get_logger(__name__)


def rerank(result: RetrievalResult, question: str, means: Means) -> RetrievalResult:
    """The first passages by the reranker's scores, which stand beside the sentences that it read; by the search's own where
    there is no reranker, or it fails.

    So many sentences are read as fit into the settings' budget at this machine's pace, but at least LEAST_SENTENCES.
    """
    reranker = means.reranker
    if reranker is None or not result.candidates or _has_given_up(means):
        return first_places(result)
    with means.steps.step(RERANK):
        try:
            result = with_sentence_scores(result, _scores(reranker, result, question, means))
        except Exception as error:
            means.steps.note(RERANK, FAILED)
            logger.warning("rerank_failed", error=type(error).__name__)
    return first_places(result)


def rerank_unhurried(result: RetrievalResult, question: str, reranker: Reranker) -> RetrievalResult:
    """The same with the whole shortlist read, however long that takes: for measuring, where nobody waits."""
    if texts := shortlist(result):
        result = with_sentence_scores(result, _by_text(texts, reranker.score(question, texts, is_urgent=False)))
    return first_places(result)


def _scores(reranker: Reranker, result: RetrievalResult, question: str, means: Means) -> dict[str, SentenceScore]:
    budget = means.settings.rerank_milliseconds
    chosen, asked = shortlist(result), min(estimate_tokens(question), MAX_QUESTION_TOKENS)
    tokens = [min(asked + estimate_tokens(text), MAX_PAIR_TOKENS) for text in chosen]
    count = means.pace.fitting(tokens, ms=budget, least=LEAST_SENTENCES)
    texts = chosen[:count]
    begun = means.steps.now_ms()
    scores = reranker.score(question, texts)
    took = means.steps.now_ms() - begun
    means.pace.observe(tokens=sum(tokens[:count]), ms=took)
    if count < len(chosen):
        means.steps.note(RERANK, CUT, sentences=float(count), chosen=float(len(chosen)))
    if took > TOO_LATE * budget:
        means.steps.note(RERANK, LATE, ms=round(took, 1))
    return _by_text(texts, scores)


def _by_text(texts: Sequence[str], scores: Sequence[PairScore]) -> dict[str, SentenceScore]:
    return {text: SentenceScore(score.relevance, score.answers) for text, score in zip(texts, scores, strict=True)}


def _has_given_up(means: Means) -> bool:
    """Whether an earlier search of this answer was read too late or not at all."""
    return any(note.stage == RERANK and note.verdict in {LATE, FAILED} for note in means.steps.notes)
