"""One written sentence held against the passages that it cites, or all of the prompt's when it cites none."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce

import structlog

from inference_worker.answering.checking.claims import Speech, plain, speech_of
from inference_worker.answering.checking.facts import Source
from inference_worker.answering.checking.negation import Clause, clauses, disagrees, is_negated
from inference_worker.answering.checking.support import (
    SCORE_THRESHOLD,
    Reranker,
    best_score,
    content_terms,
    is_enough,
    overlap,
)
from inference_worker.answering.checking.units import CITATION
from knowledge.quoting.selection import Quote, whole_quote
from knowledge.search.retrieval import Candidate
from knowledge.sentences import split_sentences

logger = structlog.get_logger(__name__)

# Words to the model instead of to customers, from which nothing may be taken: whoever can write into an article, or into what
# was imported as one, is not who runs the desk.
_TO_THE_MODEL = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,60}\b(?:rules?|instructions?|prompts?|guidelines?|passages?)\b"
    r"|\bsystem prompt\b|\b(?:you are|act as) (?:now )?(?:an? )?(?:ai|assistant|chatbot|language model)\b|<\|"
    r"|(?:忽略|无视|忘记|不要理会|跳过)[^。！？\n]{0,20}(?:规则|指令|指示|提示|要求|说明|设定)|系统提示词?|你(?:现在)?是(?:一个)?(?:AI|人工智能|助手|机器人)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a sentence is and whether it may be shown: `reason` is "" or why not. `support` and `score` as recorded."""

    speech: Speech
    reason: str = ""
    support: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a sentence may be taken from."""

    source: Source
    terms: frozenset[str]
    clauses: tuple[Clause, ...]
    sentences: tuple[str, ...]

    def joined(self, other: _Evidence) -> _Evidence:
        """Both together."""
        return _Evidence(
            source=self.source.joined(other.source),
            terms=self.terms | other.terms,
            clauses=self.clauses + other.clauses,
            sentences=self.sentences + other.sentences,
        )


class SentenceJudge:
    """Judges the sentences of one answer. `passages` stand in the prompt's order, numbered from 1."""

    def __init__(
        self,
        passages: Sequence[Candidate],
        question: str,
        *,
        own_names: Collection[str] = (),
        reranker: Reranker | None = None,
        score_threshold: float | None = SCORE_THRESHOLD,
    ) -> None:
        self._passages = passages
        self._texts = [_readable(passage) for passage in passages]
        self._question = question
        self._own_names = tuple(own_names)
        self._own_terms = content_terms(" ".join(own_names))
        self._reranker = reranker if score_threshold is not None else None
        self._threshold = score_threshold
        self._evidence: dict[tuple[int, ...], _Evidence] = {}

    def prepare(self) -> None:
        """Read the passages: the engine needs longer for its prompt, and the first sentence then waits for nothing."""
        for number in range(1, len(self._texts) + 1):
            self._evidence_of((number,))

    def judge(self, text: str) -> Judged:
        """Whether the sentence may be shown."""
        speech, cited = speech_of(text), citations(text)
        if speech is Speech.LEAD_IN and is_negated(plain(text)):
            speech = Speech.CLAIM
        numbers = tuple(number for number in cited if 1 <= number <= len(self._texts))
        if cited and not numbers:
            return Judged(speech, "citation", 0.0 if speech is Speech.CLAIM else None)
        evidence = self._evidence_of(numbers or tuple(range(1, len(self._texts) + 1)))
        reason = evidence.source.reason_against(text)
        if reason and speech is Speech.ECHO:
            reason = self._question_and(evidence).reason_against(text)
        if speech is not Speech.CLAIM:
            return Judged(speech, reason)
        own = content_terms(plain(text)) - self._own_terms
        support = overlap(own, set(evidence.terms))
        reason = reason or ("negation" if disagrees(text, evidence.clauses, content_terms) else "")
        reason = reason or ("" if is_enough(support, own) else "unsupported")
        score = None if reason else self._score(text, evidence)
        if score is not None and self._threshold is not None and score < self._threshold:
            reason = "unsupported"
        return Judged(speech, reason, support, score)

    def quotes_of(self, text: str) -> list[Quote]:
        """The article sentences that share most terms with it: one of each passage that it cites, or the best of all."""
        cited, wanted = citations(text), content_terms(plain(text))
        if cited:
            found = [self._nearest(wanted, [number]) for number in cited if 1 <= number <= len(self._passages)]
            return [quote for _, quote in filter(None, found)]
        nearest = self._nearest(wanted, range(1, len(self._passages) + 1))
        return [nearest[1]] if nearest else []

    def _score(self, text: str, evidence: _Evidence) -> float | None:
        """The reranker's opinion; None without one, and from where it fails on: it is never needed."""
        if self._reranker is None:
            return None
        try:
            return best_score(plain(text), evidence.sentences, self._reranker)
        except Exception as error:
            self._reranker = None
            logger.warning("sentence_score_failed", error=type(error).__name__)
            return None

    def _evidence_of(self, numbers: tuple[int, ...]) -> _Evidence:
        if numbers not in self._evidence:
            if len(numbers) == 1:
                found = self._read(self._texts[numbers[0] - 1])
            elif numbers:
                found = reduce(_Evidence.joined, (self._evidence_of((number,)) for number in numbers))
            else:
                found = self._read("")
            self._evidence[numbers] = found
        return self._evidence[numbers]

    def _read(self, text: str) -> _Evidence:
        return _Evidence(
            source=Source.of(text, self._own_names),
            terms=frozenset(content_terms(text)),
            clauses=tuple(clauses(text, content_terms)),
            sentences=tuple(text[start:end] for start, end in split_sentences(text)),
        )

    def _question_and(self, evidence: _Evidence) -> Source:
        return evidence.source.joined(Source.of(self._question))

    def _nearest(self, wanted: set[str], numbers: Sequence[int]) -> tuple[int, Quote] | None:
        best: tuple[int, Quote] | None = None
        for number in numbers:
            candidate = self._passages[number - 1]
            for sentence, compared in zip(candidate.sentences, candidate.compared, strict=True):
                shared = len(wanted & content_terms(compared))
                if shared and (best is None or shared > best[0]):
                    best = (shared, whole_quote(candidate, sentence))
        return best


def citations(text: str) -> tuple[int, ...]:
    """The numbers of the passages that a sentence cites, each once."""
    return tuple(dict.fromkeys(int(mark) for mark in CITATION.findall(text)))


def _readable(passage: Candidate) -> str:
    """Title, headings and text, without what speaks to the model: from there on to the end of the line."""
    kept = [passage.title, passage.heading]
    for line in passage.text.split("\n"):
        found = next(
            (start for start, end in split_sentences(line) if _TO_THE_MODEL.search(line[start:end])), len(line)
        )
        kept.append(line[:found])
    return "\n".join(kept)
