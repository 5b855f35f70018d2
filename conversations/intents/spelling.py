"""Slips of the pen in the words that tell an intent. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

# Shorter words have too many neighbours: "hi" and "his", "bye" and "buy".
SHORTEST_WORD = 5
_REPEATED = re.compile(r"(\w)\1{2,}")


class Speller:
    """Puts words right that are one slip away from a known one: a letter more, less, another, or two exchanged.

    The first letter is seldom mistaken, so that "cello" is not taken for "hello"; the first two may be exchanged. Letters
    that were held down ("heyyy", "thankss") count once.
    """

    def __init__(self, known: Iterable[str], *, other: Iterable[str] = ()) -> None:
        """`other` words are no slips of known ones, however near."""
        self._known = frozenset(known)
        self._other = frozenset(other)
        self._squeezed = {_squeezed(word): word for word in sorted(self._known, reverse=True)}
        self._long = tuple(sorted(word for word in self._known if len(word) >= SHORTEST_WORD))

    def corrected(self, word: str) -> str:
        """The known word that was meant, or the word as it is."""
        if word in self._known or word in self._other or not (word.isascii() and word.isalpha()) or len(word) > 40:
            return word
        held_down = _REPEATED.search(word) is not None or word[-1] == word[-2:-1]
        if (held_down or len(word) >= SHORTEST_WORD) and (meant := self._squeezed.get(_squeezed(word))):
            return meant
        return next((known for known in self._long if is_one_slip(word, known)), word)


def is_one_slip(written: str, meant: str) -> bool:
    """Whether one insertion, deletion, substitution or exchange of neighbours lies between two different words.

    That is the restricted Damerau-Levenshtein distance 1, with the first letter kept.
    """
    if written == meant or abs(len(written) - len(meant)) > 1:
        return False
    begin = 0
    while begin < min(len(written), len(meant)) and written[begin] == meant[begin]:
        begin += 1
    end = 0
    while end < min(len(written), len(meant)) - begin and written[-1 - end] == meant[-1 - end]:
        end += 1
    mine, theirs = written[begin : len(written) - end], meant[begin : len(meant) - end]
    is_exchange = len(mine) == 2 and mine == theirs[::-1]
    return is_exchange or (begin > 0 and max(len(mine), len(theirs)) == 1)


def _squeezed(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))
