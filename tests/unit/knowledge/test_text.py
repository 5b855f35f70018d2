"""Languages, sentences and search terms."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text import clean_text, detect_language, estimate_tokens, lexical_input, search_terms, split_sentences

MIXED = st.text(alphabet='ab Z9.。!?！？\n"”，中文字、e.g', max_size=200)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


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


def test_split_sentences_keeps_abbreviations_decimals_and_initials_together() -> None:
    text = "Dr. Moss pays €3.90 for No. 5. J. R. Fern agrees, e.g. The Pot. Done!"
    assert sentences(text) == ["Dr. Moss pays €3.90 for No. 5.", "J. R. Fern agrees, e.g. The Pot.", "Done!"]


def test_split_sentences_of_chinese_keeps_closing_quotes() -> None:
    assert sentences("他说：“可以退货。”真的吗？当然！") == ["他说：“可以退货。”", "真的吗？", "当然！"]


def test_split_sentences_separates_lines_without_full_stops() -> None:
    assert sentences("Open settings\nPress save") == ["Open settings", "Press save"]


@given(MIXED)
def test_split_sentences_covers_everything_but_blanks_in_order(text: str) -> None:
    spans = split_sentences(text)
    covered = {position for start, end in spans for position in range(start, end)}
    assert all(position in covered for position, character in enumerate(text) if not character.isspace())
    assert spans == sorted(spans)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)


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
