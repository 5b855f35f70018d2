"""Articles to passages: at most 400 tokens, along headings, overlapping where a section is cut. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from knowledge.markdown import Line, plain_lines
from knowledge.text import estimate_tokens, split_sentences

MAX_TOKENS = 400
OVERLAP_TOKENS = 60
HEADING_SEPARATOR = " › "

CountTokens = Callable[[str], int]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article as plain text. `sentences` are offsets into `text`, `start` is the offset in the source."""

    position: int
    heading: str
    start: int
    text: str
    sentences: tuple[Span, ...]
    token_count: int


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands under one heading: its text, its sentences, and where each line of it begins in the source."""

    heading: str
    text: str
    sentences: list[Span]
    lines: list[tuple[int, int]]


def split_article(
    body: str, *, count_tokens: CountTokens = estimate_tokens, max_tokens: int = MAX_TOKENS
) -> list[Passage]:
    """The passages of an article's Markdown body, in reading order.

    `count_tokens` may be the model's own; the estimate serves where no tokenizer is loaded. Each sentence lies whole in
    at least one passage; one that is longer than a passage is cut.
    """
    passages: list[Passage] = []
    for section in _sections(body):
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


def _sections(body: str) -> Iterator[_Section]:
    for heading, group in groupby(plain_lines(body), key=lambda line: line.heading):
        text, sentences, starts = "", [], []
        for line in group:
            if text:
                text += "\n"
            starts.append((len(text), line.start))
            text += line.marker
            sentences += [(len(text) + a, len(text) + b) for a, b in _line_sentences(line)]
            text += line.text
        yield _Section(heading_path(heading), text, sentences, starts)


def _line_sentences(line: Line) -> list[Span]:
    if line.is_whole and len(line.text) <= 400:
        return [(0, len(line.text))]
    return split_sentences(line.text)


def _windows(section: _Section, count_tokens: CountTokens, max_tokens: int) -> Iterator[tuple[int, int]]:
    """First and last sentence of each passage of the section (after cutting sentences that fit in none)."""
    text = section.text
    section.sentences[:] = [
        piece for span in section.sentences for piece in _cut_to_fit(text, span, count_tokens, max_tokens)
    ]
    sentences = section.sentences
    first, last = 0, -1
    while last < len(sentences) - 1:
        reached = last
        last = max(first, reached + 1)
        while last + 1 < len(sentences) and count_tokens(_slice(section, first, last + 1)) <= max_tokens:
            last += 1
        yield first, last
        first = _overlap_start(section, first, last, count_tokens, max_tokens)


def _overlap_start(section: _Section, first: int, last: int, count_tokens: CountTokens, max_tokens: int) -> int:
    """Where the next passage begins: up to OVERLAP_TOKENS back, if the next sentence still fits beside them."""
    start = last + 1
    if start >= len(section.sentences):
        return start
    while start - 1 > first:
        overlap = section.text[section.sentences[start - 1][0] : section.sentences[last][1]]
        if count_tokens(overlap) > OVERLAP_TOKENS or count_tokens(_slice(section, start - 1, last + 1)) > max_tokens:
            break
        start -= 1
    return start


def _cut_to_fit(text: str, span: Span, count_tokens: CountTokens, max_tokens: int) -> list[Span]:
    """The span, or its pieces of at most `max_tokens`, cut at a blank where there is one."""
    pieces: list[Span] = []
    start, end = span
    while count_tokens(text[start:end]) > max_tokens:
        low, high = start + 1, end
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if count_tokens(text[start:middle]) <= max_tokens else (low, middle - 1)
        blank = text.rfind(" ", start + 1, low)
        cut = blank if blank > start + (low - start) // 2 else low
        pieces.append((start, cut))
        start = cut + (len(text[cut:end]) - len(text[cut:end].lstrip()))
    return [*pieces, (start, end)] if start < end else pieces


def _slice(section: _Section, first: int, last: int) -> str:
    return section.text[_window_start(section, first) : section.sentences[last][1]]


def _window_start(section: _Section, first: int) -> int:
    """Where the sentence begins, or the list marker before it when it is the first of its line."""
    start = section.sentences[first][0]
    line_start = max(begin for begin, _ in section.lines if begin <= start)
    return line_start if first == 0 or section.sentences[first - 1][1] <= line_start else start


def _passage(
    section: _Section, first: int, last: int, *, position: int, body: str, count_tokens: CountTokens
) -> Passage:
    begin = _window_start(section, first)
    text = section.text[begin : section.sentences[last][1]]
    spans = tuple((a - begin, b - begin) for a, b in section.sentences[first : last + 1])
    source = max(((at, offset) for at, offset in section.lines if at <= begin))[1]
    sentence = section.text[slice(*section.sentences[first])]
    exact = body.find(sentence, source)
    is_line_start = any(at == begin for at, _ in section.lines)
    return Passage(
        position=position,
        heading=section.heading,
        start=source if is_line_start or exact < 0 else exact,
        text=text,
        sentences=spans,
        token_count=count_tokens(text),
    )
