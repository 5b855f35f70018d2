"""Languages, search terms, and what a reader sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text import clean_text, detect_language, estimate_tokens, lexical_input, readable_text, search_terms


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I return a plant?", "en"),
        ("植物怎么退货？", "zh"),
        ("Webhook 推送失败会重试几次？", "zh"),
        ("Does Ledgerleaf support 支付宝 payments for invoices?", "en"),
        ("12345 !!", "en"),
    ],
)
def test_detect_language_follows_the_prevailing_script(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_search_terms_are_bigrams_with_latin_words_and_numbers_whole() -> None:
    assert search_terms("退货运费3.90欧元，用API") == ["退货", "货运", "运费", "3.90", "欧元", "用", "api"]


def test_search_terms_fold_width_and_case() -> None:
    assert search_terms("ＡＰＩ Ｋｅｙ") == ["api", "key"]


def test_lexical_input_names_the_configuration_of_each_language() -> None:
    assert lexical_input("两个字", "zh") == ("simple", "两个 个字")
    assert lexical_input("Two words", "en") == ("english", "Two words")


@given(st.text(max_size=50), st.text(max_size=50))
def test_estimate_tokens_never_shrinks_when_text_is_added(first: str, second: str) -> None:
    assert estimate_tokens(first) <= estimate_tokens(f"{first} {second}")


def test_clean_text_drops_what_the_database_cannot_hold() -> None:
    assert clean_text("a\x00b\r\nc\x07\td\ud800") == "ab\nc\td"


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("CAM\u200bPUS15", "CAMPUS15"),
        ("dis\u00adcount", "discount"),
        ("10\u00a0%\u202foff", "10 % off"),
        ("\u202eabc\u202c", "abc"),
        ("９折 ＡＢｃ，（！）", "9折 ABc，（！）"),
        ("plain", "plain"),
        ("👩\u200d🔧", "👩\u200d🔧"),
    ],
)
def test_readable_text_is_what_a_person_would_type(text: str, readable: str) -> None:
    assert readable_text(text) == readable
