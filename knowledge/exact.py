"""What a text says exactly: amounts, codes and compounds, each in one spelling, as search terms of either language.

"30块", "¥30" and "三十元" are one term (`30cny`), and so are "XJ-200B" and "xj200b", "Wi-Fi" and "wifi". A stored text keeps its
words and gets these besides; in a question they stand for what they are made of, so that it has no more terms than before,
and 30元 is not found by 30天. They are no language's own, and find what is written in the other one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.amounts import Amount, amounts
from knowledge.folding import folded

_CODE = re.compile(r"(?<![A-Za-z0-9@./_-])[A-Za-z][A-Za-z0-9]*+(?:[-_./‐–][A-Za-z0-9]++)*+(?!@)")
# "XJ 200B", "iPhone 15": a word with a capital and the number behind it.
_SPACED = re.compile(r"(?<![A-Za-z0-9@./_-])([a-z]*[A-Z][A-Za-z]*) (\d+[A-Za-z]{0,2})(?![A-Za-z0-9:/%-]|[.,]\d)")
_COMPOUND = re.compile(r"(?<![A-Za-z0-9@./_-])([A-Za-z]++)-([A-Za-z]++)(?![0-9@/_-])")
_LONGEST_CODE = 40
# Of such a compound nobody means the parts: wi-fi, e-mail, t-shirt.
_SHORT = 2
_JOINT = re.compile("[-_./‐–]")
_FIRST_LETTERS = re.compile("[a-z]+")


@dataclass(frozen=True, slots=True)
class Exact:
    """`terms` as they are compared, `words` that still go through the language's own word forms, and the `rest` of the text."""

    terms: tuple[str, ...]
    words: tuple[str, ...]
    rest: str


def exact_terms(text: str) -> frozenset[str]:
    """The exact terms of a text that is stored or compared."""
    plain = folded(text)
    found = amounts(plain)
    terms = {each.term for each in found}
    # Who asks for days may mean working days; the other way round it would be a promise.
    terms |= {f"{each.number}d" for each in found if each.unit == "wd"}
    for match in _CODE.finditer(plain):
        if _is_code(match.group()):
            joined = _joined(match.group())
            letters = _letters(joined)
            terms |= {joined, letters, joined.removeprefix(letters)}
    numbers = {each.start for each in found if each.unit}
    terms |= {_joined(match[1] + match[2]) for match in _SPACED.finditer(plain) if match.start(2) not in numbers}
    return frozenset(term for term in terms if term)


def compounds(text: str) -> tuple[str, ...]:
    """The hyphenated words of a text as one word each ("e-mail", "check-in")."""
    return tuple(dict.fromkeys(_joined(match.group()) for match in _COMPOUND.finditer(folded(text))))


def read_exactly(question: str) -> Exact:
    """A question's exact terms, and what is left without them."""
    plain = folded(question)
    terms: list[str] = []
    words: list[str] = []
    cuts: list[tuple[int, int]] = []
    for each in amounts(plain):
        terms.append(each.term)
        cuts.append(_number_of(each))
    for match in _CODE.finditer(plain):
        if _is_code(match.group()):
            joined = _joined(match.group())
            terms += [joined, _letters(joined)] if len(_letters(joined)) >= _SHORT else [joined]
            cuts.append(match.span())
    for match in _COMPOUND.finditer(plain):
        if len(match[1]) <= _SHORT:
            words.append(_joined(match.group()))
            cuts.append(match.span())
    return Exact(tuple(dict.fromkeys(terms)), tuple(dict.fromkeys(words)), _without(plain, cuts))


def _number_of(amount: Amount) -> tuple[int, int]:
    return amount.start, amount.number_end


def _is_code(token: str) -> bool:
    return len(token) <= _LONGEST_CODE and any(each.isdigit() for each in token) and "//" not in token


def _joined(token: str) -> str:
    return _JOINT.sub("", token).replace(" ", "").casefold()


def _letters(joined: str) -> str:
    found = _FIRST_LETTERS.match(joined)
    return found.group() if found else ""


def _without(text: str, cuts: list[tuple[int, int]]) -> str:
    for start, end in sorted(cuts, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return text
