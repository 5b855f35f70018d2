"""What differs in script, width or by something unseen only is found alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.cached_answers.same_question import normalised
from knowledge.folding import folded
from knowledge.text import detect_language, lexical_input, search_terms


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("CAM\u200bPUS15", "CAMPUS15"),
        ("dis\u00adcount", "discount"),
        ("\ufeffPots\u2060", "Pots"),
        ("pot\u200e s", "pot s"),
        ("ＣＡＭＰＵＳ１５", "CAMPUS15"),
        ("运费１２元", "运费12元"),
        ("運費多少錢", "运费多少钱"),
        ("積分有效期為兩年", "积分有效期为两年"),
        ("充電器保固期為十八個月", "充电器保固期为十八个月"),
        ("怎麼退貨", "怎么退货"),
        ("裡面", "里面"),
        ("轉人工客服", "转人工客服"),
        ("優惠碼", "优惠码"),
        ("Ünï", "Ünï"),
        ("plain", "plain"),
    ],
)
def test_what_looks_alike_is_spelled_alike(written: str, plain: str) -> None:
    assert folded(written) == plain


@pytest.mark.parametrize("text", ["怎么退货", "著名的干花", "台灯多少钱", "后天发货", "面条", "It’s 5 °C – fine."])
def test_a_simplified_or_plain_text_stays_as_it_is(text: str) -> None:
    assert folded(text) == text


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("運費多少錢？", "不满199元收运费12元"),
        ("积分多久过期？", "積分有效期為兩年"),
        ("退貨地址", "退货的地址"),
        ("發票", "请保留发票"),
    ],
)
def test_terms_of_one_script_are_found_in_the_other(question: str, article: str) -> None:
    assert set(search_terms(question)) & set(search_terms(article))


def test_english_words_lose_what_nobody_sees() -> None:
    assert lexical_input("Stu\u200bdents get the dis\u00adcount", "en") == ("english", "Students get the discount")


@pytest.mark.parametrize("question", ["運費多少錢？", "XJ-300的流量是多少？", "積分多久過期", "怎麼付款"])
def test_traditional_characters_are_chinese(question: str) -> None:
    assert detect_language(question) == "zh"


def test_the_same_question_in_the_other_script_is_the_same() -> None:
    assert normalised("運費多少錢？") == normalised("运费多少钱")
