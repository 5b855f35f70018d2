"""Answers to several questions at once: what was found for each put together, and what is said of those left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inference_worker.answering.results import Found, Part
from knowledge.quoting.mentions import Verdict
from knowledge.quoting.questions import MAX_QUESTIONS
from knowledge.quoting.selection import Quote, QuoteSelection

MOST_SHOWN = 60

_OPEN = {
    "en": "I found nothing in our articles about: %(open)s. A person can tell you.",
    "zh": "以下内容我在文章中没有找到：%(open)s。您可以咨询人工客服。",
}
_LEFT = {
    "en": "I answer up to %(most)d questions at a time. Not looked at yet: %(left)s. Send them again one by one and I will "
    "answer each.",
    "zh": "我一次最多回答%(most)d个问题，以下问题还没有处理：%(left)s。请逐个再发一次，我会一一回答。",
}
_AND_MORE = {"en": " and %d more", "zh": "等，另有%d个"}
MOST_LISTED = 5


def together(query: str, parts: tuple[Part, ...]) -> Found:
    """What was found for the parts, as one; at least one of them must be answered.

    The answered ones are quoted in the order of the message, each from one passage, so that each keeps its source. The
    selection is as sure as the least sure of them.
    """
    answered = [part.found for part in parts if part.found.selection.answerable]
    results = [part.found.result for part in sorted(parts, key=lambda part: not part.found.selection.answerable)]
    # What was found for the others too: the trace shows every search.
    candidates = {each.chunk_id: each for result in results for each in result.candidates}
    terms = {term.text: term for result in results for term in result.terms}
    return Found(
        query="\n".join(dict.fromkeys(part.found.query for part in parts)),
        result=replace(
            answered[0].result, query=query, candidates=tuple(candidates.values()), terms=tuple(terms.values())
        ),
        selection=_least_sure([found.selection for found in answered]),
        verdict=Verdict(missing=tuple(dict.fromkeys(each for found in answered for each in found.verdict.missing))),
        parts=parts,
    )


def what_is_open(open_parts: Sequence[str], language: str) -> str:
    """The sentence that says which parts were not found; empty when all were."""
    if not open_parts:
        return ""
    quoted = [f"“{_shortened(part)}”" for part in open_parts]
    return _OPEN[language] % {"open": ("、" if language == "zh" else ", ").join(quoted)}


def what_is_left(left: Sequence[str], language: str) -> str:
    """The sentence that says which questions were not looked at, and how to get them answered; empty when all were."""
    if not left:
        return ""
    quoted = ("、" if language == "zh" else ", ").join(f"“{_shortened(each)}”" for each in left[:MOST_LISTED])
    more = _AND_MORE[language] % (len(left) - MOST_LISTED) if len(left) > MOST_LISTED else ""
    return _LEFT[language] % {"most": MAX_QUESTIONS, "left": quoted + more}


def _least_sure(selections: Sequence[QuoteSelection]) -> QuoteSelection:
    weakest = min(selections, key=lambda each: (each.score - each.threshold) / max(1 - each.threshold, 1e-9))
    return replace(
        weakest,
        quotes=tuple(dict.fromkeys(quote for each in selections for quote in _of_one_passage(each.quotes))),
        margin=min(each.margin for each in selections),
        is_other_language=any(each.is_other_language for each in selections),
    )


def _of_one_passage(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    """Those from the passage of the best one."""
    best = max(quotes, key=lambda quote: quote.score)
    return tuple(quote for quote in quotes if quote.candidate.chunk_id == best.candidate.chunk_id)


def _shortened(question: str) -> str:
    plain = " ".join(question.split()).strip("?？.。!！ ")
    return plain if len(plain) <= MOST_SHOWN else f"{plain[:MOST_SHOWN].rstrip()}…"
