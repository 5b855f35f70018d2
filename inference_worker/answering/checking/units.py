"""Cutting a text that is still being written into what is checked at once: sentences, list items, lines. Pure.

A sentence is complete when something follows that cannot belong to it: its marks ("[1]") do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.sentences import split_sentences

# Longer than any sentence that a customer reads; a text without an end is not searched for one again and again.
LONGEST = 1500
# How much must follow a number with a full stop: "3. Dezember" goes on, "3. Open the lid" does not.
LOOK_AHEAD = 12

CITATION = re.compile(r"\s*[\[［【](\d{1,2})[\]］】]")
_MARK = re.compile(r"[\[［【]\d{1,2}[\]］】]")
_CITATIONS = re.compile(r"(?:[^\S\n]*[\[［【]\d{1,2}[\]］】])+")
# Nothing yet, or what may become a citation.
_UNDECIDED = re.compile(r"[^\S\n]*(?:[\[［【]\d{0,2})?$")
_NUMBER_BEFORE = re.compile(r"\d\.$")
# Checked whole, up to the line's end: an item of a list, a row of a table, a heading.
_WHOLE_LINE = re.compile(r"(?:[-*+•·]\s|\d{1,3}[.)、）]\s?|[(（]\d{1,2}[)）]|\||#{1,6}\s|>\s)")
FENCE = "```"


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch [start, end) of the text. `is_line`: an item, row or line of code. `is_endless`: part of what never ends."""

    start: int
    end: int
    text: str
    is_line: bool = False
    is_endless: bool = False


class UnitReader:
    """Takes a text piece by piece and gives its units as soon as they are complete. `text` is all of it so far."""

    def __init__(self) -> None:
        self.text = ""
        self._taken = 0
        self._is_code = False
        self._is_endless = False

    def add(self, piece: str) -> list[Unit]:
        """The units that this piece completes."""
        self.text += piece
        return self._take(is_over=False)

    def finish(self) -> list[Unit]:
        """What is left, complete or not."""
        return self._take(is_over=True)

    def _take(self, *, is_over: bool) -> list[Unit]:
        units = []
        while (unit := self._next(is_over=is_over)) is not None:
            units.append(unit)
        return units

    def _next(self, *, is_over: bool) -> Unit | None:
        rest = self.text[self._taken :]
        start = len(rest) - len(rest.lstrip())
        rest = rest[start:]
        if not rest:
            return None
        begins_line = self._taken == 0 or "\n" in self.text[self._taken : self._taken + start]
        start += self._taken
        is_line = begins_line and (self._is_code or rest.startswith(FENCE) or (_WHOLE_LINE.match(rest) is not None))
        end = self._line_end(rest, is_over) if is_line else self._sentence_end(rest, is_over)
        if end is None and len(rest) < LONGEST:
            return None
        is_endless = self._is_endless or end is None
        self._is_endless = end is None
        unit = self._unit(start, start + (len(rest) if end is None else end), is_line=is_line, is_endless=is_endless)
        if is_line and unit.text.startswith(FENCE):
            self._is_code = not self._is_code
        return unit

    def _unit(self, start: int, end: int, *, is_line: bool, is_endless: bool) -> Unit:
        self._taken = end
        text = self.text[start:end].rstrip()
        return Unit(start, start + len(text), text, is_line, is_endless)

    @staticmethod
    def _line_end(rest: str, is_over: bool) -> int | None:
        place = rest.find("\n")
        return place if place >= 0 else len(rest) if is_over else None

    @staticmethod
    def _sentence_end(rest: str, is_over: bool) -> int | None:
        """Where the first sentence ends; None while that is not certain."""
        spans = split_sentences(_MARK.sub(lambda mark: " " * len(mark.group()), rest))
        end = spans[0][1] if spans else 0
        marks = _CITATIONS.match(rest, end)
        end = marks.end() if marks else end
        following = rest[end:]
        if not spans and not is_over:
            return None if "\n" not in following else end
        if is_over or following.lstrip(" \t").startswith("\n"):
            return end
        if len(spans) < 2 or _UNDECIDED.match(following):
            return None
        if _NUMBER_BEFORE.search(rest[:end]) and len(following) < LOOK_AHEAD:
            return None
        return end
