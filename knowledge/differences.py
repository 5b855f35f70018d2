"""What one text has that another has not, line by line and within lines. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# Unchanged lines that stay around a change.
CONTEXT = 3
# Lines that share less than that are two lines and no changed one.
ALIKE = 0.4
# Longer lines are compared as wholes, and so are those behind so much work: the time of comparing words grows with the square
# of their number.
MAX_LINE = 4_000
MAX_WORK = 10_000_000
# Lines that are there so often, as empty ones are, are no places to begin a match at.
OFTEN = 20
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
    work = 0
    for is_equal, i1, i2, j1, j2 in _runs(ours, theirs):
        if is_equal:
            lines += _unchanged(ours[i1:i2], is_first=i1 == 0, is_last=i2 == len(ours))
        else:
            lines += _changed(ours[i1:i2], theirs[j1:j2], in_words=work < MAX_WORK)
            work += sum(map(_work, ours[i1:i2], theirs[j1:j2]))
    kinds = [line.kind for line in lines]
    return Difference(tuple(lines), kinds.count(LineKind.NEW), kinds.count(LineKind.GONE))


def _runs(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Runs of lines, equal or not, with where they begin and end on both sides. What both begin and end with is not searched."""
    most = min(len(ours), len(theirs))
    head = next((at for at in range(most) if ours[at] != theirs[at]), most)
    tail = next((at for at in range(most - head) if ours[-1 - at] != theirs[-1 - at]), most - head)
    if head:
        yield True, 0, head, 0, head
    left, right = ours[head : len(ours) - tail], theirs[head : len(theirs) - tail]
    count = Counter(right)
    matcher = SequenceMatcher(lambda text: count[text] > OFTEN, left, right, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        yield kind == "equal", head + i1, head + i2, head + j1, head + j2
    if tail:
        yield True, len(ours) - tail, len(ours), len(theirs) - tail, len(theirs)


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


def _changed(old: Sequence[str], new: Sequence[str], *, in_words: bool) -> Iterator[Line]:
    """Removed lines before added ones; a line that became another has its words marked."""
    work, marked = 0, []
    for left, right in zip(old, new, strict=False) if in_words else ():
        work += _work(left, right)
        if work > MAX_WORK:
            break
        marked.append(_marked(left, right))
    for at, text in enumerate(old):
        yield Line(LineKind.GONE, marked[at][0]) if at < len(marked) else _whole(LineKind.GONE, text)
    for at, text in enumerate(new):
        yield Line(LineKind.NEW, marked[at][1]) if at < len(marked) else _whole(LineKind.NEW, text)


def _is_whole(left: str, right: str) -> bool:
    return left == right or max(len(left), len(right)) > MAX_LINE


def _work(left: str, right: str) -> int:
    return 0 if _is_whole(left, right) else len(left) * len(right)


def _marked(left: str, right: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    if _is_whole(left, right):
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
