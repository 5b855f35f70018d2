"""Geometry of a report's drawings, in thousandths of the drawing's width or height. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FULL = 1000
GAP = 0.25
# How many shades the busiest hours have; 0 is nothing at all.
SHADES = 5


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a column; `kind` names what it counts."""

    kind: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Column:
    """One day's column with what a pointer on it is told."""

    x: int
    width: int
    segments: tuple[Segment, ...]
    title: str


def columns(days: Sequence[Sequence[tuple[str, int]]], titles: Sequence[str]) -> tuple[list[Column], int]:
    """A column for each day, its parts stacked upwards in their order, and what the full height stands for."""
    top = max((sum(number for _, number in parts) for parts in days), default=0)
    step = FULL / len(days) if days else FULL
    drawn = []
    for index, parts in enumerate(days):
        x, end = round(index * step), round((index + 1) * step - step * GAP)
        drawn.append(Column(x, max(end - x, 1), _segments(parts, top), titles[index]))
    return drawn, top


def length(part: float, whole: float) -> int:
    """A bar's length beside the longest one."""
    return round(part / whole * FULL) if whole else 0


def shade(part: int, most: int) -> int:
    """From 0 for nothing to SHADES for the most."""
    return 0 if part <= 0 or most <= 0 else max(1, -(-part * SHADES // most))


def _segments(parts: Sequence[tuple[str, int]], top: int) -> tuple[Segment, ...]:
    drawn, below = [], 0
    for kind, number in parts:
        above = below + number
        low, high = length(below, top), length(above, top)
        if high > low:
            drawn.append(Segment(kind, FULL - high, high - low))
        below = above
    return tuple(drawn)
