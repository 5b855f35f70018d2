"""Do the articles answer the question at all? A calibrated score, and the threshold below which the desk declines.

The score is a logistic model of the evidence for the best sentence: its cosine and its passage's, and the idf-weighted
shares of the question's words that the sentence, its passage and all passages contain. No coefficient is negative, so
better evidence never lowers the score. An e5 cosine alone is no confidence (those of on-topic and off-topic questions
overlap, and each collection has its own level), and words alone miss a question that is put differently.

The coefficients were fitted by logistic regression with multilingual-e5-small on: the first 24 articles of XQuAD in
both languages and the CMRC 2018 trial set (each question with its own collection, and against the half of the articles
that lacks its own), CLINC150 utterances, and the demo companies' questions; a collection's weight does not depend on
its size. Cross-language ones: the XQuAD questions against the articles in the other language. The intercepts are moved
so that 0.5 is the default threshold.

Those of sentences that a reranker read were fitted as `manage.py fit_answerability` does it, on help centres that it had not
learned from and on the demo companies' questions: does the best sentence answer? At 0.5 they decline at most 6 % of the
questions that it does answer, across languages 8 %; the English intercept was set by hand between the fits for 6 and 8 %.
docs/decisions/ tells what all this does and does not measure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Any, Literal

from knowledge.quoting.scoring import ScoredSentence
from knowledge.search.retrieval import RetrievalResult

Kind = Literal["en", "zh", "cross", "words", "en-reranked", "zh-reranked", "cross-reranked", "words-reranked"]

DEFAULT_THRESHOLD = 0.5

# Cosines mean something else with every embedding model; with another one only words count until it is calibrated.
CALIBRATED_WITH = "multilingual-e5-small"


# What a sentence's evidence consists of, in the order of `evidence_of`.
EVIDENCE = ("cosine", "passage_cosine", "coverage", "passage_coverage", "known", "answers")


@dataclass(frozen=True, slots=True)
class Model:
    """Log-odds of the evidence: `intercept` plus each coefficient times its share, cosine, or log-odds ("answers")."""

    intercept: float
    cosine: float = 0.0
    passage_cosine: float = 0.0
    coverage: float = 0.0
    passage_coverage: float = 0.0
    known: float = 0.0
    answers: float = 0.0

    def log_odds(self, evidence: ScoredSentence) -> float:
        """Above 0: more likely answered than not."""
        return self.intercept + sum(
            weight * value for weight, value in zip(self.weights, evidence_of(evidence), strict=True)
        )

    @property
    def weights(self) -> tuple[float, ...]:
        """The coefficients in the order of EVIDENCE."""
        return (
            self.cosine,
            self.passage_cosine,
            self.coverage,
            self.passage_coverage,
            self.known,
            self.answers,
        )


def evidence_of(sentence: ScoredSentence) -> tuple[float, ...]:
    """The measured parts, more of each being better; a reranker's is 0 where none read the sentence."""
    return (
        sentence.cosine,
        sentence.passage_cosine,
        sentence.coverage,
        sentence.passage_coverage,
        sentence.known,
        sentence.reranked.answers if sentence.reranked else 0.0,
    )


# `cross`: the passage is in another language than the question (cosines of centred vectors). `words`: no vectors, or
# those of another model.
MODELS: dict[Kind, Model] = {
    "en": Model(-68.23, 53.60, 26.75, 0.0, 1.99, 1.78),
    "zh": Model(-108.75, 60.02, 60.89, 1.37, 0.08, 5.07),
    "cross": Model(-8.35, 14.44, 15.86, 6.47, 1.64, 1.41),
    "words": Model(-3.0, 0.0, 0.0, 0.5, 3.0, 3.9),
    "en-reranked": Model(-9.98, cosine=12.113, coverage=0.765, known=0.184, answers=0.557),
    "zh-reranked": Model(-24.0, cosine=27.356, coverage=0.725, answers=0.854),
    "cross-reranked": Model(-1.724, cosine=7.865, coverage=5.044, answers=0.473),
    "words-reranked": Model(1.238, coverage=0.578, passage_coverage=0.738, known=0.331, answers=0.546),
}


def kind_of(result: RetrievalResult, evidence: ScoredSentence) -> Kind:
    """Which model judges this evidence."""
    is_read = evidence.reranked is not None
    if result.query_vector is None or CALIBRATED_WITH not in result.embedded_with:
        return "words-reranked" if is_read else "words"
    if evidence.candidate.is_other_language:
        return "cross-reranked" if is_read else "cross"
    if result.language == "zh":
        return "zh-reranked" if is_read else "zh"
    return "en-reranked" if is_read else "en"


def answer_probability(evidence: ScoredSentence, *, kind: Kind) -> float:
    """The score of the evidence, 0 to 1."""
    return 1.0 / (1.0 + exp(-max(-60.0, min(60.0, MODELS[kind].log_odds(evidence)))))


def threshold_for(gate: Mapping[str, Any] | None, kind: Kind) -> float:
    """The assistant's own threshold for this kind of evidence, else the default.

    `gate` is `{"threshold": {"en": 0.6, "zh": 0.4}}`; a single number serves all kinds; anything else is ignored.
    """
    own = (gate or {}).get("threshold")
    if isinstance(own, Mapping):
        own = own.get(kind)
    if isinstance(own, int | float) and not isinstance(own, bool) and 0.0 <= own <= 1.0:
        return float(own)
    return DEFAULT_THRESHOLD
