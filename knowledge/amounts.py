"""Amounts: numbers with units, in one spelling each, so that "两百块" is ¥200 and "半年" is "6 months". Pure functions.

Only what is exactly the same is made the same: a week is 7 days and a year 12 months, but a month is no number of days, and
a working day no day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from knowledge.folding import folded
from knowledge.numerals import CHINESE, ENGLISH, FIGURES, read_number, write_number

# Kind -> unit -> how it is written. The kinds in one group measure the same thing for whoever asks.
UNITS: dict[str, dict[str, str]] = {
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
    "money": {
        "cny": "¥|cny|rmb|yuan|元|块钱?|人民币",
        "mao": "毛钱|角钱?",
        "eur": "€|eur(?:os?)?|欧元?",
        "usd": r"\$|usd|dollars?|美元|美金",
        "gbp": "£|gbp|pounds? sterling|英镑",
        "hkd": "hkd|港币|港元",
        "jpy": "jpy|yen|日元",
        "chf": "chf|francs?|瑞士法郎",
        "cent": "cents?",
    },
    "time": {
        "s": "seconds?|秒钟?",
        "min": "min|minutes?|分钟",
        "h": "h|hrs?|hours?|个?小时|个?钟头",
        "wd": "(?:working|business)[ -]days?|个?工作日",
        "d": "(?:calendar )?days?|个?自然日|天|日",
        "wk": "weeks?|周|个?星期|个?礼拜",
        "mo": "months?|个月",
        "qtr": "quarters?|个?季度",
        "y": "years?|年",
    },
    "share": {"%": "%|per ?cent", "zhe": "折"},
}
# Unit -> the one that it is turned into, and how many of that it is.
_EXACT: dict[str, tuple[str, Decimal]] = {
    unit: (base, Decimal(times))
    for unit, base, times in (
        ("kw", "w", "1000"),
        ("kv", "v", "1000"),
        ("ml", "l", "0.001"),
        ("g", "kg", "0.001"),
        ("t", "kg", "1000"),
        ("jin", "kg", "0.5"),
        ("mm", "m", "0.001"),
        ("cm", "m", "0.01"),
        ("km", "m", "1000"),
        ("mao", "cny", "0.1"),
        ("wk", "d", "7"),
        ("qtr", "mo", "3"),
        ("y", "mo", "12"),
    )
}
# What is halved exactly: half a month or half a day is said of anything between.
_HALVED = frozenset({"h", "y", "kg", "jin", "l", "m", "km"})
_MINUTES = {"min": 1, "h": 60, "d": 1440}
# A number of four figures before it is a year of the calendar.
_FIRST_CALENDAR_YEAR = 1000
_WRITTEN = [(unit, written) for units in UNITS.values() for unit, written in units.items()]

_NUMBER = re.compile(
    rf"(?P<percent>百分之)?(?P<number>{FIGURES}[百千万亿]?|(?<![周第初期拜]){CHINESE}|{ENGLISH})"
    r"|(?P<half>(?<![上下前后大多一夜个])半|\bhalf an? )",
    re.IGNORECASE,
)
# A Latin unit ends where its letters end: "5 m" is a length, "5 men" is none.
_UNIT = re.compile(
    r"(?P<half>个半(?=[^\W\d_a-z]))?[\s-]?(?:"
    + "|".join(f"(?P<u{place}>{written})" for place, (_, written) in enumerate(_WRITTEN))
    + r")(?![a-z])(?P<more>半)?",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"(?:(hk\$|[€$£¥])|\b(eur|usd|gbp|chf|rmb|cny|hkd)\b)\s?$", re.IGNORECASE)
_CURRENCIES = {"€": "eur", "$": "usd", "£": "gbp", "¥": "cny", "rmb": "cny", "hk$": "hkd"}
_LONGEST_CURRENCY = 4
_TO = re.compile(r"\s?(?:[-–—~至到或]|to|or|and)\s?", re.IGNORECASE)
# "满199减20" counts money, "满18岁" does not.
_FROM = re.compile(r"[满滿]\s?$")
_BEHIND_FROM = re.compile(r"\s?(?:[减包邮免送赠返起立可即就才享打，。,、）)；;]|$)")
# What is a number in words without any unit: "满两百", not "千万别".
_BARE = re.compile("[一二两三四五六七八九]+[百千万亿].*")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, as one that measures the same would give it (`10斤` is 5 kg); the unit of a bare number is "".

    `start` and `end` are its place in the folded text, `number_end` where the number ends within it.
    """

    number: str
    unit: str
    start: int
    number_end: int
    end: int

    @property
    def kind(self) -> str:
        """What it measures; "" for a bare number."""
        return KIND_OF.get(self.unit, "")

    @property
    def term(self) -> str:
        """As a search term."""
        return self.number + self.unit


KIND_OF = {unit: kind for kind, units in UNITS.items() for unit in units}


def amounts(text: str) -> tuple[Amount, ...]:
    """Every number with a unit, and numbers that only Chinese numerals tell, in the order of the text."""
    return tuple(_amounts(folded(text)))


@dataclass(frozen=True, slots=True)
class _Unit:
    """The unit that belongs to a number, where the number and the unit end, and whether a half is added."""

    name: str
    number_end: int
    end: int
    adds_half: bool = False


def _amounts(plain: str) -> Iterator[Amount]:
    waiting: list[re.Match[str]] = []
    for match in _NUMBER.finditer(plain):
        if waiting and _TO.fullmatch(plain, waiting[-1].end(), match.start()) is None:
            yield from _without_unit(waiting)
            waiting = []
        unit = _unit_of(plain, match)
        if unit is None:
            waiting.append(match)
            continue
        # "3–5 days", "三到五天": both numbers are of that unit.
        for each in waiting:
            yield from _read(each, _Unit(unit.name, each.end(), each.end()))
        yield from _read(match, unit)
        waiting = []
    yield from _without_unit(waiting)


def _unit_of(plain: str, match: re.Match[str]) -> _Unit | None:
    if match["percent"]:
        return _Unit("%", match.end(), match.end())
    behind = _UNIT.match(plain, match.end())
    if behind is not None and not _is_no_unit(plain, match, behind):
        return _behind(match, behind)
    before = _CURRENCY.search(plain[max(0, match.start() - _LONGEST_CURRENCY) : match.start()])
    if before is not None:
        sign = (before[1] or before[2]).casefold()
        return _Unit(_CURRENCIES.get(sign, sign), match.end(), match.end())
    if _FROM.search(plain[max(0, match.start() - 2) : match.start()]) and _BEHIND_FROM.match(plain, match.end()):
        return _Unit("cny", match.end(), match.end())
    return None


def _behind(match: re.Match[str], behind: re.Match[str]) -> _Unit:
    group = next(name for name, value in behind.groupdict().items() if value and name.startswith("u"))
    unit = _WRITTEN[int(group[1:])][0]
    has_more = bool(behind["more"]) and unit in _HALVED
    return _Unit(
        name=unit,
        number_end=behind.end("half") if behind["half"] else match.end(),
        end=behind.end("more") if has_more else behind.end(group),
        adds_half=has_more or bool(behind["half"]),
    )


def _is_no_unit(plain: str, match: re.Match[str], behind: re.Match[str]) -> bool:
    """`一块去` is no money, 4G no weight, and the day of a date no length of time."""
    is_together = match.group() == "一" and behind.group() == "块"
    is_network = behind.group() == "G" and match.group() in {"2", "3", "4", "5", "6"}
    is_date = behind.group() == "日" and plain[max(0, match.start() - 1) : match.start()] == "月"
    return is_together or is_network or is_date


def _read(match: re.Match[str], unit: _Unit) -> Iterator[Amount]:
    if match["half"] and unit.name not in _HALVED:
        return
    for number in _numbers(match, unit.name):
        exact, base = _converted(number + (Decimal("0.5") if unit.adds_half else 0), unit.name)
        yield Amount(write_number(exact), base, match.start(), unit.number_end, unit.end)


def _numbers(match: re.Match[str], unit: str) -> list[Decimal]:
    written = match["number"]
    if written is None:
        return [Decimal("0.5")]
    if unit not in {"zhe", "%", "y"} and re.fullmatch("[一二两三四五六七八九]{2}", written):
        # "三五天" is three to five days.
        return [number for each in written if (number := read_number(each)) is not None]
    number = read_number(written)
    if number is not None and unit == "zhe" and number >= 10:
        # 九八折 is 98 %, as 9.8折 is.
        number /= 10
    return [] if number is None else [number]


def _without_unit(waiting: list[re.Match[str]]) -> Iterator[Amount]:
    for match in waiting:
        if match["number"] and _BARE.fullmatch(match["number"]):
            yield from _read(match, _Unit("", match.end(), match.end()))


def _converted(number: Decimal, unit: str) -> tuple[Decimal, str]:
    if unit == "y" and number >= _FIRST_CALENDAR_YEAR:
        return number, unit
    base, times = _EXACT.get(unit, (unit, Decimal(1)))
    number, unit = number * times, base
    if unit == "s" and number and number % 60 == 0:
        number, unit = number / 60, "min"
    if unit in _MINUTES:
        minutes = number * _MINUTES[unit]
        # As few as can be without a fraction: 72 hours are 3 days, a day and a half 36 hours.
        unit = next((each for each in ("d", "h") if minutes % _MINUTES[each] == 0), "min")
        number = minutes / _MINUTES[unit]
    return number, unit
