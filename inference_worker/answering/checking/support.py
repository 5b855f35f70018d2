"""How far passages back a sentence: the share of its words that they hold, and what a reranker makes of the pair. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from inference_worker.answering.checking.figures import in_digits
from knowledge.folding import folded
from knowledge.text import search_terms

SHORTEST_WORD = 4
SUPPORT_SHARE = 0.6
# One foreign word of three is the whole point of a short sentence.
SHORT_TERMS = 4
SHORT_SHARE = 0.75
# What the reranker reads of the sources: the sentences that share most words with what was written.
MOST_READ = 6
# Log-odds that the reranker must give a sentence with its best source. None until it is fitted (`bench/support.py`): a
# threshold that nobody measured would cut right sentences.
SCORE_THRESHOLD: float | None = None

# Figures and days, which are compared as such, and characters that only join others.
_NO_WORDS = re.compile(r"\d+|[的了吗呢吧啊呀]|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b", re.IGNORECASE)
_ENDINGS = ("ing", "ies", "es", "ed", "ly", "s", "y", "e")


class PairScore(Protocol):
    """The reranker's opinion of one pair."""

    @property
    def relevance(self) -> float: ...


class Reranker(Protocol):
    """Reads a sentence and its sources together."""

    def score(self, question: str, texts: Sequence[str]) -> Sequence[PairScore]:
        """The scores of each text, in the order given."""


def content_terms(text: str) -> set[str]:
    """Terms that carry meaning, in one form: Chinese bigrams, and Latin words of some length. Figures are compared apart."""
    words = _NO_WORDS.sub(" ", in_digits(folded(text)))
    return {_root(term) for term in search_terms(words) if len(term) >= (SHORTEST_WORD if term.isascii() else 2)}


def overlap(sentence: set[str], source: set[str]) -> float:
    """The share of the sentence's terms that the source holds; 0 for a sentence without any."""
    return len(sentence & source) / len(sentence) if sentence else 0.0


def is_enough(share: float, sentence: set[str]) -> bool:
    """Whether a sentence of these terms is backed by a source that holds this share of them."""
    return share >= (SHORT_SHARE if len(sentence) <= SHORT_TERMS else SUPPORT_SHARE)


def best_score(sentence: str, sources: Sequence[str], reranker: Reranker) -> float | None:
    """The reranker's highest relevance of a source to the sentence; None without sources."""
    wanted = content_terms(sentence)
    nearest = sorted(sources, key=lambda each: -len(wanted & content_terms(each)))[:MOST_READ]
    return max((each.relevance for each in reranker.score(sentence, nearest)), default=None)


def _root(term: str) -> str:
    """An English word without its ending: "returned", "returning" and "returns" are the same word here."""
    if not term.isascii() or not term.isalpha():
        return term
    for ending in _ENDINGS:
        if term.endswith(ending) and len(term) - len(ending) >= SHORTEST_WORD - 1:
            return term[: -len(ending)]
    return term
