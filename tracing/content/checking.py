"""What became of a freely written text: each of its sentences was checked before anybody saw it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tracing.content.generation import TokenRecord
from tracing.plain import Malformed

Span = tuple[int, int]

# Why a sentence was not shown. The first ones are what the check found; `alone` belongs to a sentence that means nothing
# without those that were cut, and the last two to text that was never checked: the customer or the desk had ended it.
REASONS = (
    "unsupported",
    "number",
    "code",
    "link",
    "name",
    "negation",
    "citation",
    "endless",
    "alone",
    "stopped",
    "closed",
)
KEPT = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceCheck:
    """A sentence [start, end) of the written text, without the blanks around it; `reason` is KEPT or one of REASONS.

    `support` (0 to 1) is the share of its words that its passages hold, `score` the reranker's; None where it was not
    measured, such as of a sentence that claims nothing.
    """

    start: int
    end: int
    reason: str = KEPT
    support: float | None = None
    score: float | None = None
    milliseconds: float = 0.0

    def __post_init__(self) -> None:
        if self.reason != KEPT and self.reason not in REASONS:
            raise Malformed("a sentence is cut for one of the known reasons")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """The whole text that the engine wrote, and its sentences in their order. What was shown is those that were kept.

    `is_replaced`: none of it was shown, and the answer is another generation's. `tokens` are then those of this text;
    otherwise the content's own are, whose joined texts begin with it.
    """

    text: str
    sentences: tuple[SentenceCheck, ...]
    is_replaced: bool = False
    tokens: tuple[TokenRecord, ...] = ()

    @property
    def groundedness(self) -> float | None:
        """The mean support of the claims that were shown; None when there was none."""
        found = [each.support for each in self.sentences if each.reason == KEPT and each.support is not None]
        return math.fsum(found) / len(found) if found else None

    @property
    def shown(self) -> list[Span]:
        """The stretches of the text that make up what was shown, in their order."""
        if self.is_replaced:
            return []
        spans: list[Span] = []
        gaps: list[Span] = []
        end = 0
        for sentence in self.sentences:
            gaps.append((end, sentence.start))
            end = sentence.end
            if sentence.reason == KEPT:
                spans += [joint(self.text, gaps), (sentence.start, sentence.end)]
                gaps = []
        return spans

    def places_of(self, answer: str) -> list[int] | None:
        """The offset in the text of each character of the answer that was shown of it; None when it does not begin so.

        Behind that the answer may go on with words of the desk's own.
        """
        places = [place for start, end in self.shown for place in range(start, end)]
        shown = "".join(self.text[place] for place in places)
        first = len(shown) - len(shown.lstrip())
        shown = shown.strip()
        return places[first : first + len(shown)] if shown and answer.startswith(shown) else None


def joint(text: str, gaps: Sequence[Span]) -> Span:
    """Of the blanks between two sentences that are shown those that are kept: a line break, before a mere space."""
    breaks = [text.count("\n", start, end) for start, end in gaps]
    return gaps[breaks.index(max(breaks))] if any(breaks) else gaps[-1]
