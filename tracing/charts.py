"""Geometry of the report's drawings. Lengths are whole thousandths of the drawing's width or height. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tracing.content import ScoreRecord, TokenRecord

FULL = 1000
THINNEST = 4
# Lower limits of the bands of a token's probability, the likeliest first; below the last comes one more band.
TOKEN_BANDS = (0.9, 0.5, 0.1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar, from `x`."""

    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Column:
    """A vertical bar standing on the base line; `y` is its upper end."""

    x: int
    y: int
    width: int
    height: int
    band: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `marked` when it was quoted."""

    text: str
    marked: bool


def length(share: float) -> int:
    """A share between 0 and 1 as a length."""
    return round(min(max(share, 0.0), 1.0) * FULL)


def timeline(spans: Sequence[tuple[float, float]], *, total: float) -> list[Bar]:
    """Bars of (start, duration) on one axis from 0 to `total`; even the shortest can be seen."""
    end = max([total, *(start + duration for start, duration in spans)], default=0.0) or 1.0
    bars = []
    for start, duration in spans:
        width = max(length(duration / end), THINNEST)
        bars.append(Bar(min(length(start / end), FULL - width), width))
    return bars


def score_bars(scores: Sequence[ScoreRecord | None]) -> list[Bar | None]:
    """Bars from zero; the highest score of the list has full length."""
    top = max((score.score for score in scores if score), default=0.0)
    return [None if score is None else Bar(0, length(score.score / top) if top > 0 else 0) for score in scores]


def score_dots(scores: Sequence[ScoreRecord | None]) -> list[int | None]:
    """Places between the lowest and the highest score of the list, for scores whose zero means nothing."""
    known = [score.score for score in scores if score]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = high - low
    return [None if score is None else length((score.score - low) / span if span else 1.0) for score in scores]


def token_band(logprob: float) -> int:
    """1 (likely) to 4 (unlikely)."""
    probability = math.exp(logprob)
    return next((band for band, limit in enumerate(TOKEN_BANDS, 1) if probability >= limit), len(TOKEN_BANDS) + 1)


def token_columns(tokens: Sequence[TokenRecord], *, unit: int = 10) -> list[Column]:
    """One column for each token, `unit` apart, as high as its probability."""
    columns = []
    for index, token in enumerate(tokens):
        height = max(length(math.exp(token.logprob)), THINNEST)
        columns.append(Column(index * unit, FULL - height, unit - 2, height, token_band(token.logprob)))
    return columns


def pieces(text: str, marks: Iterable[tuple[int, int]]) -> list[Piece]:
    """The text cut at its marks, which may overlap or reach beyond it."""
    inside = [False] * len(text)
    for start, end in marks:
        for index in range(max(start, 0), min(end, len(text))):
            inside[index] = True
    cuts = [index for index in range(1, len(text)) if inside[index] != inside[index - 1]]
    borders = [0, *cuts, len(text)]
    return [Piece(text[a:b], inside[a]) for a, b in pairwise(borders) if a < b]
