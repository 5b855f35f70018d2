"""A unit of text, the sentences by which it is found, and how units are put together. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.chunking.markdown import Block
from knowledge.sentences import answer_mark_length, is_question, question_mark_length, split_sentences
from knowledge.text import estimate_tokens

# What is sent whole has at most so many tokens: some 130 English words, read in half a minute.
WHOLE_TOKENS = 240
JOINED_LINES_CHARACTERS = 300
# It is kept with each sentence; the end of a long question says most.
CONTEXT_CHARACTERS = 300

Span = tuple[int, int]
_OPEN_ENDS = (":", "：")
_STATEMENT_ENDS = (".", "!", "?", "。", "！", "？", ":", "：", ";", "；", "…")


@dataclass(frozen=True, slots=True)
class Unit:
    """What may be sent as an answer, and what it answers.

    `pieces` are the sentences that a question is compared with, `context` what is read before each of them. The winner is
    quoted with all of `text` from `lead` on when `is_whole`, else alone; what stands before `lead` is shown in the passage only.
    `lines` are pairs of an offset in `text` and the one in the source that it comes from.
    """

    heading: tuple[str, ...]
    text: str
    pieces: tuple[Span, ...]
    lines: tuple[tuple[int, int], ...]
    lead: int = 0
    is_whole: bool = False
    context: str = ""

    @property
    def tokens(self) -> int:
        """Its estimated length."""
        return estimate_tokens(self.text)

    @property
    def is_short(self) -> bool:
        """Whether it may be sent whole."""
        return len(self.text) < 20 * WHOLE_TOKENS and self.tokens <= WHOLE_TOKENS


def unit_of(block: Block, *, is_whole: bool = False) -> Unit:
    """One block as a unit; table rows and code are one piece each."""
    shown = len(block.marker)
    if block.kind in {"row", "code"}:
        pieces, is_whole = [(0, len(block.text))], True
    else:
        pieces = sentence_spans(block.text)
    return Unit(
        heading=block.heading,
        text=block.marker + block.text,
        pieces=tuple((shown + start, shown + end) for start, end in pieces),
        lines=((0, block.start),),
        is_whole=is_whole,
    )


def introduction(block: Block) -> Unit:
    """A question, title or lead-in that is shown before something else: all of it is lead, nothing is quoted."""
    text = block.marker + block.text
    return Unit(block.heading, text, (), ((0, block.start),), lead=len(text))


def sentence_spans(text: str) -> list[Span]:
    """The sentences that can be sent: one that ends in a colon with the next one, short lines together, no questions."""
    mark = answer_mark_length(text)
    spans: list[Span] = []
    for begin, end in split_sentences(text):
        start = max(begin, mark)
        if start >= end:
            continue
        previous = spans[-1] if spans else None
        if previous and (ends_open(text[slice(*previous)]) or _is_same_lines(text, previous, (start, end))):
            spans[-1] = (previous[0], end)
        else:
            spans.append((start, end))
    kept = [span for span in spans if not is_question(text[slice(*span)])]
    return [span for span in kept if not ends_open(text[slice(*span)])]


def ends_open(text: str) -> bool:
    """Whether the text introduces what follows it: it ends in a colon."""
    return text.rstrip().endswith(_OPEN_ENDS)


def is_fragment(text: str) -> bool:
    """Whether the text is no sentence: nothing ends it."""
    return not text.rstrip("\"'”’」』）)]》 ").endswith(_STATEMENT_ENDS)


def without_marks(text: str) -> str:
    """A question without what says that it is one ("Q1: ")."""
    return text[question_mark_length(text) :].strip()


def merged(units: Sequence[Unit], *, is_whole: bool = True, lead: int = 0) -> Unit:
    """Units that follow each other as one, each on a line of its own."""
    text, pieces, lines = [], [], []
    at = 0
    for unit in units:
        text.append(unit.text)
        pieces += [(at + start, at + end) for start, end in unit.pieces]
        lines += [(at + offset, source) for offset, source in unit.lines]
        at += len(unit.text) + 1
    return Unit(units[0].heading, "\n".join(text), tuple(pieces), tuple(lines), lead=lead, is_whole=is_whole)


def behind(leads: Sequence[Unit], unit: Unit) -> Unit:
    """The unit with those lines shown before it, which are not quoted."""
    if not leads:
        return unit
    joined = merged([*leads, unit], is_whole=unit.is_whole)
    return replace(joined, lead=len(joined.text) - len(unit.text) + unit.lead, context=unit.context)


def under(context: str, unit: Unit) -> Unit:
    """The unit, compared with that said before it."""
    words = " ".join(part for part in (context, unit.context) if part)
    return replace(unit, context=words[-CONTEXT_CHARACTERS:])


def _is_same_lines(text: str, first: Span, second: Span) -> bool:
    """Whether two lines of a paragraph are parts of one thing, as an address: the first is no sentence."""
    return (
        "\n" in text[first[1] : second[0]]
        and is_fragment(text[slice(*first)])
        and second[1] - first[0] <= JOINED_LINES_CHARACTERS
    )
