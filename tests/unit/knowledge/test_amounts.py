"""Amounts, codes and compounds: what is written differently and is the same, and what only looks alike."""

from __future__ import annotations

import pytest

from knowledge.amounts import amounts
from knowledge.exact import exact_terms, read_exactly
from knowledge.quoting.quantities import quantities
from knowledge.text import compared_terms, lexical_question

# Each group is one amount, however it is written.
SAME = [
    ["45元", "45块", "45块钱", "四十五元", "¥45", "￥４５", "RMB 45", "45 RMB", "45 yuan", "CNY45", "满45包邮"],
    ["200元", "两百块", "二百元", "¥200", "200.00 yuan"],
    ["€7.50", "7.50 €", "7,50 EUR", "7.5 euros"],
    ["1,250 dollars", "$1250", "USD 1,250", "1250美元"],
    ["5kg", "5 kilos", "5公斤", "5千克", "10斤", "十斤", "5,000 grams"],
    ["1.5 l", "1500毫升", "1.5升", "1500ml"],
    ["2h", "2 hours", "two hours", "2小时", "两个小时", "120 minutes"],
    ["90分钟", "一个半小时", "90 min"],
    ["3天", "三天", "3 days", "three days", "72小时"],
    ["一周", "7天", "1 week", "seven days", "7日"],
    ["半年", "6个月", "六个月", "6 months", "half a year", "两个季度"],
    ["两年半", "30个月", "30 months"],
    ["30%", "百分之三十", "30 per cent", "百分之30"],
    ["98折", "九八折", "9.8折"],
    ["3万元", "30000元", "三万块"],
    ["5km", "5公里", "5千米", "5000 m"],
]
# No two of a group are the same, nor is one found by another.
DIFFERENT = [
    ["45元", "45天", "45公斤", "$45", "€45", "450元", "4.5元", "45分钟"],
    ["3天", "3个月", "3年", "3小时", "13天"],
    ["一个月", "30天", "4周"],
    ["9折", "9%", "9元"],
    ["半个月", "15天"],
    ["XJ-200", "XJ-200B", "XJ-2000", "XK-200"],
    ["iPhone 15", "iPhone 5", "iPhone 16"],
]
SAME_NAMES = [
    ["QF-310C", "qf310c", "ＱＦ－３１０Ｃ", "QF 310C", "qf_310c", "QF310C泵"],
    ["iPhone15", "iPhone 15", "iphone15手机"],
    ["Wi-Fi密码", "wifi密码", "ＷＩＦＩ密码", "WiFi 密码"],
]


def found_by(question: str, text: str, *, language: str = "zh") -> set[str]:
    """What of the question the text holds, as the search by words compares them."""
    asked = lexical_question(question, language)
    return {*asked.exact, *asked.prepared.split()} & compared_terms(text)


def pairs(groups: list[list[str]]) -> list[tuple[str, str]]:
    return [(one, other) for group in groups for one in group for other in group if one != other]


@pytest.mark.parametrize("group", SAME, ids=lambda group: group[0])
def test_one_amount_in_every_spelling_is_the_same(group: list[str]) -> None:
    assert len({tuple(each.term for each in amounts(text)) for text in group}) == 1
    assert len(amounts(group[0])) == 1
    assert len({(each.number, each.unit) for text in group for each in quantities(text)}) == 1


@pytest.mark.parametrize(("question", "text"), pairs(SAME + SAME_NAMES))
def test_every_spelling_finds_every_other(question: str, text: str) -> None:
    assert found_by(question, text)


@pytest.mark.parametrize(("question", "text"), pairs(DIFFERENT))
def test_what_only_looks_alike_is_not_the_same(question: str, text: str) -> None:
    assert not found_exactly(question, text)


def found_exactly(question: str, text: str) -> set[str]:
    """The amounts and whole codes that both name; the letters that a code begins with are none."""
    return {term for term in read_exactly(question).terms if any(c.isdigit() for c in term)} & exact_terms(text)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("3到5天", ["3d", "5d"]),
        ("三五天", ["3d", "5d"]),
        ("3–5 working days", ["3wd", "5wd"]),
        ("满两百减20", ["200cny"]),
        ("两百五", ["250"]),
        ("满18岁", []),
        ("周三天气", []),
        ("第三天", []),
        ("3月1日", []),
        ("千万别一块去", []),
        ("4G网络", []),
        ("版本1.2.3", []),
        ("2024年", ["2024y"]),
        ("上半年", []),
        ("5 men", []),
        ("twenty-four hours", ["1d"]),
        ("", []),
    ],
)
def test_what_is_an_amount_and_what_is_none(text: str, terms: list[str]) -> None:
    assert [each.term for each in amounts(text)] == terms


def test_who_asks_for_days_finds_working_days() -> None:
    assert found_exactly("3天能到吗？", "下单后3个工作日送达。") == {"3d"}
    assert not found_exactly("3个工作日能到吗？", "下单后3天送达。")


def test_a_question_has_no_more_terms_than_before() -> None:
    asked = lexical_question("我3天前买的QF-310C能退吗？", "zh")
    assert asked.exact == ("3d", "qf310c", "qf")
    assert "3" not in asked.prepared.split()


@pytest.mark.parametrize(
    ("question", "language", "foreign"),
    [
        ("QF-310C支持Bluetooth吗，保修半年？", "zh", {"qf310c", "qf", "6mo", "bluetooth"}),
        ("Is the QF-310C under warranty for 6 months?", "en", {"qf310c", "qf", "6mo"}),
    ],
)
def test_what_may_stand_in_a_text_of_the_other_language(question: str, language: str, foreign: set[str]) -> None:
    asked = lexical_question(question, language)
    assert foreign <= {*asked.exact, *asked.foreign_words}
    assert all(term.isascii() for term in asked.foreign_words)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 20_000,
        "一" * 20_000,
        "3-" * 10_000,
        "半" * 10_000,
        "a-" * 10_000,
        "a" * 20_000 + "@",
        "a1" * 9_000 + "@",
        "1.2," * 5_000,
    ],
)
def test_a_hostile_text_is_read_in_passing(text: str) -> None:
    assert all(len(each.number) < 20_001 for each in amounts(text))
    assert isinstance(exact_terms(text), frozenset)
