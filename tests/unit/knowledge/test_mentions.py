"""Codes, names and quantities of a question: what counts as one, and how it is recognised in a text."""

from __future__ import annotations

import pytest

from knowledge.quoting import codes, mentions, names
from knowledge.quoting.quantities import asked_kind, is_other_kind, kinds_in
from knowledge.search.terms import QueryTerm


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the weight of the XJ-300?", ("XJ-300",)),
        ("XJ200B多少瓦？", ("XJ200B",)),
        ("Is the XJ 300 in stock?", ("XJ 300",)),
        ("Does ZK-900/2 fit?", ("ZK-900/2",)),
        ("What is CAMPUS15?", ("CAMPUS15",)),
        ("ｘｊ－３００多重", ("xj-300",)),
        ("Do you print in 3D?", ("3D",)),
        ("What does error 503 mean?", ("503",)),
        ("错误代码42是什么意思", ("42",)),
        ("Does model 12 come in red?", ("12",)),
        ("Can I order 65L bags by 9am on the 2nd?", ()),
        ("A mid-1990s bike for a 2-person tour", ()),
        ("Where is my order 123456?", ()),
        ("Is delivery free above 50 euros?", ()),
        ("Write to a1@b2.example or https://x.example/a1b2", ()),
        ("我要买3个500ml的杯子", ()),
    ],
)
def test_codes_are_letters_and_digits_that_name_something(question: str, expected: tuple[str, ...]) -> None:
    assert codes.codes_in(question) == expected


@pytest.mark.parametrize(
    "written", ["XJ-200B", "XJ200B", "xj 200b", "Xj_200b", "XJ‑200B", "ＸＪ－２００Ｂ", "水泵XJ-200B流量"]
)
def test_a_code_is_recognised_in_every_spelling(written: str) -> None:
    assert codes.names_code(f"The {written} weighs 4 kg.", "XJ200B")


@pytest.mark.parametrize("other", ["XJ-200A", "XJ-200BX", "AXJ-200B", "XJ-2000B", "XJ-20 0BB", "200B", "XJ"])
def test_another_code_is_not_taken_for_it(other: str) -> None:
    assert not codes.names_code(f"The {other} weighs 4 kg.", "XJ200B")


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("Do you ship to Norway?", "en", ("Norway",)),
        ("do you ship to norway?", "en", ("Norway",)),
        ("Is the Lighthouse plan cheaper than Harbour?", "en", ("Lighthouse", "Harbour")),
        ("How do I pay with “Klarna Now”?", "en", ("Klarna Now",)),
        ("Can I collect in New Haven on Monday?", "en", ("New Haven",)),
        ("What did Tesla's father do?", "en", ("Tesla",)),
        ("If I'm away in July, can I pause?", "en", ()),
        ("Can you turn turkey meat?", "en", ()),
        ("CAN I RETURN A TENT", "en", ()),
        ("Do I get an FAQ or a PDF?", "en", ()),
        ("支持PayPal吗？", "zh", ("PayPal",)),
        ("可以寄到挪威吗", "zh", ("挪威",)),
        ("能寄到台灣嗎", "zh", ("台湾",)),
        ("《养花手册》多少钱", "zh", ("养花手册",)),
        ("用APP可以下单吗", "zh", ()),
        ("XJ-300的流量是多少", "zh", ()),
    ],
)
def test_names_stand_in_capitals_or_quotes_or_are_countries(
    question: str, language: str, expected: tuple[str, ...]
) -> None:
    assert names.names_in(question, language=language) == expected


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("Norway", "We ship to Iceland and Norway.", True),
        ("Norway", "我们寄到挪威。", True),
        ("挪威", "We ship to Norway.", True),
        ("Norway", "We ship to Iceland.", False),
        ("Lighthouse", "Lighthouses have lamps.", True),
        ("Boston Fern", "The fern is harmless.", True),
        ("PayPal", "We accept Paypal.", True),
        ("PayPal", "We accept cards.", False),
        ("UK", "Deliveries to the United Kingdom", True),
        ("USA", "不寄往美国", True),
    ],
)
def test_a_name_is_recognised_by_a_word_or_in_the_other_language(name: str, text: str, named: bool) -> None:
    assert names.is_named(name, text) is named


def test_known_codes_of_the_same_letters_are_named_in_order() -> None:
    texts = ["The XJ-350 and the XJ-200B", "XJ-200A, ZK-1, code FAMILY10"]
    assert codes.alternatives("XJ-300", texts) == ("XJ-200A", "XJ-200B", "XJ-350")
    assert codes.alternatives("SUMMER20", texts) == ()


def test_the_companys_own_name_is_not_asked_about() -> None:
    assert names.without(("Mossgate", "Norway"), ("Mossgate Plants", "")) == ("Norway",)


def test_the_subject_stands_behind_its_determiner() -> None:
    terms = [QueryTerm("return", 3, 0.5), QueryTerm("tent", 0, 1.0), QueryTerm("receipt", 1, 0.8)]
    found = mentions.subjects_in("Can I return a tent without the receipt?", terms)
    assert found == (("tent", frozenset({"tent"})), ("receipt", frozenset({"receipt"})))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many watts does it draw?", "power"),
        ("XJ200B多少瓦？", "power"),
        ("How many litres a minute does it lift?", "volume"),
        ("How heavy is the pump?", "mass"),
        ("What does the pump weigh?", "mass"),
        ("How much does delivery cost?", "money"),
        ("運費多少錢？", "money"),
        ("质保多少个月", "time"),
        ("What voltage does it need?", "voltage"),
        ("水泵多重", "mass"),
        ("How many people fit in?", None),
        ("有几种颜色？", None),
        ("How long is it?", None),
        ("How much water does it need?", None),
    ],
)
def test_the_kind_that_is_asked_for_is_read_from_the_question(question: str, kind: str | None) -> None:
    assert asked_kind(question) == kind


@pytest.mark.parametrize(
    ("kind", "text", "is_other"),
    [
        ("power", "The pump lifts 65 litres a minute.", True),
        ("power", "流量为65L/min，额定功率750W。", False),
        ("money", "Express delivery takes 2 days.", True),
        ("money", "Express takes 2 days and is free of charge.", False),
        ("money", "The deposit is 30 % of the price.", False),
        ("money", "满199元包邮", False),
        ("time", "Returns within two weeks, at most 3 parcels of 5 kg.", False),
        ("mass", "It is small and light.", False),
        ("volume", "It weighs 9 kg.", True),
        ("voltage", "It draws 12 W.", True),
    ],
)
def test_a_text_of_other_quantities_only_is_told_from_an_answer(kind: str, text: str, is_other: bool) -> None:
    assert is_other_kind(kind, text) is is_other


def test_units_end_where_their_letters_end() -> None:
    assert kinds_in("5 men and 3 meetings") == frozenset()


@pytest.mark.parametrize("piece", ["1,", "1 ", "XJ-3 ", "a-", "Foo ", "how much is ", "多少", "«“"])
def test_no_message_makes_the_reading_slow(piece: str) -> None:
    """The time grows with the length: the test would not end otherwise."""
    message = (piece * 4_000)[:4_000]
    assert kinds_in(message) <= {"money"}
    assert asked_kind(message) is None
    assert len(codes.codes_in(message)) <= 1
    names.names_in(message, language="en")
