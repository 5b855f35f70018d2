"""Whether a sentence denies what its source affirms, or affirms what it denies. Pure functions.

Compared clause by clause: "unused pots may be returned, opened bags may not" holds both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inference_worker.answering.checking.claims import plain
from knowledge.sentences import split_sentences

Terms = Callable[[str], set[str]]

# A clause with fewer says too little to be found again; it is read with the one before it.
FEWEST_TERMS = 2
# Clauses that fit nearly as well as the best count too: an article says some things twice.
NEARLY = 0.85
# One that shares less is about something else.
LEAST_FIT = 0.34

_NO_NEGATION = re.compile(
    r"\bnot only\b|\bno (?:later|more|longer|fewer|less|earlier) than\b|\bno problem\b|\bnothing but\b|\bno matter\b"
    r"|\b(?:whether )?or not\b|\bif not\b|\bno\.\s?\d"
    r"|不仅|不但|不只|不过|不同|不断|不论|不管|差不多|不少|不久|不锈|不妨|不得不|对不起|不好意思|无论|无线|非常|未来|未使用|未拆封|未开封|未成年|没关系|没问题|不一定|特别|分别|区别|级别|别的|个别|不超过|不少于|不晚于|能不能|可不可以|是不是|是否",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|cannot|never|none|nobody|nothing|neither|nor|no|without|unable|impossible|prohibited|forbidden|excluded|unavailable)\b"
    r"|n't\b|不|没|無|无|未|勿|别|禁止|谢绝|拒绝",
    re.IGNORECASE,
)
_ANSWER_WORD = re.compile(
    r"^\W*(?:yes|no|correct|right|是的|不是|对|不|不行|可以|不可以|能|不能)[,，。.!！:：]\s*", re.IGNORECASE
)
_CLAUSES = re.compile(
    r"[,;:，；：、()（）–—]|\b(?:but|while|whereas|although|however|and)\b|但是?|而且?|不过", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause with its terms."""

    terms: frozenset[str]
    is_negated: bool


def is_negated(text: str) -> bool:
    """Whether the text denies something."""
    return _NEGATION.search(_NO_NEGATION.sub(" ", text)) is not None


def clauses(text: str, terms: Terms) -> list[Clause]:
    """The clauses of every sentence, in order; one of few terms is joined to the one before it, or else behind it."""
    found: list[Clause] = []
    for start, end in split_sentences(text):
        bare = _NO_NEGATION.sub(" ", _ANSWER_WORD.sub("", plain(text[start:end])))
        found += _of_sentence(_CLAUSES.split(bare), terms)
    return found


def _of_sentence(pieces: Sequence[str], terms: Terms) -> list[Clause]:
    joined: list[str] = []
    for piece in pieces:
        if joined and (len(terms(piece)) < FEWEST_TERMS or len(terms(joined[-1])) < FEWEST_TERMS):
            joined[-1] = f"{joined[-1]} {piece}"
        else:
            joined.append(piece)
    read = [Clause(frozenset(terms(each)), _NEGATION.search(each) is not None) for each in joined]
    return [each for each in read if each.terms]


def disagrees(sentence: str, source: Sequence[Clause], terms: Terms) -> bool:
    """Whether a clause of the sentence is negated where those of the source that fit it best are not, or otherwise."""
    return any(_is_turned(clause, source) for clause in clauses(sentence, terms))


def _is_turned(clause: Clause, source: Sequence[Clause]) -> bool:
    fits = [(_fit(clause, other), other.is_negated) for other in source]
    best = max((fit for fit, _ in fits), default=0.0)
    if best < LEAST_FIT:
        # Nothing to compare it with: whether anything backs it is another question.
        return False
    return all(negated != clause.is_negated for fit, negated in fits if fit >= NEARLY * best)


def _fit(clause: Clause, other: Clause) -> float:
    """Share of the clause's terms that the other one has, a little less the more else that says."""
    shared = len(clause.terms & other.terms)
    return shared / len(clause.terms) - 0.001 * len(other.terms - clause.terms) if shared else 0.0
