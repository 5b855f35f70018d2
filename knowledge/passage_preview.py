"""How a text would be cut into passages, for people to see. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from knowledge.chunking.chunks import Passage, split_article
from knowledge.errors import CannotRead

# A passage begins with at most that much of the one before it: some 60 tokens of long words.
MAX_OVERLAP = 1_500
_TOO_MUCH = (RecursionError, ValueError, LookupError, OverflowError)


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A passage with its place: `line` is where it starts in the Markdown, `repeated` what it shares with the one before."""

    number: int
    heading: str
    line: int
    repeated: str
    text: str
    tokens: int
    quotes: int


def shown_passages(body: str) -> list[ShownPassage]:
    """The passages in reading order. Raises CannotRead for a text that no search could find."""
    try:
        passages = split_article(body)
    except _TOO_MUCH as error:
        raise CannotRead from error
    repeated = [0, *(_overlap(left, right) for left, right in pairwise(passages))][: len(passages)]
    return [
        ShownPassage(
            number=passage.position + 1,
            heading=passage.heading,
            line=body.count("\n", 0, passage.start) + 1,
            repeated=passage.text[:length],
            text=passage.text[length:],
            tokens=passage.token_count,
            quotes=len({sentence.quoted for sentence in passage.sentences}),
        )
        for passage, length in zip(passages, repeated, strict=True)
    ]


def _overlap(left: Passage, right: Passage) -> int:
    """How many characters the one begins with that the other ends with; only within a section."""
    if left.heading != right.heading:
        return 0
    longest = min(len(left.text), len(right.text), MAX_OVERLAP)
    return next((length for length in range(longest, 0, -1) if left.text.endswith(right.text[:length])), 0)
