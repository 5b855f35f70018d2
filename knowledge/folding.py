"""One spelling for search: texts that look alike, or differ in script only, are found alike. Shown text stays as it is.

Both sides are folded, questions and articles, for the words of the lexical search and for what the embedding model reads.
The table of characters is OpenCC's (`TSCharacters`, Apache-2.0): which simplified character stands for a traditional one.
One character at a time is exact enough for finding; it would not be for showing.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

# Formats (zero-width blanks and joiners, the soft hyphen, direction marks) and the marks that only vary a shape.
_UNSEEN_CATEGORY = "Cf"
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}


def folded(text: str) -> str:
    """The text without what nobody sees, full-width forms as plain ones, traditional characters as simplified ones."""
    if text.isascii():
        return text
    seen = "".join(each for each in text if each not in _UNSEEN and unicodedata.category(each) != _UNSEEN_CATEGORY)
    return unicodedata.normalize("NFKC", seen).translate(_simplified())


@cache
def _simplified() -> dict[int, int]:
    traditional, simplified = Path(__file__).with_name("traditional.txt").read_text(encoding="utf-8").splitlines()
    return str.maketrans(traditional, simplified)
