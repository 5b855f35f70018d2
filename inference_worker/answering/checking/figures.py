"""The figures of a text in one spelling each: numbers in words, dates, times, amounts with their units. Pure functions.

The same amount may be written otherwise ("two weeks", "14天"); another unit, another currency or working days for days is
another amount.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import pairwise

from knowledge.amounts import amounts

# The number and its unit, as `knowledge.amounts` writes them.
Amount = tuple[str, str]

_WRITTEN_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_WRITTEN_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES = {word: number for number, word in enumerate(_WRITTEN_ONES.split())}
_TENS = {word: number for number, word in enumerate(_WRITTEN_TENS.split(), 2)}
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORD = "|".join(sorted([*_ONES, *_TENS, *_SCALES], key=len, reverse=True))
_IN_WORDS = re.compile(rf"\b(?:{_WORD})(?:(?:[\s-]+(?:and\s+)?)(?:{_WORD}))*\b", re.IGNORECASE)
_MEASURE = (
    r"(?:(?:working|business|calendar|full)\s+)?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|euros?|dollars?|cents?"
    r"|pounds?|per ?cent|percent|kilos?|kilograms?|grams?|lit(?:re|er)s?|met(?:re|er)s?|miles?|inch(?:es)?|feet|foot"
    r"|watts?|volts?)\b"
)
_ONE = re.compile(rf"\b(?:a|an|one)\s+(?={_MEASURE})", re.IGNORECASE)
# Of days it makes another unit, of weeks it does not.
_QUALIFIED = re.compile(
    r"(?<=\d)\s+(?:working|business|calendar|full|whole|consecutive)\s+(?=(?:hours?|weeks?|months?|years?)\b)",
    re.IGNORECASE,
)

_DIGITS_ZH = {each: number for number, each in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES_ZH = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_UNITS_ZH = (
    r"个?(?:工作日|营业日|自然日|小时|钟头|星期|礼拜|月)|天|日|周|年|分钟|秒|欧元|美元|英镑|元|块"
    r"|公斤|千克|克|厘米|毫米|公里|米|毫升|升|瓦|伏|折|倍"
)
_IN_WORDS_ZH = re.compile(
    rf"(?<![第周期拜零〇一二两三四五六七八九十百千万])([零〇一二两三四五六七八九十百千万]+)"
    rf"(?=多?(?:{_UNITS_ZH})|[到至~-][零〇一二两三四五六七八九十百千万\d]|(?<!一)(?:个|件|次|种|步|位|名|人|台|张|份|家|岁|层|箱|包|盆|株|棵|点))"
)
_PER_CENT_ZH = re.compile(r"百分之([零〇一二两三四五六七八九十百]+|\d+(?:\.\d+)?)")

_WRITTEN_MONTHS = "january february march april may june july august september october november december"
_MONTHS = {name: number for number, name in enumerate(_WRITTEN_MONTHS.split(), 1)}
_MONTH = "|".join(f"{name}|{name[:3]}\\.?" for name in _MONTHS)
_ISO = re.compile(r"(?<!\d)(\d{4})(?:[-/.]|\s?年\s?)(\d{1,2})(?:[-/.]|\s?月\s?)(\d{1,2})(?:\s?[日号])?(?!\d)")
_DATE_ZH = re.compile(r"(?<!\d)(\d{1,2})\s?月\s?(\d{1,2})\s?[日号]")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_MONTH})\b(?:,?\s+(\d{{4}})\b)?", re.IGNORECASE)
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*(?:days?|weeks?))(?:,?\s+(\d{{4}})\b)?", re.IGNORECASE
)
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2})[:：](\d{2})(?![\d:])(?:\s*([ap])\.?m\b\.?)?", re.IGNORECASE)
_AM_PM = re.compile(r"(?<![\d:.])(\d{1,2})\s*([ap])\.?m\b\.?", re.IGNORECASE)
_CLOCK_ZH = re.compile(
    r"(上午|早上|早晨|凌晨|中午|下午|傍晚|晚上|晚)?\s?(?<!\d)(\d{1,2})\s?[点时](?!间)(?:(半)|\s?(\d{1,2})\s?分(?!钟))?"
)
_DAYS = [
    re.compile(rf"\b{name}s?\b|(?:星期|周|礼拜){chinese}(?!次)", re.IGNORECASE)
    for name, chinese in zip(
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        ["一", "二", "三", "四", "五", "六", "[日天]"],
        strict=True,
    )
]
_ANY_DAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:星期|周|礼拜)[一二三四五六日天])"
_DAY_RANGE = re.compile(rf"({_ANY_DAY})\s*(?:to|through|till|until|[-–—~到至])\s*({_ANY_DAY})", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,])\+?\d(?:[\s()/.-]{0,2}\d){6,}(?![\w])")

_NUMBER = re.compile(r"(?<![A-Za-z\d])\d++(?:[.,]\d++)*+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_TO = re.compile(r"\s?(?:[-–—~至到]|to|or|或)\s?", re.IGNORECASE)

# A number that only counts the lines or steps of the answer itself.
_ORDINAL = re.compile(
    r"^\s*(?:\d{1,3}[.)、）](?!\d)|[(（]\d{1,2}[)）])|\b(?:step|option)\s+\d+\b|第\s?\d+\s?[步条点项]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a text says in figures. Times are minutes of the day, days 0 (Monday) to 6; a date may lack its year."""

    dates: frozenset[tuple[int | None, int, int]] = frozenset()
    times: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    phones: frozenset[str] = frozenset()
    ranges: frozenset[tuple[str, str, str]] = frozenset()
    amounts: frozenset[Amount] = frozenset()
    numbers: frozenset[Fraction] = frozenset()

    def lacks(self, other: Figures) -> bool:
        """Whether the other one, a sentence, says something in figures that this one, its source, does not."""
        if not (other.times <= self.times and other.days <= self.days and other.phones <= self.phones):
            return True
        if any(not self._has_date(date) for date in other.dates):
            return True
        return not (other.ranges <= self.ranges and other.amounts <= self.amounts and other.numbers <= self.numbers)

    def joined(self, other: Figures) -> Figures:
        """Those of both."""
        return Figures(**{each.name: getattr(self, each.name) | getattr(other, each.name) for each in fields(self)})

    def _has_date(self, date: tuple[int | None, int, int]) -> bool:
        return any(date[1:] == own[1:] and date[0] in (own[0], None) for own in self.dates)


def figures(text: str, *, is_source: bool = False) -> Figures:
    """The figures of a folded text. A source's numbers are all of them, also those inside of amounts and dates."""
    rest = _ORDINAL.sub(" ", text) if not is_source else text
    days, rest = _days(rest)
    rest = _QUALIFIED.sub(" ", _ONE.sub("1 ", rest))
    all_numbers = _numbers(in_digits(rest))
    dates, rest = _dates(rest)
    times, rest = _times(rest)
    phones = {re.sub(r"\D", "", match.group()) for match in _PHONE.finditer(rest)}
    rest = _PHONE.sub(" ", rest)
    ranges, measured, rest = _measured(rest)
    return Figures(
        dates=frozenset(dates),
        times=frozenset(times),
        days=frozenset(days),
        phones=frozenset(phones),
        ranges=frozenset(ranges),
        amounts=frozenset(measured),
        numbers=frozenset(all_numbers if is_source else _numbers(in_digits(rest))),
    )


def in_digits(text: str) -> str:
    """The text with its numbers in digits: "thirty days", "a week" and "三十天" become "30 days", "1 week" and "30天"."""
    text = _PER_CENT_ZH.sub(lambda found: f"{_value_zh(found.group(1))}%", text)
    text = _IN_WORDS_ZH.sub(lambda found: str(_value_zh(found.group(1))), text)
    return _IN_WORDS.sub(_value_in_words, _ONE.sub("1 ", text))


def _value_in_words(found: re.Match[str]) -> str:
    words = [word for word in re.split(r"[\s-]+", found.group().lower()) if word != "and"]
    if words == ["one"]:
        # "this one", "one of them"
        return found.group()
    total = current = 0
    for word in words:
        if word in _SCALES:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] >= 1000:
                total, current = total + current, 0
        else:
            current += _ONES[word] if word in _ONES else _TENS[word] * 10
    return str(total + current)


def _value_zh(written: str) -> int | str:
    if not any(each in _DIGITS_ZH or each in _SCALES_ZH for each in written):
        return written
    total = digit = 0
    for each in written:
        if each in _SCALES_ZH:
            total += (digit or 1) * _SCALES_ZH[each]
            digit = 0
        else:
            digit = digit * 10 + _DIGITS_ZH[each]
    return total + digit


def _days(text: str) -> tuple[set[int], str]:
    days = {day for day, pattern in enumerate(_DAYS) if pattern.search(text)}
    for match in _DAY_RANGE.finditer(text):
        first, last = (
            next(day for day, pattern in enumerate(_DAYS) if pattern.search(each)) for each in match.groups()
        )
        days |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    for pattern in _DAYS:
        text = pattern.sub(" ", text)
    return days, text


def _dates(text: str) -> tuple[set[tuple[int | None, int, int]], str]:
    found: set[tuple[int | None, int, int]] = set()
    for match in _ISO.finditer(text):
        found.add((int(match.group(1)), int(match.group(2)), int(match.group(3))))
    text = _ISO.sub(" ", text)
    for match in _DATE_ZH.finditer(text):
        found.add((None, int(match.group(1)), int(match.group(2))))
    text = _DATE_ZH.sub(" ", text)
    for pattern, day, month in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        for match in pattern.finditer(text):
            year = int(match.group(3)) if match.group(3) else None
            found.add((year, _month(match.group(month)), int(match.group(day))))
        text = pattern.sub(" ", text)
    return found, text


def _month(name: str) -> int:
    return next(number for full, number in _MONTHS.items() if full.startswith(name.lower().rstrip(".")[:3]))


def _times(text: str) -> tuple[set[int], str]:
    found = {_minutes(match.group(1), match.group(2), match.group(3)) for match in _CLOCK.finditer(text)}
    text = _CLOCK.sub(" ", text)
    found |= {_minutes(match.group(1), "0", match.group(2)) for match in _AM_PM.finditer(text)}
    text = _AM_PM.sub(" ", text)
    for match in _CLOCK_ZH.finditer(text):
        part, hour, half, minute = match.groups()
        half_of_day = "" if part is None else "p" if part in ("中午", "下午", "傍晚", "晚上", "晚") else "a"
        found.add(_minutes(hour, "30" if half else minute or "0", half_of_day))
    return found, _CLOCK_ZH.sub(" ", text)


def _minutes(hour: str, minute: str, half: str | None) -> int:
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    return hours * 60 + int(minute)


def _measured(text: str) -> tuple[set[tuple[str, str, str]], set[Amount], str]:
    """Ranges, single amounts (the upper end of a range is one, "within five days"), and the text without them."""
    found = [(each.start, each.number_end, each.end, (each.number, each.unit)) for each in amounts(text) if each.unit]
    ranges: set[tuple[str, str, str]] = set()
    for (_, number_end, _, low), (start, _, _, high) in pairwise(found):
        if low[1] == high[1] and _TO.fullmatch(text, number_end, start):
            ranges.add((low[0], *high))
    lower = {(low, unit) for low, _, unit in ranges}
    upper = {(high, unit) for _, high, unit in ranges}
    single = {amount for _, _, _, amount in found if amount not in lower} | upper
    for start, _, end, _ in reversed(found):
        text = f"{text[:start]} {text[end:]}"
    return ranges, single, text


def _numbers(text: str) -> set[Fraction]:
    return {_value(match.group()) for match in _NUMBER.finditer(text)}


def _value(written: str) -> Fraction:
    """1,000 is a thousand, 1,5 and 1.5 are one and a half; 1.2.3 is nothing but its first two parts."""
    plain = written.replace(",", "") if _GROUPED.fullmatch(written) else written.replace(",", ".")
    return Fraction(".".join(plain.split(".")[:2]))
