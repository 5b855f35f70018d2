"""Where sentences end, and which of them ask."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.sentences import answer_mark_length, is_question, question_mark_length, split_sentences

MIXED = st.text(alphabet='ab Z9.。!?！？\n"”，中文字、e.g', max_size=200)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Book the guide by Oct. 5 at the latest.",
        "We are open Mon. 9:00 to Sat. 16:00 at St. Mary Rd. 4.",
        "The deposit is approx. 40 EUR incl. VAT.",
        "Ring 030 555 ext. 12 or Tel. 13.",
        "Order No. 5, Art. 77, Fig. 3 and Nr. 9 are gone.",
        "Das gilt z. B. Montags, d. h. Morgens, bzw. Abends.",
        "Lieferung am 3. Mai bzw. 5. Oktober zzgl. Versand.",
        "Écrivez à Mme. Martin, p. ex. Lundi.",
        "Llame a la Sra. García, ext. 4, Avda. Sol 3.",
        "Write to J. R. Fern, e.g. About pots.",
        "Version 2.3.1 costs €3.90 at https://shop.example/a.b?c=D.E today.",
        "Choose Settings... Then press Save.",
        "Open between 8 a.m. and 6 p.m. Except Sundays.",
        "The U.S. Market is served by Fern Inc. Only.",
        "Sept. 30 is the last day.",
    ],
)
def test_nothing_is_cut_behind_an_abbreviation_a_date_or_an_address(sentence: str) -> None:
    assert sentences(f"{sentence} The end.")[0].startswith(sentence.rsplit(" ", 1)[0])
    assert sentences(sentence) == [sentence]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No. We never do.", ["No.", "We never do."]),
        ("It weighs 5 kg. It is red.", ["It weighs 5 kg.", "It is red."]),
        ("每单加收20元.偏远地区除外.", ["每单加收20元.", "偏远地区除外."]),
        ("Really?! Yes!", ["Really?!", "Yes!"]),
    ],
)
def test_sentences_end_where_they_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    "text",
    ["Why?", "为什么？", "Q: reset", "Q1：重置", "问：重置", "Frage: Warum", "He asked “why?”", "Why (and how?)"],
)
def test_what_asks_is_a_question(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize("text", ["Because.", "A: yes", "Quality: high", "问题已解决。", "Q-Tips cost €2."])
def test_what_tells_is_none(text: str) -> None:
    assert not is_question(text)


def test_marks_of_pairs_have_a_length() -> None:
    assert [question_mark_length(text) for text in ("Q: a", "Q12. b", "问：c", "d")] == [3, 5, 2, 0]
    assert [answer_mark_length(text) for text in ("A: a", "A1：b", "答：c", "A bag", "A. Smith")] == [3, 3, 2, 0, 0]


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
