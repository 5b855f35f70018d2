"""Checking a freely written answer against the passages that it cites."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CITATION = re.compile(r"\s*[\[［【](\d{1,2})[\]］】]")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
SUPPORT_SHARE = 0.6

Terms = Callable[[str], set[str]]


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence without its marks, the passages (from 1) that it cites, and the share of its terms found in them."""

    text: str
    cited: tuple[int, ...]
    support: float

    @property
    def is_supported(self) -> bool:
        return self.support >= SUPPORT_SHARE


def check_sentence(sentence: str, passages: Sequence[str], terms: Terms) -> CheckedSentence:
    """Support of one sentence: the share of its terms that the cited passages hold; 0 when a number is in none of them.

    A sentence without a citation is compared with all passages, and one that cites a passage that does not exist has
    no support from it.
    """
    cited = tuple(dict.fromkeys(int(mark) for mark in CITATION.findall(sentence)))
    text = CITATION.sub("", sentence).strip()
    chosen = [passages[number - 1] for number in cited if 1 <= number <= len(passages)] if cited else list(passages)
    evidence = " ".join(chosen)
    own_terms = terms(text)
    if not own_terms or not evidence:
        return CheckedSentence(text, cited, 0.0)
    if any(number not in NUMBER.findall(evidence) for number in NUMBER.findall(text)):
        return CheckedSentence(text, cited, 0.0)
    return CheckedSentence(text, cited, len(own_terms & terms(evidence)) / len(own_terms))


def check_answer(sentences: Sequence[str], passages: Sequence[str], terms: Terms) -> list[CheckedSentence]:
    """Every sentence of the answer, checked; sentences of marks alone are dropped."""
    checked = [check_sentence(sentence, passages, terms) for sentence in sentences]
    return [sentence for sentence in checked if sentence.text]
