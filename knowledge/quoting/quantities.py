"""What is measured: the units of a text, and which kind of quantity a question asks for. Pure functions.

A question for watts is not answered by litres. Only what a question says outright counts ("how many watts", "多少升",
"how much does it cost"), and a text without any quantity is never judged by this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.amounts import KIND_OF, UNITS, amounts
from knowledge.folding import folded

# How else a unit is written where no number stands right before it: "within two weeks", "几个月", "百分之".
_ALSO_WRITTEN = {"mo": "月", "%": "percent|百分之"}
# Without a number of figures before it only a unit's whole word counts.
_WORDS = [
    (
        unit,
        re.compile(
            rf"(?<![a-z])(?:{'|'.join(w for w in written.split('|') if not re.fullmatch('[a-z]{1,2}', w))})(?![a-z])",
            re.IGNORECASE,
        ),
    )
    for units in UNITS.values()
    for unit, written in ((unit, f"{own}|{_ALSO_WRITTEN.get(unit, own)}") for unit, own in units.items())
]
# Says a price without a unit.
_FREE = re.compile(
    r"\b(?:free|gratis|no (?:extra )?(?:charge|cost|fee)|complimentary)\b|免费|包邮|免运费|不收", re.IGNORECASE
)

_ASKED_UNIT = re.compile(r"\bhow (?:many|much) ([a-z]+)|(?:多少|几)(?:个)?([^\W\d_]{1,3})", re.IGNORECASE)
_ASKED_KIND = [
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            "money",
            r"\bhow much (?:does|do|is|are|will|would|did) [^?]*\b(?:cost|charge|price)\b"
            r"|\bwhat(?:'s| is) the price\b|多少钱",
        ),
        ("mass", r"\bhow heavy\b|\bwhat(?:'s| is) the weight\b|\b(?:how much|what) (?:does|do) [^?]*\bweighs?\b|多重"),
        ("power", r"\bwattage\b|(?:功率|瓦数)(?:是|有)?多[少大]"),
        ("voltage", r"\bvoltage\b|电压(?:是|有)?多[少大高]"),
    )
]
# What else answers a question for it: a price may be a share of another one.
_ALSO = {"money": frozenset({"share"})}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, in one spelling each, and as the text has them."""

    number: str
    unit: str
    text: str

    @property
    def kind(self) -> str:
        """What it measures."""
        return KIND_OF[self.unit]


def quantities(text: str) -> tuple[Quantity, ...]:
    """Every number with a unit, in the order of the text; different spellings of the same quantity are equal but for the text."""
    plain = folded(text)
    return tuple(Quantity(each.number, each.unit, plain[each.start : each.end]) for each in amounts(plain) if each.unit)


def kinds_in(text: str) -> frozenset[str]:
    """The kinds of quantities that a text speaks of, in figures or in words."""
    plain = folded(text)
    kinds = {each.kind for each in quantities(plain)}
    kinds |= {KIND_OF[unit] for unit, pattern in _WORDS if pattern.search(plain)}
    return frozenset(kinds | {"money"} if _FREE.search(plain) else kinds)


def asked_kind(question: str) -> str | None:
    """The kind of quantity that a question asks for outright; None when it does not say so."""
    plain = folded(question)
    named = next((kind for kind, pattern in _ASKED_KIND if pattern.search(plain)), None)
    if named is not None:
        return named
    for match in _ASKED_UNIT.finditer(plain):
        word = match.group(1) or match.group(2)
        for unit, pattern in _WORDS:
            starts = pattern.match(word)
            if starts and (match.group(2) or starts.end() == len(word)):
                return KIND_OF[unit]
    return None


def is_other_kind(asked: str, text: str) -> bool:
    """Whether the text tells quantities, and none of the kind that was asked for."""
    told = kinds_in(text)
    return bool(quantities(text)) and not told & ({asked} | _ALSO.get(asked, frozenset()))
