"""What one text has that another has not, line by line and within lines. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# Unchanged lines that stay around a change.
CONTEXT = 3
# Lines that share less than that are two lines and no changed one.
ALIKE = 0.4
# Longer lines are compared as wholes: the time of comparing words grows with the square of their number.
MAX_LINE = 4_000
_UNIT = re.compile(r"[A-Za-z0-9_]+|\s+|.", re.DOTALL)


class LineKind(StrEnum):
    """What became of a line; `skipped` stands for a run of unchanged ones."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; `is_changed` where the line that it is compared with has something else."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of either text, or `count` skipped ones."""

    kind: LineKind
    pieces: tuple[Piece, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """All lines in order, and how many were added and removed."""

    lines: tuple[Line, ...]
    added: int
    removed: int

    @property
    def is_empty(self) -> bool:
        """Whether both texts are the same."""
        return not (self.added or self.removed)


def difference(old: str, new: str) -> Difference:
    """How the new text differs from the old one."""
    ours, theirs = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += _unchanged(ours[i1:i2], is_first=i1 == 0, is_last=i2 == len(ours))
        else:
            lines += _changed(ours[i1:i2], theirs[j1:j2])
    kinds = [line.kind for line in lines]
    return Difference(tuple(lines), kinds.count(LineKind.NEW), kinds.count(LineKind.GONE))


def _unchanged(texts: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[Line]:
    """The lines next to a change; those between are counted."""
    head = 0 if is_first else CONTEXT
    tail = 0 if is_last else CONTEXT
    if len(texts) <= head + tail + 1:
        yield from (_whole(LineKind.SAME, text) for text in texts)
        return
    yield from (_whole(LineKind.SAME, text) for text in texts[:head])
    yield Line(LineKind.SKIPPED, count=len(texts) - head - tail)
    yield from (_whole(LineKind.SAME, text) for text in texts[len(texts) - tail :])


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """Removed lines before added ones; a line that became another has its words marked."""
    marked = [_marked(left, right) for left, right in zip(old, new, strict=False)]
    for at, text in enumerate(old):
        yield Line(LineKind.GONE, marked[at][0]) if at < len(marked) else _whole(LineKind.GONE, text)
    for at, text in enumerate(new):
        yield Line(LineKind.NEW, marked[at][1]) if at < len(marked) else _whole(LineKind.NEW, text)


def _marked(left: str, right: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    if max(len(left), len(right)) > MAX_LINE:
        return (Piece(left),), (Piece(right),)
    ours, theirs = _UNIT.findall(left), _UNIT.findall(right)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.ratio() < ALIKE:
        return (Piece(left),), (Piece(right),)
    old: list[Piece] = []
    new: list[Piece] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if i2 > i1:
            old.append(Piece("".join(ours[i1:i2]), kind != "equal"))
        if j2 > j1:
            new.append(Piece("".join(theirs[j1:j2]), kind != "equal"))
    return tuple(old), tuple(new)


def _whole(kind: LineKind, text: str) -> Line:
    return Line(kind, (Piece(text),))
