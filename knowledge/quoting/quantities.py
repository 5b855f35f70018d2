"""What is measured: the units of a text, and which kind of quantity a question asks for. Pure functions.

A question for watts is not answered by litres. Only what a question says outright counts ("how many watts", "多少升",
"how much does it cost"), and a text without any quantity is never judged by this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.folding import folded

# Kind -> unit -> how it is written. The kinds in one group measure the same thing for whoever asks.
_UNITS: dict[str, dict[str, str]] = {
    "power": {"w": "w|watts?|瓦特?", "kw": "kw|kilowatts?|千瓦", "hp": "hp|horse ?power|马力"},
    "voltage": {"v": "v|volts?|伏特?", "kv": "kv|千伏"},
    "volume": {"l": "l|lit(?:re|er)s?|公升|升", "ml": "ml|millilit(?:re|er)s?|毫升", "gal": "gal|gallons?|加仑"},
    "mass": {
        "kg": "kgs?|kilos?|kilograms?|公斤|千克",
        "g": "g|grams?|克",
        "lb": "lbs?|pounds?(?! sterling)|磅",
        "oz": "oz|ounces?|盎司",
        "t": "tons?|tonnes?|吨",
        "jin": "斤",
    },
    "length": {
        "mm": "mm|millimet(?:re|er)s?|毫米",
        "cm": "cm|centimet(?:re|er)s?|厘米|公分",
        "m": "m|met(?:re|er)s?|米",
        "km": "km|kilomet(?:re|er)s?|公里|千米",
        "in": "inch(?:es)?|英寸",
        "ft": "ft|feet|foot|英尺",
        "mi": "miles?|英里",
    },
    "time": {
        "s": "seconds?|秒钟?",
        "min": "min|minutes?|分钟",
        "h": "h|hrs?|hours?|小时|钟头",
        "d": "(?:working |business )?days?|(?:个)?(?:工作|自然)?[天日]",
        "wk": "weeks?|周|星期|礼拜",
        "mo": "months?|个?月",
        "y": "years?|年",
    },
    "money": {
        "money": "€|\\$|£|¥|eur(?:os?)?|usd|gbp|chf|cny|rmb|dollars?|cents?|francs?|yuan"
        "|元|块钱?|毛钱|角钱|欧元|美元|英镑|人民币"
    },
    "share": {"%": "%|per ?cent|percent|百分之|折"},
}
_UNIT_KIND = {unit: kind for kind, units in _UNITS.items() for unit in units}
_WRITTEN = [(unit, written) for units in _UNITS.values() for unit, written in units.items()]
# Begun at its first figure only and never taken apart: a long row of figures must not cost more than its length.
_NUMBER = r"(?<!\d)(?<!\d[.,])\d++(?:[.,]\d++)*+"
# A Latin unit ends where its letters end: "5 m" is a length, "5 men" is none.
_QUANTITIES = [
    (unit, re.compile(rf"({_NUMBER})[\s-]?(?:{written})(?![a-z])", re.IGNORECASE)) for unit, written in _WRITTEN
]
_BEFORE = re.compile(rf"(?:[€$£¥]|\b(?:eur|usd|gbp|chf|rmb)\b)\s?({_NUMBER})", re.IGNORECASE)
# Without a number of figures before it only a unit's whole word counts: "within two weeks", "三天".
_WORDS = [
    (
        unit,
        re.compile(
            rf"(?<![a-z])(?:{'|'.join(w for w in written.split('|') if not re.fullmatch('[a-z]{1,2}', w))})(?![a-z])",
            re.IGNORECASE,
        ),
    )
    for unit, written in _WRITTEN
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
    """A number with its unit, in one spelling each."""

    number: str
    unit: str
    text: str

    @property
    def kind(self) -> str:
        """What it measures."""
        return _UNIT_KIND[self.unit]


def quantities(text: str) -> tuple[Quantity, ...]:
    """Every number with a unit, in the order of the units."""
    plain = folded(text)
    found = [
        Quantity(match.group(1).replace(",", "."), unit, match.group())
        for unit, pattern in _QUANTITIES
        for match in pattern.finditer(plain)
    ]
    return (*found, *(Quantity(match.group(1), "money", match.group()) for match in _BEFORE.finditer(plain)))


def kinds_in(text: str) -> frozenset[str]:
    """The kinds of quantities that a text speaks of, in figures or in words."""
    plain = folded(text)
    kinds = {each.kind for each in quantities(plain)}
    kinds |= {_UNIT_KIND[unit] for unit, pattern in _WORDS if pattern.search(plain)}
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
                return _UNIT_KIND[unit]
    return None


def is_other_kind(asked: str, text: str) -> bool:
    """Whether the text tells quantities, and none of the kind that was asked for."""
    told = kinds_in(text)
    return bool(quantities(text)) and not told & ({asked} | _ALSO.get(asked, frozenset()))
