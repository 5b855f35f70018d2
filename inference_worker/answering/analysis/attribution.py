"""Which passage made the model say which sentence: score the fixed answer again while passages are removed.

Leave-one-out up to MAX_LEAVE_ONE_OUT passages; beyond, random subsets and a sparse linear model of the effect of each
passage (ContextCite, Cohen-Wang et al. 2024, arXiv:2409.00729, here on sentence log-probabilities instead of their
logit scale, which is the same for improbable sentences).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference_worker.answering.prompt import without_passages
from inference_worker.engine.contract import ChatTurn, Prompt
from knowledge.sentences import split_sentences
from tracing.analysis_content import LEAVE_ONE_OUT, SAMPLED_SUBSETS, Attribution, SentenceCauses
from tracing.content import EngineRecord, PromptRecord, TraceContent
from tracing.shown import shown_places, written_part

MAX_LEAVE_ONE_OUT = 6
SUBSETS_PER_PASSAGE = 5
LASSO_ALPHA = 0.01

Render = Callable[[Sequence[ChatTurn]], Prompt]
Score = Callable[[Prompt, Sequence[int]], Sequence[float]]


class NotAttributable(Exception):
    """The trace holds no generated answer to a prompt with passages; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """A sentence [start, end) of the answer, and the places of its tokens among those that were generated."""

    start: int
    end: int
    tokens: tuple[int, ...]

    def total(self, scores: Sequence[float]) -> float:
        """The sum over its tokens of scores of all tokens."""
        return sum(scores[place] for place in self.tokens)


def attribute(content: TraceContent, *, render: Render, score: Score, engine: EngineRecord) -> Attribution:
    """Effects of each passage in the prompt on each sentence of the answer. Raises NotAttributable.

    `score` gives the log-probability (nats) of each token of a continuation; it is called once for the whole prompt and
    once for each subset of passages, and may raise to give up.
    """
    begun = time.perf_counter()
    prompt = content.prompt
    if prompt is None or not content.tokens:
        raise NotAttributable("Nothing was generated for this answer.")
    if not prompt.passages:
        raise NotAttributable("No passage stood in the prompt, or the record does not say where.")
    spans = sentence_tokens(content)
    ids = [token.id for token in content.tokens]
    counted = _Counted(prompt, render, score, ids)
    everything = counted.scores(frozenset(range(len(prompt.passages))))
    full = [span.total(everything) for span in spans]
    if len(prompt.passages) <= MAX_LEAVE_ONE_OUT:
        method, effects = LEAVE_ONE_OUT, _leave_one_out(counted, spans, full)
    else:
        method, effects = SAMPLED_SUBSETS, _sampled(counted, spans, full)
    return Attribution(
        method=method,
        passages=tuple(passage.chunk for passage in prompt.passages),
        sentences=tuple(
            SentenceCauses(span.start, span.end, len(span.tokens), logprob, tuple(row))
            for span, logprob, row in zip(spans, full, effects, strict=True)
        ),
        passes=counted.passes,
        scored_tokens=counted.tokens,
        drift=sum(abs(new - old.logprob) for new, old in zip(everything, content.tokens, strict=True)) / len(ids),
        engine=engine,
        duration_ms=round((time.perf_counter() - begun) * 1000, 3),
    )


def sentence_tokens(content: TraceContent) -> list[TokenSpan]:
    """The answer's sentences with their tokens: each token that was shown belongs to the sentence in which it begins.

    Tokens of a sentence that was cut on its way belong to none, though they stood before those that the engine wrote next.
    What stands behind the written text, such as which questions are left open, has no tokens.
    """
    spans = split_sentences(written_part(content))
    places = shown_places(content)
    found: list[list[int]] = [[] for _ in spans]
    number = 0
    for place, at in enumerate(places):
        if at is None:
            continue
        while number < len(spans) - 1 and at >= spans[number][1]:
            number += 1
        if spans:
            found[number].append(place)
    return [TokenSpan(start, end, tuple(tokens)) for (start, end), tokens in zip(spans, found, strict=True)]


class _Counted:
    """Scores the answer after a prompt with some of the passages, and keeps count."""

    def __init__(self, prompt: PromptRecord, render: Render, score: Score, ids: Sequence[int]) -> None:
        self._prompt, self._render, self._score, self._ids = prompt, render, score, ids
        self._turns = [ChatTurn(turn.role, turn.content) for turn in prompt.turns]  # type: ignore[arg-type]
        self.passes = 0
        self.tokens = 0

    @property
    def passages(self) -> int:
        return len(self._prompt.passages)

    def scores(self, kept: frozenset[int]) -> Sequence[float]:
        """Log-probability of each token of the answer with only the passages `kept`."""
        if len(kept) == self.passages:
            prompt = Prompt(self._prompt.text, self._prompt.token_ids)
        else:
            removed = [(each.start, each.end) for i, each in enumerate(self._prompt.passages) if i not in kept]
            prompt = self._render(without_passages(self._turns, removed))
        self.passes += 1
        self.tokens += len(prompt.token_ids) + len(self._ids)
        return self._score(prompt, self._ids)


def _leave_one_out(counted: _Counted, spans: Sequence[TokenSpan], full: Sequence[float]) -> list[list[float]]:
    everything = frozenset(range(counted.passages))
    effects: list[list[float]] = [[] for _ in spans]
    for passage in range(counted.passages):
        scores = counted.scores(everything - {passage})
        for row, span, whole in zip(effects, spans, full, strict=True):
            row.append(whole - span.total(scores))
    return effects


def _sampled(counted: _Counted, spans: Sequence[TokenSpan], full: Sequence[float]) -> list[list[float]]:
    """One LASSO fit per sentence over random halves of the passages; the whole prompt counts as one more sample."""
    import numpy as np
    from sklearn.linear_model import Lasso

    generator = random.Random(0)  # noqa: S311 - an experiment, repeatable, not a secret
    rows = [[1.0] * counted.passages]
    values = [list(full)]
    for _ in range(SUBSETS_PER_PASSAGE * counted.passages):
        kept = frozenset(i for i in range(counted.passages) if generator.random() < 0.5)
        scores = counted.scores(kept)
        rows.append([float(i in kept) for i in range(counted.passages)])
        values.append([span.total(scores) for span in spans])
    masks, outcomes = np.array(rows), np.array(values)
    effects = []
    for column, span in enumerate(spans):
        tokens = max(len(span.tokens), 1)
        fitted = Lasso(alpha=LASSO_ALPHA).fit(masks, outcomes[:, column] / tokens)
        effects.append([float(weight) * tokens for weight in fitted.coef_])
    return effects
