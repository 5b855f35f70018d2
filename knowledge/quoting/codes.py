"""Codes and model names: letters and digits together, in every spelling. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledge.folding import folded
from knowledge.quoting.quantities import quantities
from knowledge.search.terms import words

MAX_SHOWN = 5
MAX_CHARACTERS = 40

_CODE = re.compile(r"(?<![A-Za-z0-9@./_-])[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*(?![A-Za-z0-9@])")
_SPACED_CODE = re.compile(r"(?<![A-Za-z0-9-])([A-Z]{2,5}) (\d+[A-Z]?)(?![A-Za-z0-9.,:/%-])")
_LABELLED = re.compile(
    r"(?:\b(?:model|type|version|series|generation|error(?: code)?)|型号|版本|错误(?:代?码)?|故障(?:代?码)?)"
    r"[ :：#]*(\d+(?:\.\d+)*)",
    re.IGNORECASE,
)
_NO_CODE = re.compile(
    r"\d+(?:st|nd|rd|th|s|k|x\d+|am|pm|h)?|\d+(?:[-.]\d+)*|(?:mid|pre|post|early|late|circa|ca|non|top|under|over)-.*",
    re.IGNORECASE,
)
NO_PREFIX = words("EUR USD GBP CHF CNY RMB JPY AM PM BC AD CE IN ON OF TO AT BY THE FOR AND OR IS UTC GMT")
_PIECES = re.compile(r"[A-Za-z]+|\d+")
_JOINT = r"[-\s_./‐-–]?"


def codes_in(text: str) -> tuple[str, ...]:
    """Codes and model names (letters and digits together), and numbers behind "model" or "error", each once as written."""
    plain = folded(text)
    found = [match.group() for match in _CODE.finditer(plain) if _is_code(match.group())]
    if not plain.isupper():
        found += [match.group() for match in _SPACED_CODE.finditer(plain) if match.group(1) not in NO_PREFIX]
    found += [match.group(1) for match in _LABELLED.finditer(plain)]
    return tuple(dict.fromkeys(each[:MAX_CHARACTERS] for each in found))


def names_code(text: str, code: str) -> bool:
    """Whether the text names the code, however it is spelled: XJ-200B, XJ200B, xj 200b."""
    return _code_pattern(code).search(folded(text)) is not None


def alternatives(code: str, texts: Iterable[str]) -> tuple[str, ...]:
    """Codes of the texts that begin with the same letters, in their order, MAX_SHOWN at most."""
    letters = pieces(code)[0]
    same = (each for text in texts for each in codes_in(text) if pieces(each)[0].casefold() == letters.casefold())
    return tuple(sorted(dict.fromkeys(same)))[:MAX_SHOWN] if letters.isalpha() else ()


def without_code(text: str, code: str) -> str:
    """The text without the code, however it is spelled."""
    return _code_pattern(code).sub(" ", folded(text))


def is_sibling(code: str, other: str) -> bool:
    """Whether two different codes begin with the same letters, or are both numbers: one is not a part of the other."""
    first, second = pieces(code)[0].casefold(), pieces(other)[0].casefold()
    is_same_sort = first == second or (first.isdigit() and second.isdigit())
    return is_same_sort and not names_code(other, code)


def pieces(code: str) -> list[str]:
    """The runs of letters and of digits in a code."""
    return _PIECES.findall(code)


def _is_code(token: str) -> bool:
    letters, digits = re.search("[A-Za-z]", token), re.search(r"\d", token)
    if not letters or not digits or _NO_CODE.fullmatch(token) or "//" in token:
        return False
    if any(each.text.replace(" ", "") == token for each in quantities(token)):
        return False
    if token[0].isdigit():
        # "2-person" counts something, "3D" and "4G" name it.
        return re.fullmatch(r"\d+[A-Z]+\d*[A-Z]*", token) is not None
    return re.search(r"[A-Za-z][-_./]?\d", token) is not None


def _code_pattern(code: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![A-Za-z0-9])(?<!\d[.,]){_JOINT.join(pieces(code))}(?![A-Za-z0-9])(?![.,]\d)", re.IGNORECASE
    )
