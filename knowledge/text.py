"""Words of two languages: which one a text is in, what it is searched by, how it is read. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from math import ceil
from typing import Literal

from knowledge.exact import compounds, exact_terms, read_exactly
from knowledge.folding import folded

LanguageCode = Literal["en", "zh"]

CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK_CHARACTER = re.compile(f"[{CJK}]")
_CJK_RUN = re.compile(f"[{CJK}]+")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_TERM = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+(?:[.,][0-9]+)*")


def is_cjk(character: str) -> bool:
    """Whether the character belongs to the scripts that are written without spaces."""
    return _CJK_CHARACTER.fullmatch(character) is not None


def detect_language(text: str) -> LanguageCode:
    """Chinese when it has at least as many Chinese characters as Latin words, else English."""
    characters = len(_CJK_CHARACTER.findall(text))
    words = len(_LATIN_WORD.findall(text))
    return "zh" if characters and characters >= words else "en"


def search_terms(text: str) -> list[str]:
    """Lower-cased search terms of a Chinese or mixed text: character bigrams, and Latin words and numbers whole."""
    terms: list[str] = []
    for match in _TERM.finditer(folded(text).lower()):
        run = match.group()
        if len(run) == 1 or not _CJK_RUN.fullmatch(run):
            terms.append(run)
        else:
            terms.extend(run[i : i + 2] for i in range(len(run) - 1))
    return terms


def compared_terms(text: str) -> frozenset[str]:
    """The search terms of a Chinese text that is held against a question: its words, and what it says exactly."""
    return exact_terms(text).union(search_terms(text), compounds(text))


def lexical_input(text: str, language: str) -> tuple[str, str]:
    """What PostgreSQL makes a text-search vector of: its configuration, and the text in the form that suits it.

    A stored text's exact terms (`exact_terms`) are added as they are.
    """
    if language == "zh":
        return "simple", " ".join((*search_terms(text), *compounds(text)))
    return "english", " ".join((folded(text), *compounds(text)))


@dataclass(frozen=True, slots=True)
class LexicalQuestion:
    """A question for PostgreSQL: its configuration, the text for it, and the terms that are looked for as they are.

    `foreign_words` are what of it may stand in a text of the other language: a Chinese question's Latin words and its figures; of
    an English one the figures alone, since an English word in a Chinese article says little of what that is about.
    """

    configuration: str
    prepared: str
    exact: tuple[str, ...]
    foreign_words: tuple[str, ...]


def lexical_question(question: str, language: str) -> LexicalQuestion:
    """The question as it is looked for: amounts and codes stand for the figures and letters that they are made of."""
    read = read_exactly(question)
    terms = (*search_terms(read.rest), *read.words)
    latin = tuple(term for term in terms if term.isascii())
    if language == "zh":
        return LexicalQuestion("simple", " ".join(terms), read.terms, latin)
    figures = tuple(term for term in latin if term[0].isdigit())
    return LexicalQuestion("english", " ".join((read.rest, *read.words)), read.terms, figures)


def estimate_tokens(text: str) -> int:
    """Tokens of the text in multilingual-e5's vocabulary, estimated from above without loading its tokenizer.

    A least-squares fit to that tokenizer on 1,100 passages of both languages, times 1.2: at least the true number for
    99 passages in 100, and a fifth above it at the median.
    """
    total = 0.0
    for match in _TOKEN_LIKE.finditer(text):
        run = match.group()
        if _CJK_RUN.fullmatch(run):
            total += 0.85 * len(run)
        elif run.isdecimal():
            total += 0.8
        elif run.isalpha():
            total += 1.33 + 0.12 * max(0, len(run) - 5)
        else:
            total += 1.6
    return ceil(total)


_TOKEN_LIKE = re.compile(rf"[{CJK}]+|[^\W\d_{CJK}]+|\d+|[^\w\s]|_")


def clean_text(text: str) -> str:
    """Unify line ends and drop control characters, which PostgreSQL (NUL) or a reader cannot take."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unified if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})


# Zero-width blanks, soft hyphens, direction marks, private use: seen by nobody, and "CAM\u200bPUS15" is found by nobody.
# The joiner U+200D stays: it holds emoji together.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ue000-\uf8ff\ufeff\ufffc\ufffd"
    "\U000e0000-\U000e007f]"
)
_BLANK = re.compile("[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_FULL_WIDTH = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_FULL_WIDTH_OFFSET = 0xFEE0


def readable_text(text: str) -> str:
    """The text as a person would type it: nothing invisible, plain blanks, letters and digits of normal width."""
    if text.isascii():
        return text
    text = _BLANK.sub(" ", _INVISIBLE.sub("", text))
    return _FULL_WIDTH.sub(lambda found: chr(ord(found.group()) - _FULL_WIDTH_OFFSET), text)
