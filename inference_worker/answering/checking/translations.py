"""Whether a translation may stand beside its source: what can be compared across languages is the same. Pure functions.

Figures by value and unit, codes, links and addresses, in both directions; what is denied; the language and the length. It
does not see a wrong word: the source stands beside it.
"""

from __future__ import annotations

import re

from inference_worker.answering.checking.facts import facts_of
from inference_worker.answering.checking.negation import is_negated
from knowledge.quoting import codes
from knowledge.text import detect_language, is_cjk

KEPT = ""
# One Chinese character says about as much as three English letters.
SHORTEST = {"zh": 0.1, "en": 1.0}
LONGEST = {"zh": 1.2, "en": 8.0}
SPARE_CHARACTERS = 20

# Of no language.
_ADDRESS = re.compile(r"[^\s，。；：、（）]*(?:://|@|www\.)[^\s，。；、（）]*")
_IS_FREE = re.compile(
    r"\bfree\b|\bgratis\b|\bcomplimentary\b|\bno (?:extra )?(?:charge|cost|fee)|免费|包邮|免运费|不收", re.IGNORECASE
)


def reason_against(source: str, translation: str, *, language: str) -> str:
    """Why it may not be shown: "language", "length", "link", "code", "number", "negation"; "" when it may.

    `language` is the one that it should be in.
    """
    if not _is_in(translation, language):
        return "language"
    shortest, longest = SHORTEST[language] * len(source), LONGEST[language] * len(source) + SPARE_CHARACTERS
    if not shortest - SPARE_CHARACTERS <= len(translation) <= longest:
        return "length"
    said, meant = facts_of(translation), facts_of(source)
    if said.links != meant.links:
        return "link"
    if _codes(translation) != _codes(source):
        return "code"
    if _figures_differ(source, translation) or (said.is_free and not _IS_FREE.search(source)):
        return "number"
    return "negation" if is_negated(source) != is_negated(translation) else KEPT


def _is_in(text: str, language: str) -> bool:
    text = _ADDRESS.sub(" ", text)
    if not text.strip() or detect_language(text) != language:
        return False
    foreign = sum(is_cjk(character) for character in text)
    return foreign == 0 if language == "en" else foreign * 4 >= sum(character.isalpha() for character in text)


def _codes(text: str) -> set[str]:
    return {"".join(codes.pieces(code)).casefold() for code in codes.codes_in(text)}


def _figures_differ(source: str, translation: str) -> bool:
    """Whether one says in figures what the other does not; a source's numbers are all of them, also those in amounts."""
    return facts_of(source, is_source=True).figures.lacks(facts_of(translation).figures) or facts_of(
        translation, is_source=True
    ).figures.lacks(facts_of(source).figures)
