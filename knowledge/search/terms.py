"""How much each word of a question says, and how much of the question a text covers. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log

# Words that ask or hold a sentence together. Whether an article contains them says nothing about its subject;
# PostgreSQL's `english` configuration drops the English ones, nothing drops these.
_CHINESE_FUNCTION_WORDS = re.compile(
    "什么时候|为什么|怎么办|怎么样|是不是|有没有|能不能|可不可以|可以|什么|多少|多久|多长|几个|怎么|怎样|如何|哪些|哪里|哪儿|哪个|哪|"
    "是否|还是|或者|以及|因为|所以|如果|但是|请问|我们|你们|他们|她们|它们|这个|那个|这些|那些|一个|"
    "我|你|您|他|她|它|谁|的|了|吗|呢|吧|啊|是|在|和|与|及|或|被|把|从|对|为|于|以|而|之|其|这|那|都|也|就|还|要|会|能|有|不|没"
)


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A search term of a question: in how many passages it occurs, and its weight (rare is heavy, unknown heaviest)."""

    text: str
    frequency: int
    weight: float


def without_function_words(text: str) -> str:
    """A Chinese question with its function words blanked out, for terms that carry meaning only."""
    return _CHINESE_FUNCTION_WORDS.sub(" ", text)


def weigh(frequencies: Mapping[str, int], *, passages: int) -> tuple[QueryTerm, ...]:
    """Inverse document frequency in its BM25 form, scaled so that a term found nowhere weighs 1."""
    most = log(1 + (passages + 0.5) / 0.5)
    return tuple(
        QueryTerm(text, frequency, log(1 + (passages - frequency + 0.5) / (frequency + 0.5)) / most if most else 1.0)
        for text, frequency in sorted(frequencies.items())
    )


def coverage(terms: Sequence[QueryTerm], text_terms: Collection[str]) -> float:
    """The share of the question's weight that the text contains, 0 to 1; 0 for a question without terms."""
    total = sum(term.weight for term in terms)
    return sum(term.weight for term in terms if term.text in text_terms) / total if total else 0.0


def known_share(terms: Sequence[QueryTerm]) -> float | None:
    """The share of the question's weight in words that any passage contains; None for a question without terms."""
    return coverage(terms, {term.text for term in terms if term.frequency}) if terms else None


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())


def is_stem(stem: str, word: str) -> bool:
    """Whether PostgreSQL's stemmer may have made `stem` of `word` ("deliveri" of "delivery")."""
    if stem == word:
        return True
    same = 0
    while same < min(len(stem), len(word)) and stem[same] == word[same]:
        same += 1
    return same >= 3 and len(stem) - same <= 1 and len(word) - same <= 4
