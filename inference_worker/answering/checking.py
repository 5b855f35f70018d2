"""Is a freely written answer backed by what it cites? Finds the quotes that back it, or says that nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference_worker.answering.citations import CheckedSentence, check_answer
from knowledge.quoting.selection import Quote, whole_quote
from knowledge.search.retrieval import Candidate
from knowledge.sentences import split_sentences
from knowledge.text import search_terms

SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """`groundedness` is the mean support of the sentences, 0 to 1; `quotes` are the best-matching article sentences."""

    is_supported: bool
    groundedness: float
    quotes: tuple[Quote, ...]


def content_terms(text: str) -> set[str]:
    """Terms that carry meaning: Chinese bigrams, numbers, and Latin words of some length."""
    return {
        term for term in search_terms(text) if not term.isascii() or term[0].isdigit() or len(term) >= SHORTEST_WORD
    }


def check_generated(answer: str, passages: Sequence[Candidate]) -> CheckedAnswer:
    """Check every sentence against the passages in the prompt's order; one without support spoils the answer."""
    sentences = [answer[start:end] for start, end in split_sentences(answer)]
    checked = check_answer(sentences, [passage.text for passage in passages], content_terms)
    if not checked:
        return CheckedAnswer(False, 0.0, ())
    quotes = [quote for sentence in checked if (quote := _backing_quote(sentence, passages)) is not None]
    return CheckedAnswer(
        is_supported=all(sentence.is_supported for sentence in checked),
        groundedness=sum(sentence.support for sentence in checked) / len(checked),
        quotes=tuple(dict.fromkeys(quotes)),
    )


def _backing_quote(sentence: CheckedSentence, passages: Sequence[Candidate]) -> Quote | None:
    """The article sentence that shares most terms with it, in the passages that it cites."""
    wanted = content_terms(sentence.text)
    numbers = sentence.cited or range(1, len(passages) + 1)
    best: tuple[int, Quote] | None = None
    for number in numbers:
        if not 1 <= number <= len(passages):
            continue
        candidate = passages[number - 1]
        for found, compared in zip(candidate.sentences, candidate.compared, strict=True):
            shared = len(wanted & content_terms(compared))
            if shared and (best is None or shared > best[0]):
                best = (shared, whole_quote(candidate, found))
    return best[1] if best else None
