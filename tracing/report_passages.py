"""The passages of the report, ready to print: which searches scored them, and how. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.search.ranking import DENSE, FUSED, LEXICAL
from tracing import charts, words
from tracing.charts import Bar, Piece
from tracing.content import CandidateRecord, TraceContent

SEARCHES = (DENSE, LEXICAL, FUSED)
# Scores that are drawn as bars; of others zero may mean nothing.
FROM_ZERO = (LEXICAL, FUSED)


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A search's score of one passage: a bar, or a dot where zero means nothing. Empty when it did not list it."""

    label: str
    score: str = ""
    rank: int = 0
    bar: Bar | None = None
    dot: int | None = None


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage that retrieval considered."""

    number: int
    candidate: CandidateRecord
    scores: list[ScoreCell]
    text: list[Piece]


@dataclass(frozen=True, slots=True)
class TranslationRow:
    """A quote beside its translation; `reason` is why the customer does not see it, in words, empty when it is shown."""

    source: str
    source_language: str
    text: str
    language: str
    reason: str


def translation_rows(content: TraceContent) -> list[TranslationRow]:
    """The translated quotes in their order."""
    passages = {candidate.chunk: candidate for candidate in content.candidates}
    return [
        TranslationRow(
            source=passages[each.chunk].text[each.start : each.end],
            source_language=passages[each.chunk].language,
            text=each.text,
            language=each.language,
            reason=words.translation_reason(each.reason) if each.reason else "",
        )
        for each in content.translations
        if each.chunk in passages
    ]


def searches_of(candidates: Sequence[CandidateRecord]) -> list[str]:
    """The names of all scores, in the order of their columns: what is fused comes last."""
    names = dict.fromkeys([*SEARCHES, *(name for each in candidates for name in each.scores)])
    return [*(name for name in names if name != FUSED), FUSED]


def passage_rows(candidates: Sequence[CandidateRecord], searches: Sequence[str], *, first: int) -> list[PassageRow]:
    """The passages in order, numbered from `first`, each with a cell for each search."""
    columns = [_score_cells(candidates, name) for name in searches]
    return [
        PassageRow(number, candidate, list(cells), charts.pieces(candidate.text, candidate.quoted))
        for number, (candidate, *cells) in enumerate(zip(candidates, *columns, strict=True), first)
    ]


def _score_cells(candidates: Sequence[CandidateRecord], search: str) -> list[ScoreCell]:
    scores, label = [each.scores.get(search) for each in candidates], words.search_word(search)
    bars = charts.score_bars(scores) if search in FROM_ZERO else [None] * len(scores)
    return [
        ScoreCell(label) if score is None else ScoreCell(label, words.number(score.score), score.rank, bar, dot)
        for score, bar, dot in zip(scores, bars, charts.score_dots(scores), strict=True)
    ]
