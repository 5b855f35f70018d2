"""Taking personal data out of a text before it leaves the desk: what the desk knows of the customer, and what has a form.

Addresses, numbers and links have forms that can be recognised; a name that somebody writes into a sentence has none, and stays
unless the desk knows it. What the company has published itself, in the passages of its articles, is nobody's secret. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

# Shorter ones would blot out words that merely look alike; two Chinese characters are a name.
SHORTEST_ASCII, SHORTEST = 3, 2
CUSTOMER = "[CUSTOMER]"

# Not \b and \w: Chinese characters stand beside figures without a space.
_START, _END = r"(?<![A-Za-z0-9_.])", r"(?![A-Za-z0-9_])"
_NO_DATE = r"(?!\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d))"
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[EMAIL]", re.compile(r"[A-Za-z0-9_.+'-]+@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+")),
    ("[LINK]", re.compile(r"(?:https?://|www\.)[^\s<>\"'，。；（）]+", re.IGNORECASE)),
    ("[IP]", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    ("[IBAN]", re.compile(rf"{_START}[A-Z]{{2}}\d{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}}(?: ?[A-Z0-9]{{1,3}})?{_END}")),
    # Cards, identity cards, phones: nine digits and more, however they are spaced, or seven with a plus.
    ("[NUMBER]", re.compile(rf"{_START}{_NO_DATE}\+?\(?\d(?:[ ()/.-]{{0,2}}[\dX]){{8,}}{_END}")),
    ("[NUMBER]", re.compile(rf"{_START}\+\d(?:[ ()/.-]{{0,2}}\d){{6,}}{_END}")),
    # Orders, customers, parcels: letters with at least four digits, or a long run of digits.
    ("[CODE]", re.compile(rf"(?<![A-Za-z0-9])[A-Za-z]{{1,6}}[-_#]?\d{{4,}}[A-Za-z0-9-]*{_END}")),
    ("[CODE]", re.compile(rf"(?<![A-Za-z0-9_.,])\d{{6,}}{_END}(?![.,]\d)")),
)


def redacted(text: str, *, known: Iterable[str] = (), published: str = "") -> str:
    """The text with a word in brackets in the place of each finding; what stands in `published` as it is stays."""
    for form in sorted({each.strip() for each in known}, key=len, reverse=True):
        if len(form) >= (SHORTEST_ASCII if form.isascii() else SHORTEST) and form not in published:
            whole = rf"(?<!\w){re.escape(form)}(?!\w)" if form.isascii() else re.escape(form)
            text = re.sub(whole, CUSTOMER, text, flags=re.IGNORECASE)
    for word, pattern in _FORMS:
        text = pattern.sub(partial(_kept_or, word, published), text)
    return text


def _kept_or(word: str, published: str, match: re.Match[str]) -> str:
    found = match.group()
    core = found.rstrip(".,;:!?)")
    return found if core in published else word + found[len(core) :]
