"""Numbers as they are written: figures with separators, Chinese numerals, small English number words. Pure functions."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_DIGITS = {
    character: value for value, characters in enumerate(("零〇", "一", "二两", "三")) for character in characters
}
_DIGITS |= {character: value for value, character in enumerate("四五六七八九", start=4)}
_TIMES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_ONES = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_WORDS = _ONES | _TENS | {"ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "a hundred": 100, "one hundred": 100}

CHINESE = "[零〇一二两三四五六七八九十百千万亿]+"
# Begun at its first figure only and never taken apart: a long row of figures must not cost more than its length.
FIGURES = r"(?<![\d])(?<!\d[.,])\d++(?:[.,]\d++)*+"
ENGLISH = (
    rf"\b(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_ONES)}))?|{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b"
)
LONGEST_CHINESE = 12


def read_number(text: str) -> Decimal | None:
    """The number that the text is ("1,250", "两百五", "twelve", "3万"); None when it is none."""
    plain = text.strip().casefold()
    if plain in _WORDS:
        return Decimal(_WORDS[plain])
    ten, _, one = plain.replace("-", " ").partition(" ")
    if ten in _TENS and one in _ONES:
        return Decimal(_TENS[ten] + _ONES[one])
    if plain[:1].isdecimal():
        return _read_figures(plain)
    return _read_chinese(plain)


def write_number(number: Decimal) -> str:
    """In one spelling: without trailing zeros, a point before decimals."""
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _read_figures(text: str) -> Decimal | None:
    """A comma before three figures parts thousands, any other one decimals, as on the continent."""
    figures = text.rstrip("百千万亿")
    times = 1
    for character in text[len(figures) :]:
        times *= (_TIMES | _MYRIADS)[character]
    plain = re.sub(r",(?=\d{3}(?!\d))", "", figures).replace(",", ".")
    try:
        return Decimal(plain) * times
    except InvalidOperation:
        # "1.2.3" is a version.
        return None


def _read_chinese(text: str) -> Decimal | None:
    if not 0 < len(text) <= LONGEST_CHINESE or re.fullmatch(CHINESE, text) is None:
        return None
    if all(character in _DIGITS for character in text):
        return Decimal("".join(str(_DIGITS[character]) for character in text))
    total, section, digit, unit = 0, 0, None, 1
    for character in text:
        if character in _DIGITS:
            # "一百零五": the zero only parts; "二三百" is no one number.
            if digit:
                return None
            digit = _DIGITS[character]
            unit = 1 if digit == 0 else unit
        elif character in _TIMES:
            unit = _TIMES[character]
            section += (1 if digit is None else digit) * unit
            digit = None
        else:
            unit = _MYRIADS[character]
            total = (total + section + (digit or 0)) * unit
            section, digit = 0, None
    # "两百五" is 250: the last digit stands one place below the one named before it.
    last = (digit or 0) * (unit // 10 if unit >= 100 else 1)
    return Decimal(total + section + last)
