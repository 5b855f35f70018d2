"""Articles to passages: at most 400 tokens, along headings, overlapping where a section is cut. Pure functions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from knowledge.chunking.pieces import Unit
from knowledge.chunking.units import article_units
from knowledge.text import estimate_tokens

# Grows with every change of what an article's text becomes: passages that were written by an older one are written again.
TEXT_VERSION = 3

MAX_TOKENS = 400
OVERLAP_TOKENS = 60
HEADING_SEPARATOR = " › "
# A sentence that begins so speaks of what the one before it named.
POINTS_BACK = re.compile(
    r"^\W*(?:it|its|they|their|this|that|these|those|both|he|she)\b|^\W*(?:它|该|此|这|其|上述)", re.IGNORECASE
)
# How far behind its line's beginning a sentence is looked for in the source.
_LOOK_AHEAD = 5_000

CountTokens = Callable[[str], int]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What of a passage a question is compared with, and what is quoted when it fits best; both are offsets into its text.

    `context` is compared with it: the question that it answers, the title or sentence that introduces it.
    """

    start: int
    end: int
    quoted: Span
    context: str = ""

    @property
    def as_row(self) -> list[int | str]:
        """As the database keeps it."""
        return [self.start, self.end, *self.quoted, self.context]


def read_sentence(row: Sequence[int | str]) -> Sentence:
    """From the database; rows of two numbers are those of the first version: each sentence was quoted alone."""
    start, end = int(row[0]), int(row[1])
    if len(row) < 5:
        return Sentence(start, end, (start, end))
    return Sentence(start, end, (int(row[2]), int(row[3])), str(row[4]))


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article as plain text. `start` is the offset in the source."""

    position: int
    heading: str
    start: int
    text: str
    sentences: tuple[Sentence, ...]
    token_count: int


@dataclass(frozen=True, slots=True)
class _Atom:
    """What is never cut, as offsets into a section: shown from `begin` on, quoted from `quoted` on, found by `pieces`."""

    begin: int
    end: int
    quoted: int
    pieces: tuple[Span, ...]
    context: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands under one heading: its text, its atoms, and where each line of it begins in the source."""

    heading: str
    text: str
    atoms: list[_Atom]
    lines: list[tuple[int, int]]


def split_article(
    body: str, *, count_tokens: CountTokens = estimate_tokens, max_tokens: int = MAX_TOKENS
) -> list[Passage]:
    """The passages of an article's Markdown body, in reading order.

    `count_tokens` may be the model's own; the estimate serves where no tokenizer is loaded. What is quoted whole lies whole in
    at least one passage; a sentence that is longer than a passage is cut.
    """
    passages: list[Passage] = []
    for heading, units in groupby(article_units(body), key=lambda unit: unit.heading):
        section = _section(heading, list(units), count_tokens, max_tokens)
        for first, last in _windows(section, count_tokens, max_tokens):
            passages.append(
                _passage(section, first, last, position=len(passages), body=body, count_tokens=count_tokens)
            )
    return passages


def heading_path(heading: tuple[str, ...]) -> str:
    """Headings from the outermost to the innermost as one line."""
    return HEADING_SEPARATOR.join(heading)[:500]


def searched_text(*, title: str, heading: str, text: str) -> str:
    """What a passage is found by: its text under its title and headings."""
    return "\n".join(part for part in (title, heading, text) if part)


def sentence_in_context(*, title: str, heading: str, sentence: str) -> str:
    """What a sentence is compared by: its words after its title and headings, which say what "it" is."""
    return f"{HEADING_SEPARATOR.join(part for part in (title, heading) if part)}: {sentence}"


def sentence_to_read(*, title: str, heading: str, sentence: str, before: str = "") -> str:
    """What a reranker reads of a sentence: it in its context, and behind the sentence `before` it where it points back."""
    own = f"{before} {sentence}" if before and POINTS_BACK.search(sentence) else sentence
    return sentence_in_context(title=title, heading=heading, sentence=own)


def compared_text(text: str, sentence: Sentence) -> str:
    """A passage's sentence behind its context, as it is compared with a question."""
    own = text[sentence.start : sentence.end]
    return f"{sentence.context} {own}" if sentence.context and sentence.context not in own else own


def _section(heading: tuple[str, ...], units: Sequence[Unit], count_tokens: CountTokens, max_tokens: int) -> _Section:
    texts: list[str] = []
    atoms: list[_Atom] = []
    lines: list[tuple[int, int]] = []
    at = 0
    for unit in units:
        texts.append(unit.text)
        atoms += _atoms(unit, at, count_tokens, max_tokens)
        lines += [(at + offset, source) for offset, source in unit.lines]
        at += len(unit.text) + 1
    return _Section(heading_path(heading), "\n".join(texts), atoms, lines)


def _atoms(unit: Unit, at: int, count_tokens: CountTokens, max_tokens: int) -> Iterator[_Atom]:
    """The unit as one atom if it is quoted whole and fits in a passage, else each of its sentences, cut if need be."""
    if unit.is_whole and _fits(unit.text, count_tokens, max_tokens):
        pieces = tuple((at + start, at + end) for start, end in unit.pieces)
        yield _Atom(at, at + len(unit.text), at + unit.lead, pieces, unit.context)
        return
    shown = 0
    for start, end in (
        piece for span in unit.pieces for piece in _cut_to_fit(unit.text, span, count_tokens, max_tokens)
    ):
        begin = shown if _fits(unit.text[shown:end], count_tokens, max_tokens) else start
        yield _Atom(at + begin, at + end, at + start, ((at + start, at + end),), unit.context)
        shown = end + (len(unit.text[end : end + 8]) - len(unit.text[end : end + 8].lstrip()))


def _windows(section: _Section, count_tokens: CountTokens, max_tokens: int) -> Iterator[tuple[int, int]]:
    """First and last atom of each passage of the section."""
    atoms = section.atoms
    first, last = 0, -1
    while last < len(atoms) - 1:
        last = max(first, last + 1)
        while last + 1 < len(atoms) and count_tokens(_slice(section, first, last + 1)) <= max_tokens:
            last += 1
        yield first, last
        first = _overlap_start(section, first, last, count_tokens, max_tokens)


def _overlap_start(section: _Section, first: int, last: int, count_tokens: CountTokens, max_tokens: int) -> int:
    """Where the next passage begins: up to OVERLAP_TOKENS back, if the next atom still fits beside them."""
    start = last + 1
    if start >= len(section.atoms):
        return start
    while start - 1 > first:
        if count_tokens(_slice(section, start - 1, last)) > OVERLAP_TOKENS:
            break
        if count_tokens(_slice(section, start - 1, last + 1)) > max_tokens:
            break
        start -= 1
    return start


def _fits(text: str, count_tokens: CountTokens, max_tokens: int) -> bool:
    return _prefix_that_fits(text, 0, len(text), count_tokens, max_tokens) == len(text)


def _cut_to_fit(text: str, span: Span, count_tokens: CountTokens, max_tokens: int) -> list[Span]:
    """The span, or its pieces of at most `max_tokens`, cut at a line's end or a blank where there is one."""
    pieces: list[Span] = []
    start, end = span
    while start < end:
        low = _prefix_that_fits(text, start, end, count_tokens, max_tokens)
        if low < end:
            middle = start + (low - start) // 2
            blank = max(text.rfind("\n", middle, low), -1)
            blank = blank if blank > middle else text.rfind(" ", middle, low)
            low = blank if blank > middle else low
        pieces.append((start, low))
        start = low
        while start < end and text[start].isspace():
            start += 1
    return pieces


def _prefix_that_fits(text: str, start: int, end: int, count_tokens: CountTokens, max_tokens: int) -> int:
    """The largest end of a text from `start` with at most `max_tokens`; looks only as far as it must."""
    low, step = start + 1, 4 * max_tokens
    high = min(start + step, end)
    while high < end and count_tokens(text[start:high]) <= max_tokens:
        low, step = high, 2 * step
        high = min(start + step, end)
    if high == end and count_tokens(text[start:end]) <= max_tokens:
        return end
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count_tokens(text[start:middle]) <= max_tokens else (low, middle - 1)
    return low


def _slice(section: _Section, first: int, last: int) -> str:
    return section.text[section.atoms[first].begin : section.atoms[last].end]


def _passage(
    section: _Section, first: int, last: int, *, position: int, body: str, count_tokens: CountTokens
) -> Passage:
    atoms = section.atoms[first : last + 1]
    begin = atoms[0].begin
    text = section.text[begin : atoms[-1].end]
    return Passage(
        position=position,
        heading=section.heading,
        start=_source_offset(section, begin, body),
        text=text,
        sentences=tuple(
            Sentence(start - begin, end - begin, (atom.quoted - begin, atom.end - begin), atom.context)
            for atom in atoms
            for start, end in atom.pieces
        ),
        token_count=count_tokens(text),
    )


def _source_offset(section: _Section, begin: int, body: str) -> int:
    """The offset in the source of what stands at `begin`: its line's, or its own where its words stand there unchanged."""
    at, source = section.lines[max(bisect_right(section.lines, begin, key=lambda line: line[0]) - 1, 0)]
    if at == begin:
        return source
    line = section.text[begin : begin + 200].split("\n")[0]
    exact = body.find(line, source, source + _LOOK_AHEAD)
    return source if exact < 0 else exact
